"""What widgets need beside core: an extra, for most users have no notebook."""

from __future__ import annotations

import importlib.util

from miscope.errors import MiscopeError

__all__ = ["NoWidgets", "need_widgets"]


class NoWidgets(MiscopeError):
    """A widget was asked for, and what shows it is not installed."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(
            f"{what} shows a widget, and the package anywidget is not installed.",
            "It is an extra of miscope-core: training, analysis and figures need no notebook.",
            f"Install it:  pip install miscope-core[notebook]  (or without a widget: {instead})",
        )


def need_widgets(what: str, instead: str) -> None:
    """Raise NoWidgets where there are none. instead: what does without."""
    if importlib.util.find_spec("anywidget") is None:
        raise NoWidgets(what, instead)
