"""What one tab's pages would lose where their server is started anew: its browser keeps it, and gives it back once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import final

__all__ = ["TabMemory"]


@final
class TabMemory:
    """Texts by name. What an address can hold belongs there: this is lost with the tab."""

    def __init__(self) -> None:
        self.on_change: Callable[[Mapping[str, str]], object] = lambda kept: None
        self._kept: dict[str, str] = {}
        self._back: dict[str, str] = {}
        """What came back and was not taken yet."""
        self._takers: dict[str, Callable[[str], None]] = {}

    def keep(self, name: str, text: str) -> None:
        """Have it kept from now on; '' for no longer."""
        if text != self._kept.get(name, ""):
            self._kept = {**self._kept, name: text}
            self.on_change({each: kept for each, kept in self._kept.items() if kept})

    def on_back(self, name: str, take: Callable[[str], None]) -> None:
        """Have `take` called with what was kept under the name before, if it was; at once where it is back already."""
        self._takers[name] = take
        if name in self._back:
            take(self._back.pop(name))

    def bring_back(self, kept: Mapping[str, str]) -> None:
        """Hand over what the browser kept; of pages that are not open yet, once they are. It is kept on meanwhile."""
        self._kept = {**kept, **self._kept}
        self.on_change({each: text for each, text in self._kept.items() if text})
        for name, text in kept.items():
            if name in self._takers:
                self._takers[name](text)
            else:
                self._back[name] = text
