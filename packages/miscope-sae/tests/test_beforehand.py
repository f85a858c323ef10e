"""What is said of a training before it begins: warnings by number and field, and what fields come to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from miscope.bound import BoundVariant
from miscope.errors import BadValue
from miscope_sae import remarks
from miscope_sae.rows.distinct import alike

Few = Callable[..., BoundVariant]
USUAL = {"steps": 1000, "batch_size": 512, "latents": 16}


def told(autoencoder: BoundVariant, severity: str) -> dict[str, list[str]]:
    """Messages of that severity, by field."""
    found: dict[str, list[str]] = {}
    for each in remarks(autoencoder):
        if each.severity == severity:
            found.setdefault(each.field, []).append(each.message)
    return found


def test_an_usual_training_has_no_warning(few: Few) -> None:
    assert told(few("sae.standard", **USUAL), "warning") == {}
    assert told(few("sae.topk", k=2, **USUAL), "error") == {}


@pytest.mark.parametrize(("rho", "warned"), [(0.029, True), (0.031, False), (0.299, False), (0.301, True)])
@pytest.mark.parametrize("family", ["sae.standard", "sae.gated"])
def test_a_penalty_that_takes_too_little_or_too_much_is_told_with_the_usual_one(
    few: Few, family: str, rho: float, warned: bool
) -> None:
    """d = 8, expected_l0 = 2: lambda = 2 rho sqrt(8 / 2) = 4 rho, and l1_alpha = lambda / 8 = rho / 2."""
    why = "inputs are copied and no feature is found" if rho < 0.1 else "latents shrink or die"
    said = (
        f"the penalty takes a share rho={rho:.3g} of a typical latent; outside 0.03 to 0.3 {why}. "
        "Usual is rho=0.1, here l1_alpha=0.05."
    )
    expected = [said] if warned else None
    assert told(few(family, rho=rho, expected_l0=2, **USUAL), "warning").get("rho") == expected
    found = told(few(family, l1_alpha=rho / 2, expected_l0=2, **USUAL), "warning").get("l1_alpha", [])
    assert [each for each in found if "usual range" not in each] == (expected or [])


def test_what_a_penalty_comes_to_has_the_names_of_others(few: Few) -> None:
    (said,) = told(few("sae.standard", rho=0.15, expected_l0=2, sparsity_warmup_steps=50, **USUAL), "info")["l1_alpha"]
    assert said == "0.075; lambda=0.6, SAELens' l1_coefficient, rises over 50 updates; rho=0.15 with expected_l0=2."
    (said,) = told(few("sae.jumprelu", expected_l0=2, sparsity_warmup_steps=50, **USUAL), "info")["l0_alpha"]
    assert said == "lambda=0.4 rises over 50 updates; thresholds begin at 0.2 and move in a window of 0.2."
    (said,) = told(few("sae.jumprelu", target_l0=4, sparsity_warmup_steps=50, **USUAL), "info")["l0_alpha"]
    assert said.startswith("lambda=0.6 rises over 50 updates; it aims at L0=4; ")
    assert told(few("sae.topk", k=2, **USUAL), "info")["k"] == ["2 of 16 latents an input, 12.500%."]


def test_the_penalty_that_is_told_is_the_one_that_is_descended(few: Few) -> None:
    for family, fields in (("sae.standard", {"l1_alpha": 0.05}), ("sae.jumprelu", {"expected_l0": 3.0})):
        variant = few(family, sparsity_warmup_steps=0, **fields, **USUAL)
        task = variant.workspace.value.context(variant.value).task
        assert task is not None
        coefficients = {term.name: term.coefficient(10) for term in task.objective.terms}
        (said,) = told(variant, "info")["l1_alpha" if family == "sae.standard" else "l0_alpha"]
        assert f"lambda={coefficients['sparsity']:.4g}" in said


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        (
            {"sparsity_warmup_steps": 0},
            "sparsity_warmup_steps",
            "the penalty is whole at once, which kills latents; 50 updates, a twentieth of all, are usual.",
        ),
        (
            {"sparsity_warmup_steps": 1001},
            "sparsity_warmup_steps",
            "of 1,001 for 1,000, the penalty never becomes whole.",
        ),
        (
            {"checkpoints": "every:1001"},
            "checkpoints",
            "every 1,001 steps of 1,000: only the first and the final one.",
        ),
    ],
)
def test_a_schedule_that_comes_to_nothing_is_told(few: Few, fields: dict[str, Any], field: str, said: str) -> None:
    assert told(few("sae.standard", **fields, **USUAL), "warning") == {field: [said]}
    assert field not in told(few("sae.topk", k=2, **USUAL), "warning")


def test_checkpoints_at_the_last_step_alone_are_no_news(few: Few) -> None:
    assert told(few("sae.standard", checkpoints="every:1000", **USUAL), "warning") == {}


def test_two_cures_of_dead_latents_are_told(few: Few) -> None:
    said = ["dead latents learn by aux_alpha already; one of the two is enough."]
    both = few("sae.topk", k=2, resample_steps=200, **USUAL)
    assert told(both, "warning") == {"resample_steps": said}
    assert told(few("sae.topk", k=2, resample_steps=200, aux_alpha=0, **USUAL), "warning") == {}


def test_latents_with_too_few_inputs_are_told(few: Few) -> None:
    """500 inputs, of which some have no feature at all."""
    plain = few("sae.topk", k=2, **USUAL)
    rows = plain.workspace.value.context(plain.value).probe().inputs
    distinct = int((rows != 0).any(1).sum()) + 1
    (said,) = told(plain, "info")["batch_size"]
    assert said == (
        f"of 500 inputs, {distinct} of them distinct, 450 are trained on, all an update; "
        "each is seen 1,000 times in 1,000 updates."
    )
    crowded = few("sae.topk", k=2, **{**USUAL, "latents": distinct // 4 + 1})
    (said,) = told(crowded, "warning")["latents"]
    assert said == (
        f"{distinct // 4 + 1:,} for {distinct} distinct inputs among 500, fewer than 4 for each latent: a latent can "
        f"learn one by heart. {distinct // 4} latents would have 4 each."
    )
    more = few("sae.topk", k=2, **{**USUAL, "latents": distinct + 1})
    assert "fewer than latents" in told(more, "warning")["latents"][-1]
    assert told(few("sae.topk", k=2, **{**USUAL, "latents": distinct // 4}), "warning") == {}


@pytest.mark.parametrize("latents", [15, 257])
def test_latents_outside_the_range_are_a_warning_where_they_are_allowed(few: Few, latents: int) -> None:
    found = told(few("sae.topk", k=2, **{**USUAL, "latents": latents}), "warning")["latents"]
    assert found[0] == f"{latents} is outside 16 to 256, its usual range: 2 to 32 times the width."


@pytest.mark.parametrize(
    ("family", "fields", "said"),
    [
        ("sae.topk", {"k": 17}, "k: 17 latents cannot be kept of 16."),
        ("sae.jumprelu", {"target_l0": 17}, "target_l0: 17 latents cannot be active of 16."),
    ],
)
def test_more_latents_an_input_than_there_are_is_refused(
    few: Few, family: str, fields: dict[str, Any], said: str
) -> None:
    variant = few(family, **fields, **USUAL)
    with pytest.raises(BadValue) as refused:
        list(variant.train(threads=1))
    assert str(refused.value).splitlines()[1] == said
    assert len(variant.steps) == 0


def test_what_has_no_room_is_refused(few: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    class Free:
        available = 2e5

    monkeypatch.setattr("psutil.virtual_memory", Free)
    variant = few("sae.topk", k=2, **USUAL)
    # 4 bytes of: 280 weights four times; of 450 inputs trained on and 16 latents, 4 arrays in an update and 4 of those
    # that are measured; six arrays of 500 inputs of 8 numbers; and the 12 sizes of features that these were made of.
    size = 4 * (4 * 280 + 450 * 16 * (4 + 4) + 6 * 500 * 8 + 500 * 12)
    assert told(variant, "error") == {
        "latents": [f"it takes about {size / 1e6:.2g} MB of memory, and 80 % of what is free here is 0.16 MB."]
    }
    with pytest.raises(BadValue, match="latents: it takes about"):
        list(variant.train(threads=1))


@given(
    distinct=st.integers(1, 40),
    copies=st.integers(1, 4),
    scale=st.floats(1e-3, 1e3),
    offset=st.floats(-10, 10),
    seed=st.integers(0, 2**32 - 1),
)
def test_copies_that_differ_by_rounding_are_counted_once(
    distinct: int, copies: int, scale: float, offset: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    rows = random.standard_normal((distinct, 6)) + offset
    of = random.permutation(np.repeat(np.arange(distinct), copies))
    noisy = rows[of] * (1 + 3e-8 * random.standard_normal((len(of), 6)))
    found = alike((scale * noisy).astype(np.float32))
    assert sorted(set(found)) == list(range(distinct))
    assert len(set(zip(of, found, strict=True))) == distinct


def test_bits_of_a_number_are_all_distinct() -> None:
    rows = torch.tensor([[(i >> bit) & 1 for bit in range(10)] for i in range(1024)], dtype=torch.float32)
    assert len(set(alike(rows.numpy()))) == 1024
    assert math.log2(len(set(alike(rows[:, :7].numpy())))) == 7
