"""What a family gets of the catalogue: for every view a figure, or the sentence why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.family import Family
    from miscope.plugins.plugins import Plugins
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["coverage", "coverage_of"]

STEPS = 14
"""Updates of the small trainings: eight checkpoints, an equal gap apart, are the fewest that every view can draw."""


def coverage(
    family: Family,
    plugins: Plugins,
    params: Mapping[str, Any] | None = None,
    *,
    see: Callable[[str, Figure], object] | None = None,
) -> dict[str, str]:
    """View name -> '' where it draws a figure of the family, else why it does not apply; every view of the tables.

    Trains two small variants and computes every instrument of the first; of the second only what compares them looks
    at. Those that wait to be asked for take long: they look at the first and the last checkpoint alone, where they take
    them one by one. see: is given the name of each view that draws, and its figure. Raises AssertionError where an
    instrument fails, where a view neither draws nor says why, and where the tables hold no view.
    """
    assert plugins.views, (
        "the tables hold no view that could be drawn: give them some, as in tables(mine=module, views=miscope_views)"
    )
    from miscope.testing.staging import scene

    with scene(family, plugins, params, steps=STEPS, optimizer=True) as place:
        return coverage_of(place.workspace, [variant.value for variant in place.variants], see=see)


def coverage_of(
    workspace: Workspace, variants: Sequence[Variant], *, see: Callable[[str, Figure], object] | None = None
) -> dict[str, str]:
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
            if see is not None:
                see(name, figure)
        except DoesNotApply as error:
            reasons[name] = error.reason
    return reasons


def _analyze(workspace: Workspace, variants: Sequence[Variant]) -> None:
    from miscope.analysis.analyze import analyze
    from miscope.analyzer import Grain
    from miscope.errors import DoesNotApply
    from miscope.outcome import State

    taken = workspace.store.steps(variants[0].name)
    asked: list[tuple[Sequence[Variant], list[str] | None, list[int] | None]] = [(variants[:1], None, None)]
    asked += [(variants, _comparing(workspace.plugins), None)] if len(variants) > 1 else []
    for name, analyzer in workspace.plugins.analyzers.items():
        if analyzer.opt_in:
            shown = variants if analyzer.grain is Grain.COHORT else variants[:1]
            ends = sorted({taken[0], taken[-1]}) if analyzer.grain is Grain.CHECKPOINT else None
            asked.append((shown, [name], ends))
    for shown, names, steps in asked:
        try:
            for outcome in analyze(workspace, shown, names, steps=steps):
                bad = outcome.state in (State.FAILED, State.NOT_TRIED)
                assert not bad, f"{outcome.analyzers} at {outcome.step}: {outcome.error}\n{outcome.trace}"
        except DoesNotApply:
            continue


def _comparing(plugins: Plugins) -> list[str]:
    """The instruments that look at several variants, and those of each that views of several look at; none that wait
    to be asked for."""
    from miscope.analyzer import Grain

    names = [name for name, analyzer in plugins.analyzers.items() if analyzer.grain is Grain.COHORT]
    views = [view for view in plugins.views.values() if view.grain is Grain.COHORT]
    names += [name for view in views for name in view.needs.artifacts]
    return [name for name in dict.fromkeys(names) if _unasked(plugins, name)]


def _unasked(plugins: Plugins, name: str) -> bool:
    """Whether it is computed without being named: with all that it reads it is there, and none of it waits."""
    from miscope.analysis.planning import resolve
    from miscope.errors import UnknownName

    try:
        return not any(analyzer.opt_in for analyzer in resolve(plugins.analyzers, [name]).values())
    except UnknownName:
        return False
