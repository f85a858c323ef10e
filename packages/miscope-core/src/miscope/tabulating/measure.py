"""Which number of a variant a column holds: the last, least or largest of a metric or a scalar, or that at a step."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast, final, get_args

__all__ = ["Measure", "Which", "first_measures", "mentioned"]

Which = Literal["last", "min", "max", "at"]
"""at: the one that was recorded at a step that is asked for, or last before it."""

_ENDINGS = get_args(Which)

_FIRST = ("test_loss", "train_loss", "test_accuracy")
"""Metrics that one sees who has not said which."""

_FEW = 3


@final
@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of a variant; written 'test_loss' for the last, 'test_loss.min', 'test_loss.max', 'test_loss.at'."""

    name: str
    """Of a metric ('test_loss'), or an analyzer and its scalar ('events.grokking/generalised')."""
    which: Which = "last"

    @classmethod
    def read(cls, text: str) -> Measure:
        """The measure that is written so."""
        name, _, ending = text.rpartition(".")
        return cls(name=name, which=cast("Which", ending)) if name and ending in _ENDINGS else cls(name=text)

    def __str__(self) -> str:
        ends_alike = self.name.rpartition(".")[2] in _ENDINGS and "." in self.name
        return self.name if self.which == "last" and not ends_alike else f"{self.name}.{self.which}"


def first_measures(known: Iterable[str]) -> tuple[Measure, ...]:
    """Those that one sees who has not said which: the usual metrics, else the first few; last values all."""
    names = tuple(known)
    usual = [name for name in _FIRST if name in names] or [name for name in names if "/" not in name][:_FEW]
    return tuple(Measure(name=name) for name in usual)


def mentioned(text: str, known: Iterable[str]) -> tuple[Measure, ...]:
    """Those of the known names that stand in a text, whatever their case, with which of their numbers is meant: by
    themselves, not as parts of longer ones."""
    said = text.casefold()
    measures = (Measure(name=name, which=which) for name in known for which in _ENDINGS)
    return tuple(measure for measure in measures if _stands(str(measure).casefold(), said))


def _stands(name: str, text: str) -> bool:
    return name in text and re.search(rf"(?<![\w./]){re.escape(name)}(?![\w./])", text) is not None
