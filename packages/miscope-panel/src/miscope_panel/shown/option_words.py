"""What a menu calls the names that a control offers."""

from __future__ import annotations

from collections.abc import Iterable

from miscope.maths.dated_events import long_name
from miscope.view import SINCE

__all__ = ["option_words"]


def option_words(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """As 'words' of the control: of events, and of what is counted since one. Others are called by their names."""
    called = {name: _called(name) for name in names}
    words = {name: text for name, text in called.items() if text != name}
    return {"words": words} if words else {}


def _called(name: str) -> str:
    since = SINCE if name.startswith(SINCE) else ""
    return since + long_name(name.removeprefix(since))
