"""What a family says of a training by what was recorded of it: once, in the ledger and beside the progress."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest

from miscope import Remark, Series, TrainingSoFar, Variant
from miscope.bound import BoundVariant, open_bound
from miscope.testing import tables
from miscope.testing.toy import ToyVariation
from miscope.training.remarked import RemarksUnderWay


@final
@dataclass(frozen=True)
class EveryThird(TrainingSoFar):
    count: int = 0
    first: int = 0

    def after(self, step: int, metrics: Mapping[str, float]) -> tuple[TrainingSoFar, Sequence[Remark]]:
        if "train_loss" not in metrics:
            return self, ()
        first = self.first if self.count else step
        said = Remark(severity="warning", field="steps", message=f"step {step} of {first}.")
        return EveryThird(self.count + 1, first), () if self.count % 3 else (said,)


@final
class Attentive(ToyVariation):
    """The toy, which names every third record of its loss, the first among them."""

    name = "toy.attentive"
    title = "Toy: (a + b) mod n, looked at"

    def bases(self, params: Any) -> Mapping[str, Any]:
        return {}

    def remarks_while_training(self, variant: Variant) -> TrainingSoFar:
        return EveryThird()


FIELDS = {"evaluate_every": 1, "checkpoints": "every:1"}


@pytest.fixture
def attentive(tmp_path: Path) -> BoundVariant:
    return open_bound(tmp_path / "workspace", tables(Attentive())).variant("toy.attentive", steps=7, **FIELDS)


def warned(variant: BoundVariant) -> list[tuple[int, str, str]]:
    lines = [line for line in variant.workspace.value.ledger.lines() if line["event"] == "warning"]
    return [(line["step"], line["field"], line["reason"]) for line in lines]


EACH = [(step, "steps", f"step {step} of 0.") for step in (0, 3, 6)]


def test_it_is_told_once_at_its_step_and_kept_in_the_ledger(attentive: BoundVariant) -> None:
    told = [(seen.step, seen.message) for seen in attentive.train(threads=1) if seen.message]
    assert told == [(step, f"warning, steps: step {step} of 0.") for step in (0, 3, 6)]
    assert warned(attentive) == EACH


@pytest.mark.parametrize("cut", range(1, 7))
def test_a_training_that_goes_on_does_not_tell_it_again(attentive: BoundVariant, cut: int) -> None:
    list(attentive.train(threads=1, steps=cut))
    list(attentive.train(threads=1))
    assert sorted(warned(attentive)) == EACH


def test_a_training_from_the_beginning_tells_it_anew(attentive: BoundVariant) -> None:
    list(attentive.train(threads=1))
    list(attentive.train(threads=1, resume=False))
    assert sorted(warned(attentive)) == sorted(2 * EACH)


def test_nothing_is_kept_of_the_records_themselves(attentive: BoundVariant) -> None:
    remarks = RemarksUnderWay(Attentive(), attentive.value, {}, begin=0)
    remarks.note(0, {"train_loss": 1.0})
    tracemalloc.start()
    try:
        for step in range(1, 10_001):
            remarks.note(step, {"train_loss": 1.0 / step, "test_loss": 2.0 / step})
            remarks.new()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 10_000, "bytes: less than one for each record"


def test_what_was_recorded_before_is_known_step_by_step(attentive: BoundVariant) -> None:
    losses = Series(steps=np.array([0, 2, 4, 6]), values=np.array([4.0, 3.0, 2.0, 1.0]))
    others = Series(steps=np.array([1, 2]), values=np.array([9.0, 9.0]))
    remarks = RemarksUnderWay(Attentive(), attentive.value, {"train_loss": losses, "other": others}, begin=4)
    assert remarks.new() == [], "it was told when they were recorded"
    remarks.note(4, {"train_loss": 2.0})
    assert remarks.new() == [], "once more"
    remarks.note(6, {"train_loss": 1.0})
    assert [str(each) for each in remarks.new()] == ["warning, steps: step 6 of 0."]
