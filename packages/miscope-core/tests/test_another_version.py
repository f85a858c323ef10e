"""What an analyzer of another version computed: it is not read, and not said to be missing altogether."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope import Analyzer, Grain, Needs, View, hookimpl
from miscope.bound import BoundVariant, BoundWorkspace
from miscope.errors import NoArtifact
from miscope.figures.availability import view_availability
from miscope.figures.comparing.same_inputs import same_inputs

Make = Callable[..., BoundWorkspace]


def module(power: int, course: int = 1) -> types.ModuleType:
    """A plug-in whose analyzers have these versions."""
    found = types.ModuleType("outdated")
    over, needs = Grain.TRAJECTORY, Needs(weights=("W_E",))
    analyzers = [
        Analyzer(name="t.power", version=power, grain=Grain.CHECKPOINT, compute=ones, needs=needs),
        Analyzer(name="t.course", version=course, grain=over, compute=ones, needs=Needs(reads=("t.power",))),
    ]
    view = View(name="t.power", title="P", grain=Grain.CHECKPOINT, draw=drawn, needs=Needs(reads=("t.power",)))
    found.miscope_analyzers = hookimpl(lambda: analyzers)  # type: ignore[attr-defined]
    found.miscope_views = hookimpl(lambda: [view])  # type: ignore[attr-defined]
    return found


def ones(shown: Any) -> dict[str, np.ndarray]:
    """One number."""
    return {"one": np.ones(())}


def drawn(shown: Any) -> go.Figure:
    """Nothing."""
    return go.Figure()


@pytest.fixture
def variant(workspace: Make) -> BoundVariant:
    """Trained, and analyzed by the first versions."""
    made = workspace(t=module(1)).variant("toy.sum")
    list(made.train(threads=1, steps=10))
    list(made.analyze("t.power", "t.course"))
    return made


def known(workspace: Make, variant: BoundVariant, analyzer: str, power: int, course: int = 1) -> str:
    with pytest.raises(NoArtifact) as error:
        workspace(t=module(power, course)).find(variant.name).arrays(analyzer)
    return error.value.known


def test_a_card_says_which_version_computed_it_and_how_to_compute_it_anew(workspace: Make, variant: BoundVariant):
    later = workspace(t=module(2))
    with pytest.raises(NoArtifact) as error:
        later.find(variant.name).at(10).arrays("t.power")
    assert str(error.value) == (
        f"No 't.power' for {variant.name} at step 10.\n"
        "It was computed by version 1; installed is 2.\n"
        f"To compute it:  miscope analyze {variant.name} --only t.power --workspace {later.root}"
    )


def test_so_it_is_told_of_a_later_version_and_of_one_that_it_reads(workspace: Make, variant: BoundVariant):
    assert known(workspace, variant, "t.course", 1, 4) == "It was computed by version 1; installed is 4."
    reads = "It was computed with version 1 of 't.power', which it reads; installed is 2."
    assert known(workspace, variant, "t.course", 2) == reads
    list(workspace(t=module(3)).find(variant.name).analyze("t.power"))
    assert known(workspace, variant, "t.power", 2) == "It was computed by version 3; installed is 2."


def test_where_several_things_were_otherwise_no_version_is_named(workspace: Make, variant: BoundVariant):
    words = "It was computed before the analyzer, or what it reads, was as it is now."
    assert known(workspace, variant, "t.course", 2, 2) == words


def test_the_catalogue_says_the_same(workspace: Make, variant: BoundVariant):
    later = workspace(t=module(2)).value
    found = view_availability(later, later.plugins.views["t.power"], [variant.value])
    assert found.reason == "needs t.power: it was computed by version 1; installed is 2"


def test_of_compared_variants_it_is_said_which_has_another_version(workspace: Make, variant: BoundVariant):
    later = workspace(t=module(2))
    other = later.variant("toy.sum", seed=1)
    list(other.train(threads=1, steps=10))
    list(other.analyze("t.power"))
    both = [later.find(variant.name).value, other.value]
    found = same_inputs(later.value, later.value.plugins.views["t.power"], both)
    assert found.outdated == ("seed=0, t.power: it was computed by version 1; installed is 2.",)
    list(later.find(variant.name).analyze("t.power"))
    assert same_inputs(later.value, later.value.plugins.views["t.power"], both).outdated == ()


def test_of_what_the_installed_version_computed_over_other_checkpoints_it_is_not_said(
    workspace: Make, variant: BoundVariant
):
    now = workspace(t=module(1))
    again = now.store.load_checkpoint(variant.name, 10)
    now.store.save_checkpoint(variant.name, replace(again, step=12))
    course = View(name="t.course", title="C", grain=Grain.TRAJECTORY, draw=drawn, needs=Needs(reads=("t.course",)))
    assert same_inputs(now.value, course, [now.find(variant.name).value]).outdated == ()
    assert known(workspace, variant, "t.course", 1).startswith("It exists over ")
