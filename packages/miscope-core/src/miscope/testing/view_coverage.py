"""What a family gets of the catalogue: for every view a figure, or the sentence why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.plugins.plugins import Plugins
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["coverage", "coverage_of"]

STEPS = 18
"""Updates of the small trainings: nine checkpoints after the initialisation, an equal gap apart."""


def coverage(family: Family, plugins: Plugins, params: Mapping[str, Any] | None = None) -> dict[str, str]:
    """View name -> '' where it draws a figure of the family, else why it does not apply; every view of the tables.

    Trains two small variants and computes every instrument, those that wait to be asked for too. Raises AssertionError
    where an instrument fails, where a view neither draws nor says why, and where the tables hold no view.
    """
    assert plugins.views, (
        "the tables hold no view that could be drawn: give them some, as in tables(mine=module, views=miscope_views)"
    )
    from miscope.testing.staging import scene

    with scene(family, plugins, params, steps=STEPS, optimizer=True) as place:
        return coverage_of(place.workspace, [variant.value for variant in place.variants])


def coverage_of(workspace: Workspace, variants: Sequence[Variant]) -> dict[str, str]:
    """The same for variants that are there already."""
    from miscope.errors import DoesNotApply
    from miscope.figures.render import render

    _analyze(workspace, variants)
    reasons = {}
    for name, view in sorted(workspace.plugins.views.items()):
        try:
            figure = render(workspace, view, variants if view.grain == "cohort" else variants[0])
            assert tuple(figure.data), f"{name} draws nothing: its figure has no trace"
            reasons[name] = ""
        except DoesNotApply as error:
            reasons[name] = error.reason
    return reasons


def _analyze(workspace: Workspace, variants: Sequence[Variant]) -> None:
    from miscope.analysis.analyze import analyze
    from miscope.errors import DoesNotApply
    from miscope.outcome import State

    opt_in = [name for name, analyzer in workspace.plugins.analyzers.items() if analyzer.opt_in]
    for names in (None, *([name] for name in opt_in)):
        try:
            for outcome in analyze(workspace, variants, names):
                bad = outcome.state in (State.FAILED, State.NOT_TRIED)
                assert not bad, f"{outcome.analyzers} at {outcome.step}: {outcome.error}\n{outcome.trace}"
        except DoesNotApply:
            continue
