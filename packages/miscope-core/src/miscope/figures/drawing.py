"""A view's own figure of what was gathered: its drawing function called, and what it gives or breaks said in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope.errors import BadValue, DoesNotApply, Ended, WroteIntoShown
from miscope.figures.recorded_points import between_steps
from miscope.figures.smoothing import laid_over, smoothed
from miscope.view import SMOOTHING, View, ViewData

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["drawn"]


def drawn(view: View, shown: ViewData, controls: Mapping[str, Any], between: tuple[float, float] | None) -> Figure:
    """What the drawing function gives, with the controls that it declares; smoothed where that is turned on.

    between: steps about which curves of very many records are drawn. They are smoothed before. Of no account where the
    figure says that none of its axes counts steps: there they show another stretch, or a fraction of all.
    """
    own = {control.name: controls[control.name] for control in view.controls}
    part = shown if between is None else between_steps(shown, between)
    figure = _drawn(view, part, own)
    if between is not None and _counts_no_steps(figure):
        return drawn(view, shown, controls, None)
    if SMOOTHING not in view.time_controls or controls[SMOOTHING.name] == SMOOTHING.options[0]:
        return figure
    smooth = smoothed(shown, int(controls[SMOOTHING.name]))
    return laid_over(figure, _drawn(view, smooth if between is None else between_steps(smooth, between), own))


def _counts_no_steps(figure: Figure) -> bool:
    said: Any = figure.layout["meta"] or {}
    return "time_axes" in said and not said["time_axes"]


def _drawn(view: View, shown: ViewData, controls: Mapping[str, Any]) -> Figure:
    from miscope.analysis.input_guard import InputGuard

    watch = InputGuard()
    watch.remember(shown)
    try:
        figure = view.draw(shown, **controls)
    except DoesNotApply as error:
        who = ", ".join(one.shown.variant.name for one in shown.members) or shown.variant.name
        raise DoesNotApply(error.reason, name=view.name, variant=who, kind="view") from None
    except SystemExit as error:
        raise Ended(view.name, error.code) from error
    finally:
        changed = watch.changed(shown)
    if changed:
        raise WroteIntoShown(view.name, changed)
    if not hasattr(figure, "to_plotly_json"):
        raise BadValue(
            f"{view.name!r} drew {type(figure).__name__}, not a figure.",
            "The function of a view returns a plotly Figure.",
            "Return plotly.graph_objects.Figure(...).",
        )
    return figure
