"""What can be selected for all cards: what controls of views select, and clicks in their figures."""

from __future__ import annotations

from collections.abc import Iterable

from miscope.view import View

__all__ = ["TAKEN", "selectable"]

TAKEN = frozenset(
    (*("v", "with", "e", "views", "lens", "page", "theme"), *("find", "where", "sort", "columns", "group", "curve"))
)
"""Words that mean something else in an address."""


def selectable(views: Iterable[View]) -> frozenset[str]:
    """What controls of these views, and clicks in their figures, select for all cards."""
    return frozenset(what for view in views for what in (*view.selected_by.values(), *view.selects)) - TAKEN
