"""What the further numbers of a trace are called: by the words beside them in the text shown on hovering."""

from __future__ import annotations

import re

__all__ = ["hover_names"]

_PLACE = re.compile(r"%\{([^}:]*)[^}]*\}")
_CUSTOM = re.compile(r"customdata(?:\[(\d+)\])?")
_EDGES = " ,;=·—-()"
_LINKS = frozenset({"a", "and", "at", "by", "for", "from", "in", "of", "on", "the", "to", "with"})
"""Words that name nothing when they stand last before a number."""


def hover_names(template: str) -> dict[int, str]:
    """A name for each custom number that hovering shows, by its place: 'neuron' of 'neuron %{customdata}', 'inputs' of
    '%{customdata} inputs', 'from' and 'to' of an interval in brackets.

    One that stands beside no word has the name of the one before it, the first is 'detail'.
    """
    names: dict[int, str] = {}
    last = "detail"
    for line in re.sub(r"<extra>.*?</extra>", "", template).split("<br>"):
        plain = re.sub(r"<[^>]*>", "", line)
        places = list(_PLACE.finditer(plain))
        for i, place in enumerate(places):
            shown = _CUSTOM.fullmatch(place[1])
            if shown is None:
                continue
            before = plain[places[i - 1].end() if i else 0 : place.start()]
            after = plain[place.end() : places[i + 1].start() if i + 1 < len(places) else len(plain)]
            last = names[int(shown[1] or 0)] = _words(before, after) or last
    return names


def _words(before: str, after: str) -> str:
    """The name that stands before the number, else the one after it; "" where there is neither."""
    if before.rstrip().endswith("["):
        return "from"
    if after.lstrip().startswith("]"):
        return "to"
    if before.rstrip().endswith("±"):
        return "plus or minus"
    named = "" if before.rstrip().endswith(":") else re.split(r"[,:;]", before)[-1].strip(_EDGES)
    if named and named.split()[-1] not in _LINKS:
        return named
    return re.split(r"[,:;\[±]| at | in ", after)[0].strip(_EDGES)
