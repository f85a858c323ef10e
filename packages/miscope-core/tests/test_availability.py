"""What there is of a variant: for every view and analyzer a state, and where there is nothing the reason."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
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
from miscope.bound import BoundVariant
from miscope.errors import DoesNotApply
from miscope.figures.availability import Availability, analyzer_availability, view_availability

Make = Callable[..., Any]
Run = Callable[..., tuple[int, str, str]]


class Power(Options):
    exponent: int = 1


def power(snapshot: Snapshot) -> Arrays:
    """Sum of the embedding's powers."""
    return {"power": (snapshot.weights["W_E"].double() ** snapshot.options.exponent).sum().numpy()}


def nothing(seen: Snapshot | Trajectory | Cohort) -> Arrays:
    """Zero."""
    return {"nothing": np.zeros(())}


def fails(snapshot: Snapshot) -> Arrays:
    """Divides by zero."""
    raise ZeroDivisionError("division by zero")


def idle(snapshot: Snapshot) -> Arrays:
    """Finds nothing to compute."""
    return {}


def draw_power(shown: ViewData) -> go.Figure:
    """The power at a step."""
    return go.Figure(go.Bar(y=[1.0]))


def draw_none(shown: ViewData) -> go.Figure:
    """Finds nothing to draw."""
    raise DoesNotApply("none of its powers is negative")


@hookimpl
def miscope_analyzers():
    at, over, across = Grain.CHECKPOINT, Grain.TRAJECTORY, Grain.COHORT
    yield Analyzer(name="here.power", version=1, grain=at, compute=power, needs=Needs(weights=("W_E",)), options=Power)
    yield Analyzer(name="here.fails", version=1, grain=at, compute=fails, needs=Needs(weights=("W_E",)))
    yield Analyzer(name="here.heads", version=1, grain=at, compute=nothing, needs=Needs(sites=("*.hook_pattern",)))
    yield Analyzer(name="here.idle", version=1, grain=at, compute=idle, needs=Needs(weights=("W_E",)))
    yield Analyzer(name="here.long", version=1, grain=over, compute=nothing, needs=Needs(weights=("W_E",)), opt_in=True)
    yield Analyzer(name="here.together", version=1, grain=across, compute=nothing)
    yield Analyzer(name="here.reader", version=1, grain=at, compute=nothing, needs=Needs(reads=("elsewhere.sums",)))


@hookimpl
def miscope_views():
    at, across = Grain.CHECKPOINT, Grain.COHORT
    yield View(name="here.power", title="Power", grain=at, draw=draw_power, needs=Needs(reads=("here.power",)))
    yield View(name="here.heads", title="Heads", grain=at, draw=draw_power, needs=Needs(reads=("here.heads",)))
    yield View(name="here.idle", title="Idle", grain=at, draw=draw_power, needs=Needs(reads=("here.idle",)))
    yield View(name="here.late", title="Late", grain=at, draw=draw_none)
    yield View(
        name="here.together", title="Together", grain=across, draw=draw_power, needs=Needs(reads=("here.together",))
    )
    yield View(name="here.reader", title="Reader", grain=at, draw=draw_power, needs=Needs(reads=("here.reader",)))
    yield View(name="here.foreign", title="Foreign", grain=at, draw=draw_power, needs=Needs(reads=("elsewhere.sums",)))


@pytest.fixture
def place(workspace: Make) -> Any:
    """Two toy variants with checkpoints at 0, 10, 20 and 30; nothing computed."""
    place = workspace(here=sys.modules[__name__])
    for seed in (0, 1):
        bound = place.variant("toy.sum", seed=seed)
        place.store.save_variant(bound.value)
        weights = place.context(bound.value).task.initial_weights()
        for step in (0, 10, 20, 30):
            place.store.save_checkpoint(bound.name, Checkpoint(step=step, weights=weights))
    return place


@pytest.fixture
def variant(place: Any) -> BoundVariant:
    return place.find("toy.sum/v5-seed0-width16")


def view(variant: BoundVariant, name: str, *others: BoundVariant, drawing: bool = False) -> Availability:
    workspace = variant.workspace
    every = [variant.value, *(other.value for other in others)]
    return view_availability(workspace.value, workspace.plugins.view(name), every, drawing=drawing)


def analyzer(variant: BoundVariant, name: str, *others: BoundVariant) -> Availability:
    return analyzer_availability(variant.workspace.value, name, [variant.value, *(other.value for other in others)])


def test_what_was_never_computed_is_missing_and_comes_with_the_command(variant: BoundVariant) -> None:
    availability = view(variant, "here.power")
    assert (availability.state, availability.reason) == ("missing", "needs here.power: it was never computed")
    assert (
        availability.command == f"miscope analyze {variant.name} --only here.power --workspace {variant.workspace.root}"
    )
    assert availability.message.splitlines()[-1] == f"To compute it:  {availability.command}"
    assert analyzer(variant, "here.power").reason == "it was never computed"


def test_what_takes_long_says_that_it_waits_to_be_named(variant: BoundVariant) -> None:
    availability = analyzer(variant, "here.long")
    waits = "it takes long, and is computed when asked for by name"
    assert (availability.state, availability.reason) == ("missing", f"it was never computed; {waits}")


def test_what_exists_with_other_options_only_names_them(variant: BoundVariant) -> None:
    variant.analyze("here.power", options={"here.power": {"exponent": 2}})
    known = "it exists with other options: -o here.power.exponent=2"
    assert view(variant, "here.power").reason == f"needs here.power: {known}"
    assert analyzer(variant, "here.power").reason == known


def test_a_failure_is_told_in_place_of_never(variant: BoundVariant) -> None:
    variant.analyze("here.fails")
    availability = analyzer(variant, "here.fails")
    failed = "it failed when it was last tried: ZeroDivisionError: division by zero"
    assert (availability.state, availability.reason) == ("missing", failed)


def test_what_the_family_lacks_does_not_apply_and_says_what(variant: BoundVariant) -> None:
    lacking = "toy.sum has no site '*.hook_pattern'"
    for availability in (view(variant, "here.heads"), analyzer(variant, "here.heads")):
        assert (availability.state, availability.reason, availability.command) == ("inapplicable", lacking, "")


def test_an_artifact_without_arrays_is_nothing_to_look_at(variant: BoundVariant) -> None:
    variant.analyze("here.idle")
    assert (view(variant, "here.idle").state, view(variant, "here.idle").reason) == (
        "inapplicable",
        "'here.idle' found nothing here to compute",
    )
    availability = analyzer(variant, "here.idle")
    assert (availability.state, availability.reason) == ("inapplicable", "it found nothing here to compute")
    with pytest.raises(DoesNotApply):
        variant.view("here.idle").figure()


def test_what_only_drawing_finds_out_is_found_out_by_drawing(variant: BoundVariant) -> None:
    assert view(variant, "here.late").state == "there"
    drawn = view(variant, "here.late", drawing=True)
    assert (drawn.state, drawn.reason) == ("inapplicable", "none of its powers is negative")


def test_a_comparison_takes_several_variants(place: Any, variant: BoundVariant) -> None:
    other = place.find("toy.sum/v5-seed1-width16")
    alone = "it compares several variants, and this is one alone"
    for ask in (view, analyzer):
        assert (ask(variant, "here.together").state, ask(variant, "here.together").reason) == ("inapplicable", alone)
        assert ask(variant, "here.together", other).command == (
            f"miscope analyze {variant.name} {other.name} --only here.together --workspace {variant.workspace.root}"
        )
    from miscope.analysis.analyze import analyze

    list(analyze(place.value, [variant.value, other.value], ["here.together"]))
    assert view(variant, "here.together", other).state == analyzer(variant, "here.together", other).state == "there"


def test_what_reads_what_is_not_installed_stays_alone_with_that(variant: BoundVariant) -> None:
    for availability in (view(variant, "here.reader"), view(variant, "here.foreign"), analyzer(variant, "here.reader")):
        assert (availability.state, availability.reason) == (
            "error",
            "it reads 'elsewhere.sums', which is not installed",
        )


def test_what_was_computed_at_some_checkpoints_is_there_at_those(variant: BoundVariant) -> None:
    variant.analyze("here.power", steps=[0, 20])
    availability = view(variant, "here.power")
    assert (availability.state, availability.step, availability.earlier) == ("there", 20, True)
    assert analyzer(variant, "here.power").steps == (0, 20)


def test_of_a_variant_that_was_never_trained_nothing_is_there(place: Any) -> None:
    fresh = place.variant("toy.sum", seed=7)
    availability = view(fresh, "here.late")
    assert (availability.state, availability.reason) == ("missing", "it was never trained here")


@pytest.fixture
def told(
    variant: BoundVariant, offer: Callable[[str, str], None], command: Run, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """The command over the two variants, with the records above installed."""
    monkeypatch.setitem(sys.modules, "records_of_here", sys.modules[__name__])
    offer("toy", "miscope.testing.toy")
    offer("here", "records_of_here")
    return lambda *words: command("-w", variant.workspace.root, *words)


def rows(table: str) -> dict[str, str]:
    return {line.split()[0]: " ".join(line.split()) for line in table.splitlines() if line.startswith("here.")}


def test_the_views_are_listed_for_a_variant_with_the_reason_where_there_is_none(
    told: Run, variant: BoundVariant
) -> None:
    variant.analyze("here.power", steps=[0, 20])
    code, out, err = told("views", "--for", variant.name)
    assert (code, err) == (0, "")
    assert rows(out) == {
        "here.foreign": "here.foreign checkpoint cannot be read it reads 'elsewhere.sums', which is not installed",
        "here.heads": "here.heads checkpoint does not apply toy.sum has no site '*.hook_pattern'",
        "here.idle": "here.idle checkpoint not computed needs here.idle: it was never computed",
        "here.late": "here.late checkpoint yes",
        "here.power": "here.power checkpoint yes at --step 20",
        "here.reader": "here.reader checkpoint cannot be read it reads 'elsewhere.sums', which is not installed",
        "here.together": "here.together cohort does not apply it compares several variants, and this is one alone",
    }
    summary = out.splitlines()[-1]
    assert summary.endswith(f" views can be drawn for {variant.name}.") or summary.startswith("To compute")


def test_the_analyzers_are_listed_for_a_variant_by_its_slug_too(told: Run, variant: BoundVariant) -> None:
    variant.analyze("here.power", steps=[0, 20])
    code, out, _ = told("analyzers", "--for", variant.value.slug)
    assert code == 0
    assert rows(out)["here.power"] == "here.power checkpoint yes at 2 of 4 checkpoints"
    assert rows(out)["here.long"].startswith("here.long trajectory not computed it was never computed; it takes long")
    assert out.splitlines()[-1] == (
        f"To compute what is missing:  miscope analyze {variant.name} --workspace {variant.workspace.root}"
        "  (with --only NAME what takes long)"
    )


def test_one_view_for_a_variant_is_drawn_and_told_in_full(told: Run, variant: BoundVariant) -> None:
    variant.analyze("here.power", steps=[0, 20])
    name = variant.name
    assert told("views", "here.power", "--for", name)[1] == (
        f"'here.power' can be drawn for {name}.\n"
        f"To draw it:  miscope show here.power {name} --step 20 --workspace {variant.workspace.root}\n"
    )
    assert told("views", "here.late", "--for", name)[1] == (
        f"'here.late' does not apply to {name}: none of its powers is negative.\n"
        "Computing cannot bring it: the instrument needs something that the variant or its family does not have.\n"
        "`miscope views here.late` says what it needs.\n"
    )
    assert told("analyzers", "here.power", "--for", name)[1] == (
        f"'here.power' has been computed for {name} at 2 checkpoints.\n"
    )


def test_what_there_is_for_a_variant_is_json_on_demand(told: Run, variant: BoundVariant) -> None:
    variant.analyze("here.power", steps=[0, 20])
    every = {one["name"]: one for one in json.loads(told("analyzers", "--for", variant.name, "--json")[1])}
    assert every["here.power"]["steps"] == [0, 20]
    assert (every["here.long"]["state"], every["here.heads"]["state"]) == ("missing", "inapplicable")
    assert json.loads(told("views", "here.power", "--for", variant.name, "--json")[1]) == {
        "name": "here.power",
        "grain": "checkpoint",
        "state": "there",
        "reason": "",
        "message": "",
        "command": "",
        "step": 20,
    }


def test_several_variants_are_asked_of_what_compares(told: Run, variant: BoundVariant) -> None:
    both = ("--for", variant.name, "--for", "toy.sum/v5-seed1-width16")
    assert rows(told("views", *both)[1]) == {
        "here.together": "here.together cohort not computed needs here.together: it was never computed"
    }
    assert told("views", "here.late", *both) == (
        1,
        "",
        "'here.late' compares no variants, and several are named.\n"
        "It is of checkpoint grain and looks at one.\n"
        "Name one with --for.\n",
    )


def test_a_variant_that_is_not_there_is_a_three_part_error(told: Run, variant: BoundVariant) -> None:
    code, out, err = told("views", "--for", "toy.sum/v5-seed3-width16")
    assert (code, out) == (1, "")
    assert err == (
        "There is no variant named 'toy.sum/v5-seed3-width16'.\n"
        "Did you mean 'toy.sum/v5-seed1-width16'?\n"
        f"{variant.workspace.root} holds 2 variants: toy.sum/v5-seed0-width16, toy.sum/v5-seed1-width16.\n"
    )
