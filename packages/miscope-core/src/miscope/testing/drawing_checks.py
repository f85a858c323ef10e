"""Whether a view draws what it is shown: whole, with gaps, of one checkpoint alone, and without what is optional."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.analysis.input_guard import fingerprint
from miscope.analyzer import Grain
from miscope.errors import BadValue, DoesNotApply, MiscopeError, NoArtifact, WroteIntoShown
from miscope.testing.generators import draw_from_all
from miscope.testing.staging import copied

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.artifact import Arrays
    from miscope.testing.staging import Scene
    from miscope.variant import Variant
    from miscope.view import View, ViewData

__all__ = ["check_alone", "check_elsewhere", "check_turned"]

_FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def check_alone(place: Scene, view: View) -> ViewData:
    """What the view is shown of the variants with all that it reads; drawn first without what is only optional."""
    variants = [variant.value for variant in place.variants]
    _compute(place, view, variants, [*dict.fromkeys((*view.needs.reads, *view.needs.history))])
    if view.needs.optional:
        bare = _gathered(place, view, variants)
        _drawn(view, bare, {}, f" where nothing optional was computed ({', '.join(view.needs.optional)})")
        _compute(place, view, variants, view.needs.optional)
    return _gathered(place, view, variants)


def check_turned(view: View, shown: ViewData, turns: Iterable[Mapping[str, Any]]) -> None:
    """Assert that it draws the same twice, and something with each of these controls."""
    weights = {name: fingerprint(tensor) for name, tensor in shown.weights.items()}
    first = _drawn(view, shown, {})
    draw_from_all()
    second = _drawn(view, shown, {})
    assert first.to_json() == second.to_json(), f"{view.name} draws another figure the second time"
    title = first.layout.title.text  # pyright: ignore[reportAttributeAccessIssue]
    assert (title or "").strip(), f"{view.name}: the title of its figure is empty"
    _check_counted(view, shown, first)
    for controls in turns:
        _check_counted(view, shown, _drawn(view, shown, controls, f" with {controls}"))
    changed = [name for name, tensor in shown.weights.items() if fingerprint(tensor) != weights[name]]
    assert not changed, (
        f"{view.name} changed what it was shown: weights {', '.join(map(repr, changed))}; copy before writing"
    )


def _check_counted(view: View, shown: ViewData, figure: Any) -> None:
    """Assert that an axis of a training's steps says so: there the cursor is drawn, and a click moves it."""
    if view.grain is not Grain.TRAJECTORY:
        return
    told, layout = figure.layout.meta["miscope"], figure.layout.to_plotly_json()
    counting = {*told["time_axes"], *told.get("aligned", {}).get("axes", ())}
    for key, axis in layout.items():
        match = re.fullmatch(r"([xy])axis(\d*)", key)
        text = (axis.get("title") or {}).get("text") or "" if match else ""
        if match and re.match(rf"{re.escape(shown.step_label)}\b", text):
            assert "".join(match.groups()) in counting, (
                f"{view.name}: the axis {key} is titled {text!r} and is none of those that count steps; "
                f"say time_axis={match[1]!r}, or name it in layout.meta['time_axes']"
            )


def check_elsewhere(place: Scene, view: View, shown: ViewData) -> None:
    """Assert that it draws, or raises DoesNotApply, where numbers are NaN and where there is one checkpoint."""
    variants = [variant.value for variant in place.variants]
    other = shown if view.grain is Grain.COHORT or len(variants) == 1 else _gathered(place, view, variants[1:])
    _draws_or_refuses(view, _with_gaps(shown, other), " where its numbers are NaN")
    lone = [copied(run, "first", [next(iter(run.checkpoints))]).value for run in place.variants]
    try:
        _compute(place, view, lone, [*view.needs.reads, *view.needs.history, *view.needs.optional])
        alone = _gathered(place, view, lone)
    except (AssertionError, DoesNotApply, NoArtifact):
        return
    _draws_or_refuses(view, alone, f" where there is the checkpoint of step {place.variants[0].steps[0]} alone")


def _draws_or_refuses(view: View, shown: ViewData, where: str) -> None:
    with suppress(DoesNotApply), warnings.catch_warnings(action="ignore"):  # numpy warns of a mean of nothing
        _drawn(view, shown, {}, where, empty=True)


def _drawn(view: View, shown: ViewData, controls: Mapping[str, Any], where: str = "", *, empty: bool = False) -> Figure:
    """The figure, if it is one that can be sent to a browser; `empty`: also without a trace."""
    from miscope.figures.render import draw

    try:
        figure = draw(view, shown, controls)
        json.loads(str(figure.to_json()))
    except WroteIntoShown as error:
        message = f"{view.name} changed what it was shown: {', '.join(error.what)}; copy before writing"
        raise AssertionError(message) from error
    except BadValue as error:
        raise AssertionError(str(error)) from error
    except MiscopeError:
        raise
    except _FAILURES as error:
        raise AssertionError(
            f"{view.name} fails{where}: {type(error).__name__}: {error}.\nRaise DoesNotApply for what cannot be drawn."
        ) from error
    assert empty or tuple(figure.data), f"{view.name} draws nothing{where}: its figure has no trace"
    return figure


def _compute(place: Scene, view: View, variants: Sequence[Variant], names: Sequence[str]) -> None:
    """Compute what is named; what is only optional may not apply, or not be installed."""
    from miscope.analysis.analyze import analyze
    from miscope.errors import UnknownName
    from miscope.outcome import State

    for name in dict.fromkeys(names):
        try:
            outcomes = list(analyze(place.workspace, variants, [name]))
        except (DoesNotApply, UnknownName):
            if name in view.needs.optional:
                continue
            raise
        # Of a checkpoint before the first update nothing is remembered: others do.
        fine = (
            State.SAVED,
            State.PRESENT,
            *(() if all(o.state is State.SKIPPED for o in outcomes) else (State.SKIPPED,)),
        )
        bad = [each for each in outcomes if each.state not in fine]
        assert not bad or name in view.needs.optional, f"{bad[0].analyzers}: {bad[0].error}\n{bad[0].trace}"


def _gathered(place: Scene, view: View, variants: Sequence[Variant]) -> ViewData:
    from miscope.figures.render import gather

    return gather(place.workspace, view, variants if view.grain is Grain.COHORT else variants[0])


def _with_gaps(shown: ViewData, other: ViewData) -> ViewData:
    """The same with NaN for every number that is not the same of another variant too, such as the edges of bins."""
    blank = {name: replace(m, values=np.full_like(m.values, np.nan)) for name, m in shown.metrics.items()}
    members = enumerate(shown.members)
    return replace(
        shown,
        artifacts={name: _gaps(arrays, other.artifacts.get(name, {})) for name, arrays in shown.artifacts.items()},
        history={name: _gaps(arrays, other.history.get(name, {})) for name, arrays in shown.history.items()},
        metrics=blank,
        members=tuple(replace(m, shown=_with_gaps(m.shown, shown.members[i - 1].shown)) for i, m in members),
    )


def _gaps(arrays: Arrays, others: Arrays) -> dict[str, np.ndarray]:
    alone = arrays is others
    return {
        name: np.full_like(values, np.nan)
        if values.dtype.kind == "f" and (alone or not _same(values, others.get(name)))
        else values
        for name, values in arrays.items()
    }


def _same(one: np.ndarray, other: np.ndarray | None) -> bool:
    return other is not None and np.array_equal(one, other, equal_nan=True)
