"""How wide the columns of the table on the page are: as their words need, and names and curves take what is left."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import final

import pandas as pd

from miscope_panel.shown.table_cells import CURVE, NAME

__all__ = ["Room", "fits", "rooms"]

_CURVE_WIDTH = 190
"""In pixels: what its heading takes, and enough to tell one course from another."""
_NAME_WIDTH = 320
"""What a name takes at most where there is no more."""
_HEADING, _CELL = 34, 20
"""Beside the words: the sign of the order, and the padding."""
_TAG = re.compile(r"<[^>]*>")
_NARROW, _WIDE = frozenset(" .,:;'|!()[]{}ijlt-/"), frozenset("mwMW%@ABCDEFGHKNOPQRUVXYZ")
_FEWEST = "00000000"
"""Of what comes into a cell later, while a run goes on."""


@final
@dataclass(frozen=True, kw_only=True)
class Room:
    """Of one column."""

    least: int
    """Pixels."""
    grows: int = 1
    """Its share of the width that there is, where that is more."""


def rooms(frame: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, Room]:
    """By column.

    frame: what is written in the cells. titles: what stands over the columns. Of both HTML is taken for its words.
    """
    return {str(name): _room(str(name), titles.get(str(name), str(name)), frame[name]) for name in frame.columns}


def fits(needed: Mapping[str, Room], there: Mapping[str, Room]) -> bool:
    """Whether columns that are there have room for what is to stand in them now."""
    return [*needed] == [*there] and all(one.least <= there[name].least for name, one in needed.items())


def _room(name: str, title: str, cells: Iterable[str]) -> Room:
    if name == CURVE:
        return Room(least=_CURVE_WIDTH, grows=4)
    words = _longest(_TAG.sub("", cell) for cell in cells)
    least = max(_HEADING + _pixels(unescape(title)), _CELL + max(map(_pixels, (unescape(words), _FEWEST))))
    return Room(least=min(least, _NAME_WIDTH), grows=3) if name == NAME else Room(least=least)


def _longest(texts: Iterable[str]) -> str:
    return max(texts, key=len, default="")


def _pixels(text: str) -> int:
    """What a text takes at most, in the letters of the page's tables."""
    return round(sum(4.6 if letter in _NARROW else 9.6 if letter in _WIDE else 7.4 for letter in text))
