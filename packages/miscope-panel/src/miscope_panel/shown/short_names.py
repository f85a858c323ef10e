"""What variants are called beside each other: of their names the parts that are not the same in all."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["short_names"]

_BETWEEN = re.compile(r"-(?=[A-Za-z])")
"""Between the fields of a name; what stands before a digit is a sign: 'p113-lr1e-3-seed1'."""
_LONGEST = 40


def short_names(names: Iterable[str]) -> dict[str, str]:
    """By the name 'family/slug' the fields that not all of its family have alike: 'p113·seed1'.

    The whole slug where nothing is left, or there is one of the family. A long one is cut in the middle: names differ
    at their ends.
    """
    slugs: dict[str, dict[str, list[str]]] = {}
    for name in names:
        family, _, slug = name.partition("/")
        slugs.setdefault(family, {})[name] = _BETWEEN.split(slug)
    found = {}
    for parts in slugs.values():
        common = set.intersection(*map(set, parts.values())) if len(parts) > 1 else set()
        for name, fields in parts.items():
            told = [field for field in fields if field not in common]
            found[name] = _cut("·".join(told) if 0 < len(told) < len(fields) else "-".join(fields))
    return found


def _cut(text: str) -> str:
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]}…{text[1 - half :]}"
