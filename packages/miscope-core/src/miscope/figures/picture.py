"""A figure as it travels to a browser, or in sentences why there is none: what goes wrong in one view stays there."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.analysis.analyzer_options import Options
from miscope.analyzer import Grain
from miscope.errors import MiscopeError
from miscope.figures.availability import gather_before
from miscope.figures.render import draw
from miscope.figures.wire import wire
from miscope.variant import Variant
from miscope.view import View

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["Drawing", "Picture", "failed", "picture"]


@final
@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Which view of which variants is to be drawn, and with what."""

    view: View
    variants: Sequence[Variant]
    controls: Mapping[str, object]
    options: Options | None = None


@final
@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure, or why there is none."""

    figure: str = ""
    """JSON for plotly.js, without its template."""
    step: int | None = None
    """The checkpoint shown: the nearest at or before the one asked for where everything was computed."""
    words: tuple[str, ...] = ()
    """Why there is no figure, a sentence each."""
    trace: str = ""


def picture(workspace: Workspace, drawing: Drawing, step: int | None) -> Picture:
    """The picture of a drawing at a step. Never raises."""
    view = drawing.view
    try:
        at = step if view.grain is Grain.CHECKPOINT else None
        shown = gather_before(workspace, view, drawing.variants, at, drawing.options)
        return Picture(figure=wire(draw(view, shown, drawing.controls)), step=shown.step)
    except MiscopeError as error:
        return Picture(words=tuple(str(error).splitlines()))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the door that keeps a view's failure in its own card
        return Picture(words=failed(workspace, view.name, error), trace="".join(traceback.format_exception(error)))


def failed(workspace: Workspace, view: str, error: BaseException) -> tuple[str, str]:
    """In sentences, that the view itself failed, and whose it is."""
    provider = workspace.plugins.provided_by.get(("view", view))
    what = f"{view!r} could not be drawn: {f'{type(error).__name__}: {error}'.splitlines()[0]}"
    return what, f"It comes from {provider}. Every other view works."
