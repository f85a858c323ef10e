"""A frequency's gain: exact, without leakage, and a variant of its own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from miscope.bound import BoundVariant, open_bound
from miscope.errors import BadValue
from miscope.family import make_variant
from miscope.testing import tables
from miscope_modadd.interventions import FrequencyGain, amplified, frequency_gain, gains_of, powers
from miscope_modadd.transformer import TransformerFamily

P = 11
FAMILY = TransformerFamily()


def parent(root: Path, **fields: Any) -> BoundVariant:
    workspace = open_bound(root, tables(FAMILY))
    given = {"prime": P, "steps": 6, "checkpoints": "every:2", "train_fraction": 0.5, **fields}
    return workspace.variant("modadd.transformer", **given)


def through_the_hook(gain: FrequencyGain, dtype: torch.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Powers of the embedding before and behind the hook, on the training inputs."""
    variant = make_variant(FAMILY, {"prime": P}, {"train_fraction": 0.5})
    task = FAMILY.task(variant)
    weights = {role: w.to(dtype) for role, w in task.initial_weights().items()}
    inputs = task.train.inputs
    hook = ("hook_embed", amplified(inputs, P, gain))
    seen = FAMILY.model(variant.params).run(weights, inputs, ["hook_embed"], hooks=[hook])["hook_embed"]
    behind = np.zeros((P, 128))
    for position in (0, 1):
        behind[inputs[:, position]] = seen[:, position].numpy()
    assert torch.equal(seen[:, 2], weights["W_E"][inputs[:, 2]]), "the equals sign is no token of the basis"
    return powers(weights["W_E"][:P].double().numpy()), powers(behind)


@pytest.mark.parametrize("factor", [0.0, 0.25, 2.0, 9.0])
@pytest.mark.parametrize("k", [1, 5])
def test_the_power_of_one_frequency_is_multiplied_and_no_other_touched(k: int, factor: float) -> None:
    before, behind = through_the_hook(FrequencyGain(k=k, gain=factor, start=0, stop=1), torch.float64)

    others = np.arange(1, 6) != k
    assert behind[k - 1] == pytest.approx(factor * before[k - 1], rel=1e-10, abs=1e-10)
    assert np.abs(behind[others] / before[others] - 1).max() < 1e-10


def test_the_gradient_goes_through_it() -> None:
    gain = FrequencyGain(k=2, gain=4.0, start=0, stop=1)
    tokens = torch.arange(P)[:, None]
    embedding = torch.randn(P, 3, dtype=torch.float64, requires_grad=True, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(lambda e: amplified(tokens, P, gain)(e[:, None]), (embedding,))


def test_an_intervened_variant_is_its_parent_until_the_window_opens_and_lives_beside_it(tmp_path: Path) -> None:
    plain = parent(tmp_path)
    changed = frequency_gain(plain, k=3, gain=4, start=2, stop=4)
    for variant in (plain, changed):
        list(variant.train(threads=1))

    assert changed.name == plain.name + "-dogain-k3-x4-from2-to4"
    assert gains_of(changed.value) == (FrequencyGain(k=3, gain=4.0, start=2, stop=4),)
    assert sorted(plain.workspace.names()) == sorted([plain.name, changed.name])
    one, other = (variant.metric("train_loss")[1] for variant in (plain, changed))
    assert one[:3].tolist() == other[:3].tolist()
    assert np.abs(one[3:] - other[3:]).min() > 1e-7
    record = plain.workspace.store.variant_record(changed.name)
    assert record.training is not None
    assert list(record.training["interventions"]) == ["gain-k3-x4-from2-to4"]  # pyright: ignore


def test_a_gain_of_one_changes_nothing_but_the_name(tmp_path: Path) -> None:
    plain = parent(tmp_path, steps=3)
    changed = frequency_gain(plain, k=3, gain=1, start=0, stop=3)
    for variant in (plain, changed):
        list(variant.train(threads=1))
    one, other = (variant.metric("train_loss")[1] for variant in (plain, changed))
    # The window is trained through the hooked network, which rounds otherwise than the tables.
    assert other == pytest.approx(one, rel=1e-5)


def test_a_frequency_gain_resumes_by_its_name_alone(tmp_path: Path) -> None:
    name = frequency_gain(parent(tmp_path), k=3, gain=4, start=2, stop=4).name
    list(frequency_gain(parent(tmp_path), k=3, gain=4, start=2, stop=4).train(threads=1, steps=3))
    again = open_bound(tmp_path, tables(FAMILY)).find(name)
    assert again.value.training is not None
    assert list(again.train(threads=1, steps=6))[-1].step == 6

    whole = frequency_gain(parent(tmp_path / "whole"), k=3, gain=4, start=2, stop=4)
    list(whole.train(threads=1))
    assert again.metric("train_loss")[1].tolist() == whole.metric("train_loss")[1].tolist()


@pytest.mark.parametrize(
    ("fields", "gain", "known"),
    [
        ({}, {"k": 6}, "The frequencies of 11 tokens are 1 to 5."),
        ({}, {"k": 0}, "The frequencies of 11 tokens are 1 to 5."),
        ({}, {"stop": 2}, "It would end before it begins."),
        ({}, {"gain": -1.0}, "A gain reads like gain-k14-x2-from500-to1000, with a power factor x from 0 up."),
        ({"batch_size": 8}, {}, "It needs every token in every batch, and this training takes mini-batches."),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path: Path, fields: Any, gain: Any, known: str) -> None:
    with pytest.raises(BadValue) as error:
        frequency_gain(parent(tmp_path, **fields), **{"k": 3, "gain": 4.0, "start": 2, "stop": 4, **gain})
    what, why, todo = str(error.value).split("\n")
    assert what.startswith("modadd.transformer cannot be trained under 'gain-k")
    assert (why, todo) == (known, "Correct the name.")


def test_a_token_that_is_nowhere_is_missed() -> None:
    with pytest.raises(BadValue, match="Token 0 is nowhere in the training inputs"):
        amplified(torch.arange(1, P)[:, None], P, FrequencyGain(k=1, gain=2.0, start=0, stop=1))


def test_a_name_that_the_family_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadValue) as error:
        parent(tmp_path, interventions=("freeze-W_E",)).train()
    assert str(error.value) == (
        "The family 'modadd.transformer' knows no intervention freeze-W_E.\n"
        "A variant that names one cannot be trained without it.\n"
        "Give it to `train(interventions=...)`, or correct the name."
    )
