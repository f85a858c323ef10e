from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope import (
    Analyzer,
    Arrays,
    Checkpoint,
    Cohort,
    Grain,
    Needs,
    Options,
    Snapshot,
    Trajectory,
    View,
    ViewData,
    hookimpl,
)
from miscope.analysis.analyze import analyze
from miscope.analysis.computed import computed_with
from miscope.analysis.resolved_analysis import resolve_analysis
from miscope.bound import BoundVariant
from miscope.errors import BadValue, NoArtifact, UnknownName
from miscope.figures.render import render
from miscope.outcome import State

Make = Callable[..., Any]


class Power(Options):
    exponent: int = 1
    columns: tuple[int, ...] | None = None


def power(snapshot: Snapshot) -> Arrays:
    """Sum of the embedding's powers."""
    if snapshot.options.exponent == 99:
        sys.exit("enough")
    if snapshot.options.exponent < 0:
        raise ZeroDivisionError("a power below zero\nand more of it")
    chosen = snapshot.weights["W_E"][:, list(snapshot.options.columns or (0, 1, 2))]
    return {"power": (chosen.double() ** snapshot.options.exponent).sum().numpy()}


def course(trajectory: Trajectory) -> Arrays:
    """The powers over training."""
    return {"powers": trajectory.artifacts["test.power"]["power"]}


def spread(cohort: Cohort) -> Arrays:
    """The last powers of several variants."""
    return {"last": np.array([member.artifacts["test.course"]["powers"][-1] for member in cohort.members])}


def draw_power(shown: ViewData) -> go.Figure:
    """The power at a step."""
    return go.Figure(go.Bar(y=[float(shown.artifacts["test.power"]["power"])]))


def draw_course(shown: ViewData) -> go.Figure:
    """The powers over training."""
    return go.Figure(go.Scatter(y=shown.artifacts["test.course"]["powers"]))


def draw_spread(shown: ViewData) -> go.Figure:
    """The last powers."""
    return go.Figure(go.Bar(y=shown.artifacts["test.spread"]["last"]))


@hookimpl
def miscope_analyzers():
    at, over, across = Grain.CHECKPOINT, Grain.TRAJECTORY, Grain.COHORT
    yield Analyzer(name="test.power", version=1, grain=at, compute=power, needs=Needs(weights=("W_E",)), options=Power)
    yield Analyzer(name="test.course", version=1, grain=over, compute=course, needs=Needs(reads=("test.power",)))
    yield Analyzer(name="test.spread", version=1, grain=across, compute=spread, needs=Needs(reads=("test.course",)))


@hookimpl
def miscope_views():
    at, over, across = Grain.CHECKPOINT, Grain.TRAJECTORY, Grain.COHORT
    yield View(name="test.power", title="Power", grain=at, draw=draw_power, needs=Needs(reads=("test.power",)))
    yield View(name="test.course", title="Course", grain=over, draw=draw_course, needs=Needs(reads=("test.course",)))
    yield View(name="test.spread", title="Spread", grain=across, draw=draw_spread, needs=Needs(reads=("test.spread",)))


def untrained(place: Any, seed: int = 0, steps: Sequence[int] = (0, 10)) -> BoundVariant:
    bound = place.variant("toy.sum", seed=seed)
    place.store.save_variant(bound.value)
    weights = place.context(bound.value).task.initial_weights()
    for step in steps:
        grown = {role: tensor * (1 + step) for role, tensor in weights.items()}
        place.store.save_checkpoint(bound.name, Checkpoint(step=step, weights=grown))
    return bound


@pytest.fixture
def variant(workspace: Make) -> BoundVariant:
    """Two checkpoints of a toy; nothing computed."""
    return untrained(workspace(test=sys.modules[__name__]))


SQUARED = {"test.power": {"exponent": 2}}


def test_what_was_computed_with_an_option_is_read_back_with_it(variant: BoundVariant) -> None:
    variant.analyze("test.power", "test.course", options=SQUARED)
    variant.analyze("test.power")
    plain = float(variant.at(10).arrays("test.power")["power"])
    squared = float(variant.at(10).arrays("test.power", options=SQUARED)["power"])
    embedding = variant.at(10).checkpoint.weights["W_E"][:, :3].double()
    assert plain == pytest.approx(float(embedding.sum()))
    assert squared == pytest.approx(float((embedding**2).sum()))
    assert variant.at(10).view("test.power", options=SQUARED).figure().data[0].y[0] == squared
    assert variant.view("test.course", options=SQUARED).figure().data[0].y[1] == squared
    assert variant.arrays("test.course", options=SQUARED)["powers"][1] == squared


def test_a_figure_says_which_options_it_was_computed_with(variant: BoundVariant) -> None:
    variant.analyze("test.power", options=SQUARED)
    figure = variant.view("test.power", options=SQUARED).figure()
    assert figure.layout.meta["miscope"]["options"] == ["test.power.exponent=2"]
    assert figure.layout.title.subtitle.text == "test.power.exponent=2"


def test_a_comparison_is_read_back_with_the_options_of_what_its_members_read(workspace: Make) -> None:
    place = workspace(test=sys.modules[__name__])
    members = [untrained(place, seed=seed) for seed in (0, 1)]
    list(analyze(place.value, [each.value for each in members], ["test.spread"], options=SQUARED))
    drawn = render(place.value, "test.spread", [each.value for each in members], options=SQUARED).data[0].y
    ends = [float(one.at(10).arrays("test.power", options=SQUARED)["power"]) for one in members]
    assert list(drawn) == ends
    with pytest.raises(NoArtifact, match=r"It exists with other options: -o test\.power\.exponent=2\."):
        render(place.value, "test.spread", [each.value for each in members])


def test_what_is_not_there_by_default_names_the_options_it_is_there_with(variant: BoundVariant) -> None:
    variant.analyze("test.power", options={"test.power": {"exponent": 2, "columns": "0,1"}})
    with pytest.raises(NoArtifact) as error:
        variant.arrays("test.power", 10)
    assert str(error.value) == (
        f"No 'test.power' for {variant.name} at step 10.\n"
        "It exists with other options: -o test.power.columns=0,1 -o test.power.exponent=2.\n"
        f"To compute it:  miscope analyze {variant.name} --only test.power --workspace {variant.workspace.root}"
    )


def test_what_is_not_there_with_an_option_is_asked_for_with_it(variant: BoundVariant) -> None:
    with pytest.raises(NoArtifact) as error:
        variant.arrays("test.power", 10, options={"test.power": {"exponent": 3}})
    assert str(error.value) == (
        f"No 'test.power' for {variant.name} at step 10 with test.power.exponent=3.\n"
        "It was never computed.\n"
        f"To compute it:  miscope analyze {variant.name} --only test.power "
        f"-o test.power.exponent=3 --workspace {variant.workspace.root}"
    )


def test_what_spans_fewer_checkpoints_than_there_are_says_so(variant: BoundVariant) -> None:
    variant.analyze("test.course", steps=[0])
    with pytest.raises(NoArtifact) as error:
        variant.arrays("test.course")
    assert str(error.value).splitlines()[1] == "It exists over one checkpoint, 0; there are 2."


def test_a_computation_that_failed_is_not_reported_as_one_that_never_was(variant: BoundVariant) -> None:
    below = {"test.power": {"exponent": -1}}
    variant.analyze("test.power", "test.course", options=below)
    with pytest.raises(NoArtifact) as error:
        variant.arrays("test.power", 10, options=below)
    assert str(error.value).splitlines()[1] == (
        "It failed when it was last tried: ZeroDivisionError: a power below zero"
    )
    with pytest.raises(NoArtifact, match=r"It failed when it was last tried: It reads 'test\.power', which is missing"):
        variant.arrays("test.course", options=below)


def test_an_instrument_that_ends_the_program_fails_alone(variant: BoundVariant) -> None:
    outcomes = variant.analyze("test.power", "parameters.norms", options={"test.power": {"exponent": 99}})
    assert {(name, outcome.state, outcome.error) for outcome in outcomes for name in outcome.analyzers} == {
        ("test.power", State.FAILED, "SystemExit: enough"),
        ("parameters.norms", State.SAVED, ""),
    }


def test_a_failure_is_forgotten_once_the_computation_succeeds(variant: BoundVariant) -> None:
    place = variant.workspace
    key = resolve_analysis(place.value, variant.value, ["test.power"], steps=variant.steps).key("test.power", 10)
    place.store.save_failure(key, "the disk was full")
    variant.analyze("test.power")
    assert place.store.failure(key) is None


def test_options_offered_are_those_of_artifacts_that_can_be_shown(variant: BoundVariant) -> None:
    place, names = variant.workspace, ["test.power", "test.course"]
    variant.analyze("test.course", options=SQUARED)
    variant.analyze("test.course", steps=[0], options={"test.power": {"exponent": 3}})
    settings = [resolve_analysis(place.value, variant.value, names, steps=variant.steps)]
    assert computed_with(place.store, settings, ["test.course"]) == [SQUARED]
    assert {o["test.power"]["exponent"] for o in computed_with(place.store, settings, ["test.power"])} == {2, 3}
    shutil.rmtree(place.store.layout.recipes(variant.name, "test.course"))
    assert computed_with(place.store, settings, ["test.course"]) == []


def test_an_option_at_its_default_is_no_option(variant: BoundVariant) -> None:
    variant.analyze("test.power", options={"test.power": {"exponent": 1}})
    assert variant.at(10).view("test.power").figure().layout.title.subtitle.text is None
    settings = [resolve_analysis(variant.workspace.value, variant.value, ["test.power"], steps=variant.steps)]
    assert computed_with(variant.workspace.store, settings, ["test.power"]) == []


def test_an_option_of_what_a_view_does_not_read_is_refused(variant: BoundVariant) -> None:
    variant.analyze("test.power")
    with pytest.raises(BadValue) as error:
        variant.view("test.power", options={"parameters.norms": {}, "ranks.weights": {"draws": 3}}).figure()
    assert str(error.value) == (
        "'test.power' does not read 'ranks.weights', so its options change nothing here.\n"
        "It reads: test.power.\n"
        "Leave the option out."
    )
    with pytest.raises(UnknownName, match=r"There is no analyzer named 'test\.powr'"):
        variant.view("test.power", options={"test.powr": {}}).figure()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"columns": "0,high"},
            "'test.power' does not take columns=high.\n"
            "'columns' is whole numbers with commas between them or null, by default null.\n"
            "Write it like this:  test.power.columns=1,2,3",
        ),
        (
            {"exponnt": 2},
            "'test.power' has no option 'exponnt'.\nDid you mean 'exponent'?\n"
            "`miscope analyzers test.power` describes them.",
        ),
    ],
)
def test_an_option_that_is_refused_shows_a_form_that_works(
    variant: BoundVariant, given: dict[str, object], message: str
) -> None:
    with pytest.raises(BadValue) as error:
        variant.analyze("test.power", options={"test.power": given})
    assert str(error.value) == message


@pytest.mark.parametrize("written", ["0,1", "[0, 1]", "0, 1", [0, 1], (0, 1)])
def test_several_values_are_taken_as_people_write_them(variant: BoundVariant, written: object) -> None:
    (saved, *_) = variant.analyze("test.power", options={"test.power": {"columns": written}})
    assert saved.state is State.SAVED
    expected = float(variant.at(0).checkpoint.weights["W_E"][:, :2].double().sum())
    kept = variant.at(0).arrays("test.power", options={"test.power": {"columns": (0, 1)}})["power"]
    assert float(kept) == pytest.approx(expected)


VIEWS = """
import plotly.graph_objects as go
from miscope import Grain, Needs, View, hookimpl

def draw(shown):
    return go.Figure(go.Bar(y=[len(shown.artifacts["spectra.embedding"])]))

@hookimpl
def miscope_views():
    needs = Needs(reads=("spectra.embedding",))
    yield View(name="top.share", title="Share", grain=Grain.CHECKPOINT, draw=draw, needs=needs)
"""


def test_the_command_line_shows_what_it_computed_with_an_option(
    command: Make, offer: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer("toy", "miscope.testing.toy")
    offer("top", "views_of_shares")
    (tmp_path / "site-packages" / "views_of_shares.py").write_text(VIEWS)
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    command("train", "toy.sum", "--steps", 10)
    name, option = "toy.sum/v5-seed0-width16", "spectra.embedding.top=1"
    assert command("analyze", name, "--only", "spectra.embedding", "-o", option)[0] == 0
    out = tmp_path / "figure.csv"
    assert command("show", "top.share", name, "-o", option, "--out", out)[:2] == (0, f"{out}\n")
    code, _, err = command("show", "top.share", name, "--out", out)
    assert (code, err.splitlines()[1]) == (1, f"It exists with other options: -o {option}.")
