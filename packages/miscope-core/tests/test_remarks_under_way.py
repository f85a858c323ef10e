"""What a family says of a training by what was recorded of it: once, in the ledger and beside the progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import pytest

from miscope import Remark, Variant
from miscope.bound import BoundVariant, open_bound
from miscope.testing import tables
from miscope.testing.toy import ToyVariation


@final
class Attentive(ToyVariation):
    """The toy, which names every third record of its loss, the first among them."""

    name = "toy.attentive"
    title = "Toy: (a + b) mod n, looked at"

    def bases(self, params: Any) -> Mapping[str, Any]:
        return {}

    def remarks_while_training(
        self, variant: Variant, recorded: Mapping[str, Sequence[tuple[int, float]]]
    ) -> Sequence[Remark]:
        steps = [step for step, _ in recorded.get("train_loss", ())]
        return [Remark(severity="warning", field="steps", message=f"step {step} of {steps[0]}.") for step in steps[::3]]


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
