"""A card over its checkpoints, as a film or as a page with a slider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from miscope_panel.shown.computed_options import names_an_option, options_given
from miscope_panel.shown.picture import Request, as_shown

if TYPE_CHECKING:
    from pathlib import Path

    from miscope.workspace import Workspace

__all__ = ["film_of_card"]


def film_of_card(workspace: Workspace, request: Request, path: Path) -> Iterator[tuple[int, int]]:
    """Write it, by the suffix of the path; frames that are drawn, and all, after each of them.

    Raises what `figures.animate.animate` does.
    """
    from miscope.figures.animate import animate

    request = as_shown(workspace, request)
    known = {control.name for control in workspace.plugins.view(request.view).all_controls}
    controls: dict[str, Any] = {name: value for name, value in request.controls.items() if name in known}
    options = options_given(workspace, {n: v for n, v in request.controls.items() if names_an_option(n)})
    variant = workspace.find(request.variant)
    for film in animate(workspace, request.view, variant, path, options=options, **controls):
        yield film.done, film.total
