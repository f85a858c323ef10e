"""One small workspace for all tests of reports: three seeds, trained and looked at, and instruments that say things."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import plotly.graph_objects as go
import pytest

from miscope import Analyzer, Grain, Needs, Observation, ObservedArtifact, View, ViewData, hookimpl
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue
from miscope.testing import tables

ANALYZERS = ("events.grokking", "behaviour.metrics", "behaviour.calibration", "parameters.norms", "small.broken")


def squares(snapshot: object) -> dict[str, object]:
    """Nothing but what it reads."""
    import numpy as np

    return {"one": np.array(1.0)}


def fails(seen: ObservedArtifact) -> Sequence[Observation]:
    raise RuntimeError("there is a mistake in it")


def step_shown(shown: ViewData) -> go.Figure:
    """A dot as high as the step; its name tries to end the script that it is in."""
    return go.Figure(go.Scatter(x=[0], y=[shown.step], name="</script><script>alert(1)</script>"))


def all_losses(shown: ViewData, *, align: str = "step") -> go.Figure:
    """A line for each variant."""
    lines = [go.Scatter(y=member.shown.metrics["train_loss"].values, name=member.label) for member in shown.members]
    return go.Figure(lines)


def own_losses(shown: ViewData) -> go.Figure:
    """A line for each loss."""
    return go.Figure([go.Scatter(y=series.values, name=name) for name, series in shown.metrics.items()])


def refused(shown: ViewData) -> go.Figure:
    """Nothing, for three reasons."""
    raise BadValue("It cannot be aligned.", "None of them generalised.", "Align by memorised.")


def mistaken(shown: ViewData) -> go.Figure:
    """Nothing."""
    raise ZeroDivisionError("by what?")


ONCE = ({},)
VIEWS = (
    View(name="small.step", title="Step <b>shown</b>", grain=Grain.CHECKPOINT, draw=step_shown, in_reports=ONCE),
    View(
        name="small.losses",
        title="Losses",
        grain=Grain.COHORT,
        draw=all_losses,
        needs=Needs(metrics=("train_loss",)),
        in_reports=ONCE,
    ),
    View(
        name="small.velocity",
        title="Velocity",
        grain=Grain.TRAJECTORY,
        draw=step_shown,
        needs=Needs(reads=("parameters.velocity",)),
        in_reports=ONCE,
    ),
    View(name="small.mistaken", title="Mistaken", grain=Grain.TRAJECTORY, draw=mistaken, in_reports=ONCE),
    View(
        name="behaviour.losses", title="Loss", grain=Grain.TRAJECTORY, draw=own_losses, needs=Needs(metrics=("*_loss",))
    ),
    View(
        name="behaviour.compare",
        title="Losses of several",
        grain=Grain.COHORT,
        draw=all_losses,
        needs=Needs(metrics=("*_loss",)),
    ),
    View(name="small.refused", title="Refused", grain=Grain.COHORT, draw=refused, in_reports=ONCE),
    View(name="small.unasked", title="Unasked", grain=Grain.CHECKPOINT, draw=step_shown),
)
BROKEN = Analyzer(name="small.broken", version=1, grain=Grain.CHECKPOINT, compute=squares, observe=fails)


def small() -> ModuleType:
    module = ModuleType("small")
    module.miscope_views = hookimpl(lambda: VIEWS)  # type: ignore[attr-defined]
    module.miscope_analyzers = hookimpl(lambda: [BROKEN])  # type: ignore[attr-defined]
    return module


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> BoundWorkspace:
    return open_bound(tmp_path_factory.mktemp("reports") / "ws", tables(small=small()))


@pytest.fixture(scope="package")
def seeds(place: BoundWorkspace) -> list[BoundVariant]:
    variants = [place.variant("toy.sum", seed=seed) for seed in (0, 1, 2)]
    for variant in variants:
        list(variant.train(threads=1))
        variant.analyze(*ANALYZERS)
    return variants
