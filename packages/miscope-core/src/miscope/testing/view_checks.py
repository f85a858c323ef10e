"""Whether a view keeps the contract: it draws real data with every control turned, and changes nothing it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from miscope.plugins import record_checks
from miscope.testing.drawing_checks import check_alone, check_elsewhere, check_turned
from miscope.view import Choice, Number, View, ViewData

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.plugins.plugins import Plugins

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
    analyzed variant, and the same twice, changes nothing it is shown, and draws or raises DoesNotApply where
    there is one checkpoint alone, where numbers are NaN, and where what is optional was not computed.

    family: None takes the toy families, of which one must give the view what it needs. plugins: tables that hold the
    analyzers it reads; None takes those of core. params: of the family, and fields of its training.
    """
    from miscope.analysis.planning import resolve
    from miscope.errors import DoesNotApply
    from miscope.testing.staging import scene, tables
    from miscope.testing.toy import ToyFamily, ToyFourierFamily

    fault = record_checks.fault("view", view)
    assert fault is None, f"{record_checks.label('view', view)}: {fault}"
    assert view.summary, f"{view.name}: its drawing function needs a docstring, whose first line is its summary"
    reasons = []
    for candidate in [family] if family is not None else [ToyFourierFamily(), ToyFamily()]:
        offered = plugins or tables(*((view,) if family is None else (view, family)))
        _check_reads(view, offered)
        read = [name for name in view.needs.artifacts if name in offered.analyzers]
        remembers = any(each.needs.optimizer for each in resolve(offered.analyzers, read).values())
        with scene(candidate, offered, params, optimizer=remembers) as place:
            try:
                shown = check_alone(place, view)
            except DoesNotApply as error:
                reasons.append(str(error))
                continue
            check_turned(view, shown, _turns(view, shown))
            check_elsewhere(place, view, shown)
            return
    raise AssertionError(f"{view.name} has nothing to draw.\n" + "\n".join(reasons))


def _check_reads(view: View, plugins: Plugins) -> None:
    for name in (*view.needs.reads, *view.needs.history):
        assert name in plugins.analyzers or name in view.needs.optional, (
            f"{view.name} reads {name!r}, and no analyzer of that name is in the tables it is checked with; pass "
            "check_view `plugins` that hold it"
        )


def _turns(view: View, shown: ViewData) -> Iterator[dict[str, Any]]:
    """Each control turned to each of its values, the others at their defaults."""
    from miscope.figures.controls import bounds, options

    for control in view.all_controls:
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
