"""Analyzers and views declare what they need in one way, and are told in the same words where it is not there."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plotly.graph_objects import Figure, Scatter

from miscope.analysis.analyze import analyze
from miscope.analyzer import Analyzer, Grain
from miscope.bound import BoundWorkspace, open_bound
from miscope.errors import DoesNotApply, NotDeclared
from miscope.figures.render import gather, render
from miscope.needs import Needs
from miscope.plugins.record_checks import fault
from miscope.testing import tables
from miscope.view import View


def compute(shown: Any) -> dict[str, np.ndarray]:
    """Nothing."""
    return {"x": np.zeros(1)}


def draw(shown: Any) -> Figure:
    """Nothing but a point."""
    return Figure(Scatter(x=[0], y=[0]))


def both(needs: Needs, grain: Grain = Grain.TRAJECTORY) -> tuple[Analyzer, View]:
    """An analyzer and a view that need the same."""
    return (
        Analyzer(name="same.analyzer", version=1, grain=grain, compute=compute, needs=needs),
        View(name="same.view", title="Same", grain=grain, draw=draw, needs=needs),
    )


def trained(folder: Path, *records: Any) -> BoundWorkspace:
    """A workspace with one toy, trained."""
    workspace = open_bound(folder / "w", tables(*records))
    list(workspace.variant("toy.sum").train(threads=1, steps=10))
    return workspace


LACKING = {
    "toy.sum has no site '*.hook_pattern'": Needs(sites=("*.hook_pattern",)),
    "toy.sum has no weights 'W_Q' and no 'W_K'": Needs(weights=("W_E", "W_Q|W_K")),
    "the probe 'grid' of toy.sum has no column 'colour'": Needs(columns=("a", "colour")),
    "it needs a probe that enumerates 3 factors, and 'grid' has 2": Needs(grid=3),
    "toy.sum gives no task basis over the right answers": Needs(answer_basis=True),
    "no metric like 'perplexity_*' was recorded": Needs(metrics=("perplexity_*",)),
}


@pytest.mark.parametrize(("reason", "needs"), LACKING.items(), ids=list(LACKING))
def test_an_analyzer_and_a_view_are_told_the_same_of_what_is_lacking(tmp_path: Path, reason: str, needs: Needs) -> None:
    analyzer, view = both(needs)
    workspace = trained(tmp_path, analyzer, view)
    (variant,) = workspace.variants()
    with pytest.raises(DoesNotApply) as computed:
        analyze(workspace.value, variant.value, [analyzer.name])
    with pytest.raises(DoesNotApply) as drawn:
        render(workspace.value, view, variant.value)
    assert computed.value.reason == drawn.value.reason == reason


def test_what_is_said_of_an_analyzer_is_the_same_before_and_after_one_tries(tmp_path: Path) -> None:
    """Also where it lacks something itself, and what it reads does too."""
    lower = Analyzer(
        name="same.lower", version=1, grain=Grain.CHECKPOINT, compute=compute, needs=Needs(sites=("*.hook_pattern",))
    )
    upper = Analyzer(
        name="same.upper",
        version=1,
        grain=Grain.TRAJECTORY,
        compute=compute,
        needs=Needs(reads=(lower.name,), columns=("colour",)),
    )
    workspace = trained(tmp_path, lower, upper)
    (variant,) = workspace.variants()
    with pytest.raises(DoesNotApply) as tried:
        analyze(workspace.value, variant.value, [upper.name])
    with pytest.raises(DoesNotApply) as read:
        variant.arrays(upper.name)
    assert tried.value.reason == read.value.reason


def test_a_view_is_given_what_it_declares_and_nothing_else(tmp_path: Path) -> None:
    _, view = both(Needs(weights=("W_E",), metrics=("train_*",), bases=("token",)), Grain.CHECKPOINT)
    workspace = trained(tmp_path, view)
    (variant,) = workspace.variants()
    shown = gather(workspace.value, view, variant.value)
    assert (set(shown.weights), set(shown.metrics)) == ({"W_E"}, {"train_loss", "train_accuracy"})
    assert "token" not in shown.bases
    for given, name in ((shown.weights, "W_U"), (shown.metrics, "test_loss"), (shown.bases, "sum")):
        with pytest.raises(NotDeclared, match=f"'same.view' read the \\w+ '{name}' without declaring it"):
            given[name]


@pytest.mark.parametrize("field", ["optional", "history"])
def test_an_analyzer_reads_only_what_must_be_there(field: str) -> None:
    analyzer, _ = both(Needs(**{field: ("parameters.norms",)}))
    assert fault("analyzer", analyzer) == f"its needs name `{field}`, and no analyzer is given that"


@pytest.mark.parametrize("field", ["optimizer", "gradients", "objective", "model", "facts", "sources", "same_probe"])
def test_a_view_computes_nothing(field: str) -> None:
    _, view = both(Needs(**{field: True}))
    assert fault("view", view) == f"its needs name `{field}`, and no view is given that"


def test_needs_that_are_none_are_a_fault() -> None:
    analyzer, view = both({"weights": ("W_E",)})  # pyright: ignore[reportArgumentType]
    for kind, record in (("analyzer", analyzer), ("view", view)):
        assert fault(kind, record) == "its `needs` must be a miscope.Needs, and is {'weights': ('W_E',)}"


def test_neither_an_analyzer_nor_a_view_has_a_need_beside_its_needs() -> None:
    needs = {field.name for field in fields(Needs)}
    assert not needs & {field.name for kind in (Analyzer, View) for field in fields(kind)}
