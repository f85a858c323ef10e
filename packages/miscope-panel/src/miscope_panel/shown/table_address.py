"""What is asked of the table of variants, as an address says it: 'find=seed=1&sort=test_loss:desc&columns=prime'."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, unquote, urlencode

from miscope.tabulating.asked import Order, TableAsked

__all__ = ["asked_in", "query_of", "read_asked", "write_asked"]

_DOWN = ":desc"
_STEP = re.compile(r"[0-9]{1,18}")


def write_asked(asked: TableAsked) -> list[tuple[str, str]]:
    """Names and values for a query string; nothing of what is not asked."""
    order = ",".join(_written(one.column) + _DOWN * one.descending for one in asked.order)
    said = {
        "find": asked.text,
        "where": asked.where,
        "sort": order,
        "columns": ",".join(map(_written, asked.columns)),
        "group": ",".join(map(_written, asked.group)),
        "curve": asked.curve,
        "at": "" if asked.at is None else str(asked.at),
    }
    return [(name, text) for name, text in said.items() if text]


def read_asked(given: Mapping[str, str]) -> TableAsked:
    """What these fields of a query string ask; what they do not say is as in a new TableAsked."""
    order = (
        Order(column=unquote(text.removesuffix(_DOWN)), descending=text.endswith(_DOWN))
        for text in given.get("sort", "").split(",")
        if text.removesuffix(_DOWN)
    )
    return TableAsked(
        text=given.get("find", ""),
        where=given.get("where", ""),
        order=tuple({one.column: one for one in order}.values()),
        columns=_names(given.get("columns", "")),
        group=_names(given.get("group", "")),
        curve=given.get("curve", ""),
        at=int(given["at"]) if _STEP.fullmatch(given.get("at", "")) else None,
    )


def query_of(asked: TableAsked) -> str:
    """The part of an address that asks this; '' for nothing."""
    return urlencode(write_asked(asked), safe="/:,")


def asked_in(query: str) -> TableAsked:
    """What such a part of an address asks."""
    return read_asked(dict(parse_qsl(query)))


def _names(text: str) -> tuple[str, ...]:
    return _unique(unquote(name) for name in text.split(","))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _written(name: str) -> str:
    """The name without the signs that part names, and those that would be read as such."""
    return quote(name, safe="/. ")
