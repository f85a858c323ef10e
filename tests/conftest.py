"""What tests across packages share: every plug-in that is shipped, and what the documentation says of its families."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import plotly.graph_objects as go
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shipped() -> Mapping[str, object]:
    """The plug-ins' modules by their names in tables."""
    import miscope_lal
    import miscope_modadd
    import miscope_sae
    import miscope_toys
    import miscope_views

    return {
        "modadd": miscope_modadd,
        "toys": miscope_toys,
        "lal": miscope_lal,
        "sae": miscope_sae,
        "views": miscope_views,
    }


@pytest.fixture(scope="session")
def documented_coverage() -> Mapping[str, Mapping[str, str]]:
    """Of each family, for every view '' or the sentence why it does not draw it: what the catalogue's page says."""
    return json.loads((ROOT / "docs" / "examples" / "coverage.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def small_sizes() -> Mapping[str, Mapping[str, Any]]:
    """The parameters of each family at which that was found out."""
    return runpy.run_path(str(ROOT / "docs" / "draw_examples.py"))["SMALL"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What a family gets of the catalogue, and the figures that it has."""

    reasons: Mapping[str, str]
    """For every view '' or the sentence why it is not drawn."""
    over_training: Mapping[str, go.Figure]
    """Of views over the training of one variant or several."""
    of_one: Collection[str]
    """Names of those of one variant over its training."""
    figures: Mapping[str, go.Figure]


@pytest.fixture(scope="session")
def covered(shipped: Mapping[str, object], small_sizes: Mapping[str, Mapping[str, Any]]) -> Callable[[str], Seen]:
    """covered(family): what is found anew."""
    from miscope import Grain
    from miscope.testing import coverage, tables

    plugins = tables(**shipped)

    def look(family: str) -> Seen:
        figures: dict[str, go.Figure] = {}
        reasons = coverage(plugins.families[family], plugins, small_sizes[family], see=figures.__setitem__)
        spanning = {name: each for name, each in figures.items() if plugins.views[name].grain is not Grain.CHECKPOINT}
        of_one = [name for name in spanning if plugins.views[name].grain is Grain.TRAJECTORY]
        return Seen(reasons=reasons, figures=figures, over_training=spanning, of_one=of_one)

    return look


@pytest.fixture(scope="module")
def seen(family: str, covered: Callable[[str], Seen]) -> Seen:
    """What there is of the `family` of a file; one family after the other."""
    return covered(family)


WITHOUT_STEPS = {
    "cohort.clusters": "runs are compared with each other, at the last checkpoint of each",
    "cohort.learning": "the same, by what they had learnt",
    "cohort.quality": "the same, by their endings",
    "cohort.spectra": "the same, by the power of components",
    "cohort.table": "a table",
    "cohort.weights": "runs are compared with each other, at the last checkpoint of each",
    "connectivity.seeds": "the line between the last checkpoints of two runs",
    "dynamics.modes": "eigenvalues of one map that takes every checkpoint to the next",
    "gradients.initialisation": "the first checkpoint alone",
    "learning.cartography": "a point for each input, of all checkpoints together",
    "learning.order": "of two factors a map of them, whose colours are steps",
    "parameters.variance": "shares of components of the whole path",
    "provenance.settings": "a table",
    "routing.untrained": "the last checkpoint beside draws that were never trained",
    "sae.agreement": "autoencoders of several seeds, at the last checkpoint of each",
    "sae.births_agreed": "births by the checkpoints of what crosscoders are built on, and not of their own training",
    "sae.codability": "steps of what autoencoders are built on, and not of their own training",
    "sae.transfer": "the same",
    "summary.classification": "a table",
}
"""Views over training that can be marked at no step, and why."""

OF_TWO_STEPS = {"connectivity.barriers", "integrity.distances", "parameters.proximity"}
"""Views whose axes both count steps: what they show belongs to two of them, and is told on hovering."""


HEAT, TABLE = "heat maps would hide each other", "tables would hide each other"
APART = {
    **dict.fromkeys(
        (
            *("attention.entropy", "behaviour.by_class", "connectivity.barriers", "factors.components"),
            *("flatness.slice", "gradients.spectrum", "integrity.distances", "learning.order"),
            *("neurons.clusters", "neurons.specialisation", "parameters.proximity", "products.answers_map"),
            *("products.inputs_map", "ranks.scree", "scores.circuits_map", "scores.map", "spectra.embedding_map"),
        ),
        HEAT,
    ),
    **dict.fromkeys(("provenance.settings", "summary.classification"), TABLE),
}
"""Views over one run's training of which two cannot be seen in one figure, and why."""


@pytest.fixture(scope="session")
def apart() -> Callable[..., dict[str, str]]:
    """apart(seen, known=APART): views over one run's training that are not laid over themselves though they should be,
    or are though `known` says why not, and what they say; each view is tried once in a session."""
    from miscope.figures.comparing.compared_figure import ComparedFigure, NotCompared
    from miscope.figures.comparing.overlay import overlay

    tried: dict[str, str | None] = {}

    def said(figure: go.Figure) -> str | None:
        pair = zip(("seed=1", "seed=2"), ("#0072B2", "#D55E00"), strict=True)
        laid = overlay([ComparedFigure(label=label, colour=colour, figure=figure) for label, colour in pair])
        return laid.reason if isinstance(laid, NotCompared) else None

    def of(seen: Seen, known: Mapping[str, str] = APART) -> dict[str, str]:
        found = {}
        for name in seen.of_one:
            if name not in tried:
                tried[name] = said(seen.figures[name])
            if (reason := tried[name]) != known.get(name):
                found[name] = reason or f"is laid over, though it was said: {known[name]}"
        return found

    return of


LEAST, FARTHEST = 60, 40
"""Pixels that a panel is wide and high at least, and that a square map is from its colour bar at most."""


@pytest.fixture(scope="session")
def cramped() -> Callable[[Seen], dict[str, list[str]]]:
    """cramped(seen): figures in which something lies on something, is too small, or far from what belongs to it, in the
    narrowest and in the widest card."""
    from miscope.testing.figure_layout import Frame, crowded, far_from_bar, framed, panel_sizes

    def faults(figure: go.Figure) -> list[str]:
        traces, layout = [trace.to_plotly_json() for trace in figure.data], figure.layout.to_plotly_json()
        frame = framed(layout)
        small = [name for name, sides in panel_sizes(layout, frame).items() if min(sides) < LEAST]
        far = far_from_bar(traces, layout, Frame(900, 400, right=100)) > FARTHEST
        found = [*crowded(traces, layout, frame), *(f"panel {name} is too small" for name in small)]
        return found + ["the map is far from its colour bar"] * far

    def of(seen: Seen) -> dict[str, list[str]]:
        plane = {name: each for name, each in seen.figures.items() if any("xaxis" in trace for trace in each.data)}
        return {name: found for name, each in plane.items() if (found := faults(each))}

    return of


@pytest.fixture(scope="session")
def without_steps() -> Mapping[str, str]:
    """Views over training that can be marked at no step, and why."""
    return WITHOUT_STEPS


def _is_drawn(trace: Any) -> bool:
    return "mode" not in trace or trace.mode != "text"


@pytest.fixture(scope="session")
def unmarked() -> Callable[[Seen], dict[str, str]]:
    """unmarked(seen): views over training that could show where a step is, or what they are worth there, and do not."""
    from miscope.testing.step_marks import marks_steps, tells_values

    def of(seen: Seen) -> dict[str, str]:
        drawn = {name: each for name, each in seen.over_training.items() if name not in WITHOUT_STEPS}
        found = {name: "no step is marked" for name, each in drawn.items() if not marks_steps(each)}
        # What says in words that there is nothing to draw has no value.
        plain = {name: each for name, each in drawn.items() if any(_is_drawn(trace) for trace in each.data)}
        silent = [name for name, each in plain.items() if name not in OF_TWO_STEPS and not tells_values(each)]
        return {name: "no value is told" for name in silent} | found

    return of
