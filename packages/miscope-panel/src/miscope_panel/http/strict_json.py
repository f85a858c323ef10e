"""Bodies that two readers of JSON could take for different things are refused before anybody reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

__all__ = ["DEEPEST", "fault_of"]

DEEPEST = 32
"""Lists and objects inside of each other; nothing that is asked for has more than six."""


class _Refused(ValueError):
    """What is wrong with a body."""


def fault_of(body: bytes) -> str | None:
    """What is wrong with the body, as a clause; None for one that is empty, or JSON and nothing but JSON."""
    if not body.strip():
        return None
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_each_once)
    except UnicodeDecodeError:
        return "it is no text in UTF-8"
    except RecursionError:
        return _TOO_DEEP
    except _Refused as error:
        return str(error)
    except json.JSONDecodeError as error:
        return f"{error.msg[:1].lower()}{error.msg[1:]}, at character {error.pos}"
    except ValueError:  # an integer of more digits than Python reads
        return "a number in it is too long"
    if _depth(value) > DEEPEST:
        return _TOO_DEEP
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "an escape in it stands for half a character"
    return None


_TOO_DEEP = f"it is nested more than {DEEPEST} deep"


def _no_number(name: str) -> NoReturn:
    raise _Refused(f"{name} is no number of JSON's")


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise _Refused(f"the key {twice[:40]!r} is there twice")
    return found


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth
