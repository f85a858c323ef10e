"""What is said of a training by its records: at the first of which it is true, and never taken back."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from miscope.bound import BoundVariant
from miscope_sae.advice.under_way import under_way
from miscope_sae.training import JumpReluTraining, L1Training, SparseTraining, TopKTraining

TRAINED = {"steps": 1000, "sparsity_warmup_steps": 100, "dead_window_steps": 50, "allow_out_of_range": True}


def said(
    kind: type[SparseTraining] = L1Training,
    fields: dict[str, Any] | None = None,
    kept: float | None = None,
    **recorded: Any,
) -> list[str]:
    """Of 100 latents and records of each hundredth update, or (step, value)."""
    training = kind.model_validate({**TRAINED, **(fields or {})})
    records: dict[int, dict[str, float]] = {}
    for name, values in recorded.items():
        for i, each in enumerate(values):
            step, value = each if isinstance(each, tuple) else (100 * i, each)
            records.setdefault(step, {})[name] = float(value)
    told, so_far = [], under_way(training, 100, kept=kept)
    for step in sorted(records):
        so_far, remarks = so_far.after(step, records[step])
        told += map(str, remarks)
    return told


def test_too_many_latents_are_told_after_the_warmup_once_for_each_bound() -> None:
    known = "of 100 latents are active at an input, more than"
    weak = "the penalty is too weak to make them few."
    assert said(test_l0=[90, 16, 17, 30, 40]) == [
        f"warning, rho: at step 100 16 {known} 15%: {weak}",
        f"warning, rho: at step 300 30 {known} 20%: {weak}",
    ]
    assert said(test_l0=[90, 50, 16]) == [f"warning, rho: at step 100 50 {known} 20%: {weak}"]
    assert said(test_l0=[90, 15, 10]) == []


def test_the_field_is_the_one_that_says_how_few_there_are_to_be() -> None:
    def field(kind: type[SparseTraining], **fields: Any) -> list[str]:
        return [each.split(",")[1].split(":")[0].strip() for each in said(kind, fields, test_l0=[0, 50])]

    assert field(L1Training) == ["rho"]
    assert field(L1Training, l1_alpha=0.01) == ["l1_alpha"]
    assert field(JumpReluTraining) == ["l0_alpha"]
    assert field(JumpReluTraining, target_l0=8.0) == ["target_l0"]
    assert field(TopKTraining) == [], "their number was chosen"


def test_a_fall_of_l0_within_a_tenth_of_the_training_is_told() -> None:
    (told,) = said(TopKTraining, test_l0=[(0, 50), (60, 16), (100, 10), (160, 4), (200, 50), (201, 1)])
    assert told == (
        "warning, sparsity_warmup_steps: L0 fell from 16 at step 60 to 4 at step 160, within a tenth of the training, "
        "of 100 latents: latents that fall so fast do not come back."
    )
    assert said(test_l0=[(0, 50), (59, 16), (160, 4)]) == [], "slower"
    assert said(test_l0=[(0, 50), (60, 5)]) == [], "not so far"


UNSETTLED = "the running threshold that replaces k has not settled. Train longer."


def test_a_running_threshold_that_has_not_settled_is_told_once_there_was_time_for_it_and_in_the_end() -> None:
    off = [(0, 60), (200, 60), (300, 17), (400, 30), (1000, 3)]
    assert said(TopKTraining, kept=8, test_l0=off) == [
        f"warning, steps: at step 300 a held-out input has 17 latents still, and k is 8: {UNSETTLED}",
        f"warning, steps: at step 1,000 a held-out input has 3 latents in the end, and k is 8: {UNSETTLED}",
    ]
    assert said(TopKTraining, kept=8, test_l0=[(0, 60), (299, 60), (300, 16), (1000, 4)]) == []
    assert said(TopKTraining, test_l0=off) == [], "where k itself decides"


def test_a_training_too_short_for_its_threshold_is_told_so_in_the_end() -> None:
    assert said(TopKTraining, {"steps": 50, "sparsity_warmup_steps": 1}, 8, test_l0=[(0, 60), (50, 40)]) == [
        f"warning, steps: at step 50 a held-out input has 40 latents in the end, and k is 8: {UNSETTLED}"
    ]


def test_a_target_that_is_missed_is_told_in_the_end() -> None:
    aimed = {"target_l0": 4.0}
    (told,) = said(JumpReluTraining, aimed, test_l0=[(0, 10), (500, 10), (1000, 9)])
    assert told == (
        "warning, target_l0: at step 1,000 a held-out input has 9 latents in the end, and the aim was 4: train longer."
    )
    assert said(JumpReluTraining, aimed, test_l0=[(0, 10), (500, 10), (1000, 8)]) == []


def test_a_short_training_that_keeps_latents_by_batch_says_so_itself(
    known_source: Callable[..., BoundVariant], tmp_path: Path
) -> None:
    source = known_source(tmp_path, features=24, width=16, inputs=300)
    fields = {"k": 2, "latents": 64, "steps": 12, "batch_size": 64, "allow_out_of_range": True}
    for family in ("sae.batchtopk", "sae.matryoshka"):
        one = source.workspace.variant(family, variant=source.name, site="hook_embed", step=0, **fields)
        told = [seen.message for seen in one.train(threads=1) if "Train longer" in seen.message]
        l0 = one.metrics()["test_l0"].values[-1]
        assert told == [
            f"warning, steps: at step 12 a held-out input has {l0:.3g} latents in the end, and k is 2: {UNSETTLED}"
        ]


def test_dead_latents_are_told_at_half_and_at_seven_tenths() -> None:
    assert said(TopKTraining, test_dead_neurons=[0, 50, 51, 60, 71, 90]) == [
        "warning, latents: at step 200 51 of 100 latents, more than 50%, have not been active for 50 updates.",
        "warning, latents: at step 400 71 of 100 latents, more than 70%, have not been active for 50 updates.",
    ]


def test_a_loss_ten_times_the_least_is_told_but_not_while_the_penalty_rises() -> None:
    assert said(train_loss=[8, 2, 1, 10, 10.5, 30]) == [
        "warning, learning_rate: at step 400 the loss is 10.5, 10.5 times the 1 of step 200: it diverges."
    ]
    rising = [(0, 8.0), (20, 0.1), (40, 2.0), (90, 7.0), (100, 7.0), (300, 6.0)]
    assert said(train_loss=rising) == []
    (told,) = said(train_loss=[*rising[:2], (40, 9.0)])
    assert "at step 40 the loss is 9, 90 times the 0.1 of step 20" in told


@given(
    l0=st.lists(st.integers(0, 100), max_size=12),
    dead=st.lists(st.integers(0, 100), max_size=12),
    losses=st.lists(st.integers(1, 1000), max_size=12),
    until=st.integers(0, 12),
)
def test_more_records_take_nothing_back(l0: list[int], dead: list[int], losses: list[int], until: int) -> None:
    whole = said(kept=8, test_l0=l0, test_dead_neurons=dead, train_loss=losses)
    part = said(kept=8, test_l0=l0[:until], test_dead_neurons=dead[:until], train_loss=losses[:until])
    assert set(part) <= set(whole)
    assert len(set(whole)) == len(whole)


def test_what_is_remembered_does_not_grow_with_the_records() -> None:
    training = JumpReluTraining.model_validate({**TRAINED, "target_l0": 4.0, "steps": 10**6})
    so_far, sizes = under_way(training, 100, kept=8), set()
    for step in range(1000, 6000):
        metrics = {"test_l0": float(step % 90), "test_dead_neurons": float(step % 80), "train_loss": 1.0 + step % 30}
        so_far, _ = so_far.after(step, metrics)
        sizes.add(len(pickle.dumps(so_far)))
    assert max(sizes) < 1.1 * min(sizes)
