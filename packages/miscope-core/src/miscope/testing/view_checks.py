"""Whether a view keeps the contract: it draws real data with every control turned, and changes nothing it is shown."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from miscope.view import Choice, Number, Shown, View

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.plugins import Plugins
    from miscope.testing.staging import Scene

__all__ = ["check_view"]

_SOME = 12
"""Names of a choice that are tried: all of a short list, the first of a long one."""


def check_view(
    view: View,
    family: Family | None = None,
    *,
    plugins: Plugins | None = None,
    params: Mapping[str, Any] | None = None,
) -> None:
    """Assert that a view is documented, draws a figure for every value of its controls on a really trained and
    analyzed variant, and draws the same twice.

    family: None takes the toy families, of which one must give the view what it needs. plugins: tables that hold the
    analyzers it reads; None takes those of core. params: of the family.
    """
    from miscope.errors import DoesNotApply
    from miscope.testing.staging import scene, tables
    from miscope.testing.toy import ToyFamily, ToyFourierFamily

    assert view.summary, f"{view.name}: its drawing function needs a docstring, whose first line is its summary"
    assert view.title, f"{view.name}: it needs a title"
    reasons = []
    for candidate in [family] if family is not None else [ToyFourierFamily(), ToyFamily()]:
        found = plugins or tables(*((view,) if family is None else (view, family)))
        with scene(candidate, found, params) as place:
            try:
                _analyze(place, view)
                _check_drawing(place, view)
                return
            except DoesNotApply as error:
                reasons.append(str(error))
    raise AssertionError(f"{view.name} has nothing to draw.\n" + "\n".join(reasons))


def _analyze(place: Scene, view: View) -> None:
    from miscope.analysis import analyze
    from miscope.errors import DoesNotApply, UnknownName
    from miscope.outcome import State

    variants = [variant.value for variant in place.variants]
    needed = [*dict.fromkeys((*view.reads, *view.history))]
    for outcome in analyze(place.workspace, variants, needed) if needed else ():
        assert outcome.state in (State.SAVED, State.PRESENT), f"{outcome.analyzers}: {outcome.error}\n{outcome.trace}"
    for name in view.optional:
        try:
            for _ in analyze(place.workspace, variants, [name]):
                pass
        except (DoesNotApply, UnknownName):
            continue


def _check_drawing(place: Scene, view: View) -> None:
    from miscope.analyzer import Grain
    from miscope.rendering import draw, gather

    values = [variant.value for variant in place.variants]
    shown = gather(place.workspace, view, values if view.grain is Grain.COHORT else values[0])
    first, second = draw(view, shown, {}), draw(view, shown, {})
    assert tuple(first.data), f"{view.name} draws nothing: its figure has no trace"
    assert first.to_json() == second.to_json(), f"{view.name} draws another figure the second time"
    for controls in _turns(view, shown):
        figure = draw(view, shown, controls)
        assert tuple(figure.data), f"{view.name} draws nothing with {controls}"
        json.loads(str(figure.to_json()))


def _turns(view: View, shown: Shown) -> Iterator[dict[str, Any]]:
    """Each control turned to each of its values, the others at their defaults."""
    from miscope.controls import bounds, options

    for control in view.controls:
        if isinstance(control, Choice):
            offered = options(control, shown)
            assert control.default is None or control.default in offered, (
                f"{view.name}: the default {control.default!r} of {control.name!r} is not among {', '.join(offered)}"
            )
            values: tuple[Any, ...] = offered[:_SOME]
        elif isinstance(control, Number):
            least, greatest = bounds(control, shown)
            values = (least, greatest) if math.isfinite(greatest) else (least,)
        else:
            values = (False, True)
        yield from ({control.name: value} for value in values)
