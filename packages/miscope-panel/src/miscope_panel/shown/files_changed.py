"""Which files of a variant came or went, and what of a page that makes old."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from miscope.analyzer import Grain
from miscope.figures.render import EVENTS

if TYPE_CHECKING:
    from miscope.view import View

__all__ = ["CHECKPOINTS", "METRICS", "FilesChanged"]

METRICS, CHECKPOINTS = ":metrics", ":checkpoints"
"""Parts of a variant's folder beside its artifacts, which are told apart by their analyzers' names."""

Parts = Mapping[str, frozenset[str]]


@final
@dataclass(frozen=True, kw_only=True)
class FilesChanged:
    """Parts by the names of variants."""

    changed: Parts = field(default_factory=dict)
    rested: Parts = field(default_factory=dict)
    """What had changed of those that are at rest again: said once more."""

    def __bool__(self) -> bool:
        return bool(self.changed or self.rested)

    def then(self, later: FilesChanged) -> FilesChanged:
        """Both together."""
        return FilesChanged(changed=_both(self.changed, later.changed), rested=_both(self.rested, later.rested))

    def of(self, names: Iterable[str]) -> FilesChanged:
        """Of these variants alone."""
        kept = frozenset(names)
        return FilesChanged(
            changed={name: parts for name, parts in self.changed.items() if name in kept},
            rested={name: parts for name, parts in self.rested.items() if name in kept},
        )

    @property
    def parts(self) -> frozenset[str]:
        """Of all variants, at rest or not."""
        return frozenset().union(*self.changed.values(), *self.rested.values())

    def concern(self, view: View, *, whole: bool) -> bool:
        """Whether a picture of the view, of these variants, may be another now.

        whole: whether it is a picture of the step that was asked for; while files of other steps come, it stays as it
        is, and is only made sure of when there come no more.
        """
        needs = view.needs
        if view.grain is Grain.CHECKPOINT:
            read = {CHECKPOINTS, *needs.artifacts}
            if not whole:
                return bool(self.parts & read)
            changed, rested = (frozenset().union(*each.values()) for each in (self.changed, self.rested))
            return bool(changed & {*needs.history, *needs.optional} or rested & read)
        read = {*needs.artifacts, EVENTS, *([METRICS] if needs.metrics else [])}
        if needs.artifacts or needs.weights or needs.sites:
            read.add(CHECKPOINTS)
        return bool(self.parts & read)


def _both(before: Parts, later: Parts) -> Parts:
    return {name: before.get(name, frozenset()) | later.get(name, frozenset()) for name in {*before, *later}}
