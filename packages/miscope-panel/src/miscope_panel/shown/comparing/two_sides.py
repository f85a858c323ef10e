"""Which variants a view shows: all, those that can be aligned, or in A | B the first two of these."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import final

from miscope.analyzer import Grain
from miscope.view import View
from miscope_panel.shown.comparing.compared import Member

__all__ = ["Roomless", "alignable", "roomless"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Roomless:
    """Names of variants for which A | B has no side."""

    everywhere: tuple[str, ...] = ()
    """No view shows them."""
    in_some: tuple[str, ...] = ()
    """Another view shows them."""


def alignable(view: View, members: Sequence[Member], align: str) -> list[Member]:
    """Those that the view can show so: all, where it does not depend on how time is counted, as a path does not."""
    if view.grain is not Grain.CHECKPOINT and view.time_axis is None:
        return [*members]
    return [member for member in members if member.clock(align) is not None]


def roomless(views: Collection[View], members: Sequence[Member], align: str) -> Roomless:
    """Those that some view leaves out in A | B; one that compares runs by itself shows all of them."""
    left: set[str] = set()
    shown: set[str] = set()
    for view in views:
        of_all = view.grain is Grain.COHORT
        names = [one.name for one in (members if of_all else alignable(view, members, align))]
        room = len(names) if of_all else 2
        shown.update(names[:room])
        left.update(names[room:])
    return Roomless(
        everywhere=tuple(one.name for one in members if one.name in left - shown),
        in_some=tuple(one.name for one in members if one.name in left & shown),
    )
