"""What a lens asks for by name and what is shown does not have: a metric not recorded, a head that is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.commands import in_workspace
from miscope.figures.controls import options
from miscope.view import Choice, View, ViewData
from miscope_panel.shown.computed_options import names_an_option

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["Lacking", "lacking"]


@final
@dataclass(frozen=True, kw_only=True)
class Lacking:
    """Why there is no figure, and what would make one."""

    words: tuple[str, ...]
    commands: tuple[str, ...] = ()


def lacking(workspace: Workspace, view: View, shown: ViewData, given: Mapping[str, str]) -> Lacking | None:
    """The first of these controls that the view does not have, or whose value it does not offer; None for none."""
    known = {control.name for control in view.all_controls}
    unknown = next((name for name in given if name not in known and not names_an_option(name)), None)
    if unknown is not None:
        return Lacking(words=(f"{view.name!r} has no control {unknown!r}.", "The lens sets it."))
    for control in view.all_controls:
        asked = given.get(control.name)
        if asked is not None and isinstance(control, Choice) and asked not in options(control, shown):
            return _told(workspace, shown, control.label or control.name, asked)
    return None


def _told(workspace: Workspace, shown: ViewData, what: str, asked: str) -> Lacking:
    of = shown.variant.name if len(shown.members) < 2 else f"any of the {len(shown.members)} variants"
    words = f"There is no {what} {asked!r} of {of}."
    analyzer = asked.partition("/")[0]
    if analyzer not in workspace.plugins.analyzers:
        return Lacking(words=(words,))
    train = f"miscope train {shown.variant.family} KEY=VALUE --watch {analyzer}:100"
    return Lacking(
        words=(words, "It is recorded while a variant trains:"), commands=(in_workspace(workspace.root, train),)
    )
