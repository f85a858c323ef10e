"""Values that are made when they are first looked at: all of them together may not fit in memory, or take too long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar, final

__all__ = ["Lazily"]

V = TypeVar("V")


@final
class Lazily(Mapping[str, V], Generic[V]):
    """A mapping of these names, whose values `make` gives; each is made once."""

    def __init__(self, names: Iterable[str], make: Callable[[str], V]) -> None:
        self._names, self._make = tuple(names), make
        self._made: dict[str, V] = {}

    def __getitem__(self, name: str) -> V:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
