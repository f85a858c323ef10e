"""The views of a widget: what each draws, and what the browser has to know of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.analyzer import Grain
from miscope.bound_view import BoundView
from miscope.errors import BadValue
from miscope.figures.picture import Drawing

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["Card", "drawing"]


@final
@dataclass(frozen=True, kw_only=True)
class Card:
    """One figure of a widget, or the reason why there will be none."""

    drawing: Drawing
    member: int | None
    """The variant that it is of, by its place among those of the widget; None of a view that compares them."""
    label: str = ""
    """What tells that variant from the others."""
    words: tuple[str, ...] = ()
    """Why there is nothing to draw, whatever the step."""

    def described(self) -> dict[str, Any]:
        """As the browser is told."""
        view = self.drawing.view
        return {
            "view": view.name,
            "title": view.title,
            "moves": view.grain is Grain.CHECKPOINT,
            "member": self.member,
            "label": self.label,
            "words": list(self.words),
        }


def drawing(
    workspace: Workspace,
    view: str | BoundView,
    shown: Collection[Variant],
    controls: Mapping[str, object] | None = None,
) -> Drawing:
    """What is drawn of a view, by its name or with its controls set; of no variants yet.

    shown: those that the widget is of. controls: those of the view that were not set. Raises UnknownName, and BadValue
    for a view with its controls set that is of another variant.
    """
    if isinstance(view, BoundView) and (others := [each.name for each in view.variants if each not in shown]):
        raise BadValue(
            f"That {view.name!r} is of {', '.join(others)}.",
            f"The widget is of {', '.join(each.name for each in shown)}.",
            "Take the view of a variant that the widget shows, or its name.",
        )
    given = (view.name, view.controls, view.options) if isinstance(view, BoundView) else (view, {}, None)
    name, turned, options = given
    return Drawing(
        view=workspace.plugins.view(name), variants=(), controls={**(controls or {}), **turned}, options=options
    )


Views = Sequence[str | BoundView]
