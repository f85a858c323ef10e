"""What the runs of a study are called: a format filled with their settings. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from string import Formatter
from typing import Any

from miscope.errors import BadValue
from miscope.validation import checked_name

__all__ = ["checked_format", "formatted", "scientific"]

_SPEC = re.compile(r"sci|(.?[<>=^])?[-+ ]?#?0?\d{0,2}[,_]?(\.\d{1,2})?[a-zA-Z%]?")
"""As Python's formats have it, but none that fills a page."""

_EXAMPLE = "p{prime}_lr{learning_rate:sci}_wd{weight_decay:.2f}"


def checked_format(template: str, fields: Iterable[str]) -> None:
    """Raise BadValue where the format is none, or names a field that there is not."""
    known = list(fields)
    for name, spec in _slots(template):
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"Did you mean {close[0]!r}?" if close else f"The fields are: {', '.join(known)}."
            raise BadValue(f"The format {template!r} names {name!r}, which is no field.", hint, _TODO)
        if not _SPEC.fullmatch(spec):
            raise BadValue(f"{spec!r} is no way to write a number.", "There are `sci` and Python's.", _TODO)


_TODO = f"Write it like this:  {_EXAMPLE}"


def formatted(template: str, settings: Mapping[str, Any]) -> str:
    """The format with these settings in it; BadValue where a value cannot be written so, or no name comes out."""
    parts = []
    for text, name, spec, _ in Formatter().parse(template):
        parts.append(text)
        if name is not None:
            parts.append(_written(name, settings[name], spec or ""))
    return checked_name("".join(parts))


def _written(name: str, value: Any, spec: str) -> str:
    try:
        return scientific(value) if spec == "sci" else format(value, spec)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise BadValue(
            f"{name}={value!r} cannot be written as {spec!r}: {error}.", "`sci` and Python's numbers are.", _TODO
        ) from None


def scientific(value: float) -> str:
    """'3e-4', '1e-3', '1.5e0': the shortest digits of the number, without zeros to fill its exponent."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("it is no number")
    number = Decimal(repr(value)).normalize()
    if not number.is_finite():
        raise ValueError("it is not finite")
    if not number:
        return "0"
    sign, digits, _ = number.as_tuple()
    mantissa = ".".join(part for part in (str(digits[0]), "".join(map(str, digits[1:]))) if part)
    return f"{'-' * sign}{mantissa}e{number.adjusted()}"


def _slots(template: str) -> list[tuple[str, str]]:
    """The fields that the format names, with how each is written."""
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise BadValue(f"{template!r} is no format: {error}.", "Fields stand between braces.", _TODO) from None
    for _, name, spec, conversion in parsed:
        if name is not None and (not name.isidentifier() or conversion or "{" in (spec or "")):
            raise BadValue(f"{template!r} is no format of fields.", "Between braces stands a field's name.", _TODO)
    return [(name, spec or "") for _, name, spec, _ in parsed if name is not None]
