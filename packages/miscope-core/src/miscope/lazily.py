"""What is made or imported when it is first looked at: all of it together may not fit in memory, or take too long."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

__all__ = ["Lazily", "torch"]

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


@final
class _Module:
    """Stands for a module, which is imported when one of its names is first used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by whoever inspects what a module holds, not by who computes
            raise AttributeError(name)
        return getattr(importlib.import_module(self._name), name)


if TYPE_CHECKING:
    import torch as torch
else:
    # PyTorch takes four seconds to import, and a list of the instruments needs none of it.
    torch = _Module("torch")
