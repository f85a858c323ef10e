"""A study: named requests in order, in a group of their own. A value; it knows no file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from miscope.analyze_request import AnalyzeRequest
from miscope.errors import BadValue, UnknownName
from miscope.field_docs import documented
from miscope.settings import settings_of
from miscope.train_request import TrainRequest
from miscope.variant import Variant

__all__ = ["Study", "StudyRun", "shared_settings"]


@final
@documented
@dataclass(frozen=True, kw_only=True)
class StudyRun:
    """One variant of a study: what trains it, and what is computed of it then."""

    name: str
    """Of this run in its study: 'p17_lr3e-4_wd0.5'."""
    variant: Variant
    """What is trained, with all its settings."""
    train: TrainRequest
    """What trains it."""
    analyze: AnalyzeRequest | None = None
    """What is computed of it; None for nothing."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Study:
    """Variants and analyses that belong together."""

    name: str
    """The group of its runs."""
    description: str = ""
    """What is to be found out."""
    family: str
    """Of all its runs."""
    runs: tuple[StudyRun, ...]
    """In the order in which they are run."""

    def chosen(self, only: Collection[str] = (), start_from: int = 0) -> tuple[StudyRun, ...]:
        """The runs of these names, all for none, without so many of the first of them.

        Raises UnknownName for a name that no run has, BadValue where none is left.
        """
        names = [run.name for run in self.runs]
        for name in only:
            if name not in names:
                listing = f"`--dry-run` lists the {len(names)} that {self.name} has."
                raise UnknownName("run", name, names, listing=listing)
        chosen = tuple(run for run in self.runs if not only or run.name in only)
        if not 0 <= start_from < len(chosen):
            raise BadValue(
                f"No run is left from number {start_from} on.",
                f"There are {len(chosen)} to begin with, counted from 0.",
                "Give a smaller number.",
            )
        return chosen[start_from:]


def shared_settings(runs: Sequence[StudyRun]) -> Mapping[str, Any]:
    """The settings that all these runs have alike."""
    first, *others = (settings_of(run.variant) for run in runs)
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}
