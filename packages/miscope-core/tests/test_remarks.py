"""What a family says of a training before it begins: an error ends it there, a warning goes with it into the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import pytest

from miscope import Remark, Variant
from miscope.bound import BoundVariant, open_bound
from miscope.cli.estimating import note_remarks
from miscope.errors import BadValue
from miscope.testing import tables
from miscope.testing.toy import ToyVariation
from miscope.training.estimate import PastTraining, estimate, work_of

LARGE = Remark(severity="warning", field="learning_rate", message="it is large.")
RATE = Remark(severity="info", field="learning_rate", message="0.001.")


@final
class Careful(ToyVariation):
    """The toy, which says what it thinks of a length."""

    name = "toy.careful"
    title = "Toy: (a + b) mod n, with remarks"

    def bases(self, params: Any) -> Mapping[str, Any]:
        return {}

    def remarks(self, variant: Variant) -> Sequence[Remark]:
        assert variant.training is not None
        steps = variant.training.steps
        short = [Remark(severity="error", field="steps", message=f"{steps} are too few.")] if steps < 2 else []
        return [RATE, LARGE, *short]


@pytest.fixture
def careful(tmp_path: Path) -> BoundVariant:
    return open_bound(tmp_path / "workspace", tables(Careful())).variant("toy.careful", steps=3)


def test_a_warning_is_told_before_the_first_step_and_kept_in_the_ledger(careful: BoundVariant) -> None:
    told = list(careful.train(threads=1))
    assert [seen.message for seen in told if seen.message] == ["warning, learning_rate: it is large."]
    assert told[0].message
    lines = [line for line in careful.workspace.value.ledger.lines() if line["event"] == "warning"]
    assert [(line["field"], line["reason"]) for line in lines] == [("learning_rate", "it is large.")]


def test_an_error_ends_a_training_before_anything_is_written(careful: BoundVariant) -> None:
    with pytest.raises(BadValue) as refused:
        list(careful.train(threads=1, steps=1))
    assert str(refused.value) == (
        f"{careful.name} is not trained so.\nsteps: 1 are too few.\nChange it and try again; nothing was written."
    )
    assert refused.value.field == "steps"
    assert not careful.workspace.root.exists() or careful.workspace.variants() == []
    assert len(careful.steps) == 0


def test_what_is_trained_already_is_not_remarked_on(careful: BoundVariant) -> None:
    list(careful.train(threads=1))
    (again,) = careful.train(threads=1)
    assert again.message.endswith("is already trained to step 3; nothing to do.")


def test_an_estimate_has_the_remarks_of_the_length_that_is_asked_for(careful: BoundVariant) -> None:
    place = careful.workspace.value
    assert estimate(place, careful.value).remarks == (RATE, LARGE)
    assert [each.severity for each in estimate(place, careful.value, steps=1).remarks] == ["info", "warning", "error"]


@pytest.mark.parametrize(
    ("each", "says"),
    [(599.0, []), (601.0, ["24 to 38 minutes"]), (2400.0, ["96 minutes to 3 hours"]), (9000.0, ["6 to 10 hours"])],
)
def test_a_training_of_probably_more_than_half_an_hour_is_told(
    careful: BoundVariant, each: float, says: list[str]
) -> None:
    place, config = careful.workspace.value, careful.value.training
    task = place.context(careful.value).task
    assert task is not None
    assert config is not None
    past = PastTraining(work=work_of(task, config, task.initial_weights()), seconds_a_step=each)
    long = [one for one in estimate(place, careful.value, pasts=[past]).remarks if one.field == "steps"]
    assert [(one.severity, one.message) for one in long] == [
        ("warning", f"it will probably take {times}. With fewer steps, or a smaller batch, it takes less.")
        for times in says
    ]


def test_errors_are_printed_before_warnings_and_these_before_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    note_remarks([RATE, LARGE, Remark(severity="error", field="steps", message="too few.")])
    assert capsys.readouterr().err.splitlines() == [
        "error, steps: too few.",
        "warning, learning_rate: it is large.",
        "info, learning_rate: 0.001.",
    ]
