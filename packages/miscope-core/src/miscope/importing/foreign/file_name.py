"""The step or epoch that a checkpoint file's name gives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import final

from miscope.importing.foreign.numbers import LARGEST_STEP, as_written

__all__ = ["Named", "numbers_in_name"]

_WORDS = re.compile(
    r"(?<![a-z])(epoch|ep|step|iteration|iter|update)s?[_\-=. ]?"
    r"(\d[\da-z+]*(?:[.,]\d[\da-z]*)*(?:_\d{3}(?!\d))*(?:[-~]\d+(?![\da-z]))?)",
    re.IGNORECASE,
)
"""A word, and a number with all that may belong to it: '1e4', '10k', '1_000', '12.5', '100-200'."""


@final
@dataclass(frozen=True, kw_only=True)
class Named:
    """What a name says: a step, an epoch, nothing, or what cannot be told."""

    step: int | None = None
    epoch: int | None = None
    problem: str = ""
    numbers: frozenset[int] = frozenset()
    """Every number it gives."""


def numbers_in_name(path: Path) -> Named:
    """'step_300' is step 300, 'epoch=99' epoch 99; 'epoch_100_step_5' and 'step_1_000' are problems."""
    by_kind: dict[str, set[int]] = {"step": set(), "epoch": set()}
    for word, text in _WORDS.findall(path.stem):
        number = as_written(text)
        if number is None:
            return Named(problem=f"The number {text!r} in its name can be read in several ways.")
        if number > LARGEST_STEP:
            return Named(problem=f"Its name says step {number}, and steps go from 0 to {LARGEST_STEP}.")
        by_kind["epoch" if word.lower().startswith("ep") else "step"].add(number)
    numbers = frozenset(by_kind["step"] | by_kind["epoch"])
    if len(numbers) > 1:
        listed = ", ".join(f"{kind} {number}" for kind in ("epoch", "step") for number in sorted(by_kind[kind]))
        return Named(problem=f"Its name gives several numbers: {listed}.", numbers=numbers)
    number = next(iter(numbers), None)
    return Named(step=number if by_kind["step"] else None, epoch=None if by_kind["step"] else number, numbers=numbers)
