"""What a family gets of the catalogue: for every view a figure, or the sentence why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.plugins import Plugins
    from miscope.workspace import BoundVariant, Workspace

__all__ = ["coverage", "coverage_of"]

STEPS = 18
"""Updates of the small trainings: nine checkpoints after the initialisation, an equal gap apart."""


def coverage(family: Family, plugins: Plugins, params: Mapping[str, Any] | None = None) -> dict[str, str]:
    """View name -> '' where it draws a figure of the family, else why it does not apply; every view of the tables.

    Trains two small variants and looks at them through every instrument, the heavy ones too. Raises AssertionError
    where an instrument fails, where a view neither draws nor says why, and where the tables hold no view.
    """
    assert plugins.views, (
        "the tables hold no view that could be drawn: give them some, as in tables(mine=module, views=miscope_views)"
    )
    from miscope.testing.staging import scene

    with scene(family, plugins, params, steps=STEPS) as place:
        return coverage_of(place.workspace, place.variants)


def coverage_of(workspace: Workspace, variants: tuple[BoundVariant, ...]) -> dict[str, str]:
    """The same for variants that are there already."""
    from miscope.errors import DoesNotApply
    from miscope.rendering import render

    _look(workspace, variants)
    found = {}
    for name, view in sorted(workspace.plugins.views.items()):
        try:
            figure = render(workspace, view, list(variants) if view.grain == "cohort" else variants[0])
            assert tuple(figure.data), f"{name} draws nothing: its figure has no trace"
            found[name] = ""
        except DoesNotApply as error:
            found[name] = error.reason
    return found


def _look(workspace: Workspace, variants: tuple[BoundVariant, ...]) -> None:
    from miscope.analysis import analyze
    from miscope.errors import DoesNotApply
    from miscope.outcome import State

    values = [variant.value for variant in variants]
    heavy = [name for name, analyzer in workspace.plugins.analyzers.items() if analyzer.heavy]
    for names in (None, *([name] for name in heavy)):
        try:
            for outcome in analyze(workspace, values, names):
                bad = outcome.state in (State.FAILED, State.NOT_TRIED)
                assert not bad, f"{outcome.analyzers} at {outcome.step}: {outcome.error}\n{outcome.trace}"
        except DoesNotApply:
            continue
