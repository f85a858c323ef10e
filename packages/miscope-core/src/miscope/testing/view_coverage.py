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

    Trains two small variants and computes every instrument, those that wait to be asked for too: of one checkpoint at
    three checkpoints of the first variant alone. Raises AssertionError where an instrument fails, where a view neither
    draws nor says why, and where the tables hold no view.
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
    from miscope.analyzer import Grain
    from miscope.errors import DoesNotApply
    from miscope.outcome import State

    asked: list[tuple[Sequence[Variant], list[str] | None, list[int] | None]] = [(variants, None, None)]
    for name, analyzer in workspace.plugins.analyzers.items():
        if analyzer.opt_in and analyzer.grain is Grain.CHECKPOINT:
            asked.append((variants[:1], [name], _few(workspace.store.steps(variants[0].name))))
        elif analyzer.opt_in:
            asked.append((variants, [name], None))
    for shown, names, steps in asked:
        try:
            for outcome in analyze(workspace, shown, names, steps=steps):
                bad = outcome.state in (State.FAILED, State.NOT_TRIED)
                assert not bad, f"{outcome.analyzers} at {outcome.step}: {outcome.error}\n{outcome.trace}"
        except DoesNotApply:
            continue


def _few(steps: Sequence[int]) -> list[int]:
    """The first, the middle and the last: what takes long is drawn over training by as many."""
    return sorted({steps[0], steps[len(steps) // 2], steps[-1]})
