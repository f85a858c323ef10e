"""Records of a variant by their dotted names, as Python holds them: Tab completes the names, a notebook lists them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from miscope.bound_html import available_table

if TYPE_CHECKING:
    from collections.abc import Collection

    from miscope.figures.availability import Availability

__all__ = ["ByName"]

T = TypeVar("T")


class ByName(Mapping[str, T], ABC, Generic[T]):
    """Records of a variant by their dotted names: as items, or as attributes, a part of the name at a time."""

    _kind: ClassVar[str]
    """What they are: 'views'."""

    def __init__(self, of: str, within: str = "") -> None:
        """of: the variant's name. within: what the names begin with, which is left out of them."""
        self._of, self._within = of, within

    @property
    @abstractmethod
    def _known(self) -> Collection[str]:
        """Names of all of the kind that are installed."""

    @abstractmethod
    def _made(self, name: str) -> T: ...

    @abstractmethod
    def _inside(self, within: str) -> ByName[T]:
        """Those whose names begin so."""

    @abstractmethod
    def _available(self, name: str) -> Availability:
        """What there is of it."""

    def __getitem__(self, name: str) -> T:
        if self._within + name not in self._known:
            raise KeyError(name)
        return self._made(self._within + name)

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(self._within) for name in sorted(self._known) if name.startswith(self._within))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getattr__(self, part: str) -> T | ByName[T]:
        if part.startswith("_"):
            raise AttributeError(part)
        if part in self:
            return self[part]
        if any(name.startswith(f"{part}.") for name in self):
            return self._inside(f"{self._within}{part}.")
        raise AttributeError(f"{self!r} has no {part!r}")

    def __dir__(self) -> list[str]:
        return sorted({name.partition(".")[0] for name in self})

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        return f"<{len(self)} {self._kind} of {self._of}>"

    def _repr_html_(self) -> str:
        return available_table(self._of, [self._available(self._within + name) for name in self])
