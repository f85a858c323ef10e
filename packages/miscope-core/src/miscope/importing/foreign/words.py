"""What a foreign file says of its training in words: its configurations, flat, and what stands beside its weights."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

__all__ = ["RATES", "Words", "plain_values", "words_in"]

CONFIG_KEYS = (
    *("config", "data_config", "model_config", "optim_config", "train_config", "training_config", "cfg", "args"),
    *("hparams", "hyper_parameters"),
)
RATES = ("lr", "learning_rate")
"""Beside weights they are the rate of the moment, which may be scheduled."""

_FEW = 4
_DEPTH = 8
"""Configurations lie no deeper; a value may hold itself."""
_Said = tuple[str, object]
"""Where a word stands, with dots between ('config.optim.lr'), and its value."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Words:
    """Plain values a file gives, by its own words."""

    config: Mapping[str, object] = field(default_factory=dict)
    """Of its configurations, by the last part of their names; by whole names where parts of them differ."""
    beside: Mapping[str, object] = field(default_factory=dict)
    """Of the top of the file and of the entries of a list, where all entries say the same."""
    twice: Mapping[str, tuple[_Said, _Said]] = field(default_factory=dict)
    """Words with two values, and where each is said."""
    notes: tuple[str, ...] = ()
    """A sentence on what could not be read."""


def words_in(header: Mapping[Any, Any], entries: Sequence[Mapping[Any, Any]] = ()) -> Words:
    """The words of a file with this content. entries: of its list of states, each with what it says of itself.

    Configurations may be nested, or JSON text; tensors and arrays of one number are numbers.
    """
    unread: list[str] = []
    statements = list(_configured(header, unread))
    for number, entry in enumerate(entries):
        statements += [(f"entry {number}'s {where}", word, value) for where, word, value in _configured(entry, unread)]
    config, twice = _by_word(statements)
    beside, differing = _by_word(
        (where, word, value)
        for where, held in (("its top", header), *((f"entry {number}", each) for number, each in enumerate(entries)))
        for word, value in _values(held, unread=[])
        if word not in RATES
    )
    for word, value in beside.items():
        if word in config and config[word] != value:
            twice.setdefault(word, ((word, config[word]), ("its top", value)))
    twice |= {word: both for word, both in differing.items() if word not in twice}
    shown = ", ".join(repr(name) for name in unread[:_FEW]) + ", ..." * (len(unread) > _FEW)
    notes = (f"Of its configuration {shown} could not be read: no plain values.",) if unread else ()
    return Words(config=config, beside={w: v for w, v in beside.items() if w not in twice}, twice=twice, notes=notes)


def plain_values(held: Mapping[Any, Any]) -> dict[str, object]:
    """Those of its values that JSON can hold, numbers in tensors of one included."""
    return dict(_values(held, unread=[]))


def _configured(held: Mapping[Any, Any], unread: list[str]) -> Iterator[tuple[str, str, object]]:
    for key in CONFIG_KEYS:
        yield from _leaves(key, _opened(held.get(key)), unread, _DEPTH)


def _opened(value: object) -> object:
    """JSON text of an object as that object."""
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _leaves(where: str, held: object, unread: list[str], depth: int) -> Iterator[tuple[str, str, object]]:
    """Where, word and value of everything plain in nested mappings."""
    if not isinstance(held, Mapping) or not depth:
        return
    lost: list[str] = []
    for word, value in _values(held, lost):
        yield f"{where}.{word}", word, value
    unread += [f"{where}.{word}" for word in lost]
    for key, inner in held.items():
        yield from _leaves(f"{where}.{key}", inner, unread, depth - 1)


def _values(held: Mapping[Any, Any], unread: list[str]) -> Iterator[tuple[str, object]]:
    for key, value in held.items():
        if isinstance(value, Mapping):
            continue
        plain = _plain(value)
        if isinstance(plain, _Unread):
            unread.append(str(key))
        else:
            yield str(key), plain


@final
class _Unread:
    """In the place of a value that is none."""


def _plain(value: Any) -> object:
    """What JSON can hold of a value, numbers in tensors of one and text in bytes included."""
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list | tuple):
        return list(value) if all(isinstance(each, str | int | float) for each in value) else _Unread()
    if getattr(value, "ndim", None) == 0 and not getattr(value, "is_meta", False):
        number = value.item()
        return number if isinstance(number, int | float) else _Unread()
    return _Unread()


def _by_word(statements: Iterable[tuple[str, str, object]]) -> tuple[dict[str, object], dict[str, tuple[_Said, _Said]]]:
    """Values by word, by the whole name where a word has several; and the first two that differ, with their places."""
    first: dict[str, _Said] = {}
    twice: dict[str, tuple[_Said, _Said]] = {}
    named: dict[str, dict[str, object]] = {}
    for where, word, value in statements:
        one = first.setdefault(word, (where, value))
        named.setdefault(word, {})[where] = value
        if one[1] != value:
            twice.setdefault(word, (one, (where, value)))
    values: dict[str, object] = {}
    for word, (_, value) in first.items():
        values |= named[word] if word in twice else {word: value}
    return values, twice
