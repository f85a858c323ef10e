"""Numbers of updates and epochs as foreign files write them: whole, not negative, and not beyond belief."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from miscope.errors import BadFile

__all__ = ["LARGEST_STEP", "as_written", "row", "whole"]

LARGEST_STEP = 999_999_999
"""Steps are written with nine digits."""

_TODO = "Give the number of updates made so far, a whole number from 0 up."
_WRITTEN = re.compile(r"(\d+)(?:\.(\d+))?(?:e\+?(\d{1,2})|([km]))?", re.IGNORECASE)


def row(path: Path, where: str, value: Any) -> int:
    """The number, if it can be one of a row of inputs; BadFile otherwise."""
    try:
        return whole(path, where, value)
    except BadFile:
        shown = repr(value.item() if hasattr(value, "item") else value)
        problem = f"{_upper(where)} is {shown[:60]}, not the number of a row."
        raise BadFile(path, problem, "Rows are counted from 0, in the order of all inputs.") from None


def whole(path: Path, where: str, value: Any) -> int:
    """The number, if it is one of updates or epochs; BadFile otherwise. where: "its key 'epoch'"."""
    if hasattr(value, "item") and getattr(value, "numel", lambda: 0)() == 1:
        value = value.item()
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is None or number != number or number in (float("inf"), -float("inf")) or number != int(number):
        shown = repr(value) if isinstance(value, int | float | str) else f"a {type(value).__name__}"
        raise BadFile(path, f"{_upper(where)} is {shown[:60]}, not a number of updates or epochs.", _TODO)
    if not 0 <= number <= LARGEST_STEP:
        raise BadFile(path, f"{_upper(where)} is {int(number)}, and steps go from 0 to {LARGEST_STEP}.", _TODO)
    return int(number)


def as_written(text: str) -> int | None:
    """'300', '1e4', '10k' and '1.5M', as people write whole numbers in names, k a thousand, M a million; else None."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return None
    digits, fraction, power, letter = match.groups()
    # '1.000' may be one, or a thousand.
    exponent = int(power) if power else {"": 0, "k": 3, "m": 6}[(letter or "").lower()]
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > exponent or (match[2] and len(match[2]) == 3 and not exponent) or len(digits) + exponent > 30:
        return None
    return int(digits + fraction) * 10 ** (exponent - len(fraction))


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
