"""A pydantic field as people type and read it: its values from text, its type in words, names in a sentence."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

__all__ = [
    "allowed",
    "example",
    "inner_type",
    "is_list",
    "read_value",
    "read_values",
    "separator",
    "shortened",
    "written_value",
    "written_values",
]

_FEW = 12
"""Names that a reader will go through."""
_BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_KINDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}
_EXAMPLES = {int: "1", float: "0.5", bool: "true"}
_QUOTED = r'"(?:[^"\\]|\\.)*"'
"""A text as JSON has it."""
_OPEN, _CLOSE = ("[", "{"), ("]", "}")
_SEVERAL = {int: "1,2,3", float: "0.1,0.5,1", bool: "true,false"}


def read_value(info: FieldInfo, given: object) -> object:
    """Text as JSON where it is JSON; where the field holds several values, '16,28' and 16 as lists of them."""
    value = _from_text(given) if isinstance(given, str) else given
    if not _is_list(info.annotation) or value is None or isinstance(value, list | tuple):
        return value
    return [_from_text(item.strip()) for item in value.split(",")] if isinstance(value, str) else [value]


def separator(info: FieldInfo) -> str:
    """What parts the values that a field takes in turn: a comma, or a semicolon where one value may hold commas."""
    inner = _inner(info.annotation)
    holds_commas = _is_list(inner) or get_origin(inner) in (Union, types.UnionType, dict, Mapping)
    return ";" if holds_commas else ","


def read_values(info: FieldInfo, text: str) -> list[object]:
    """The values that a field takes in turn, as one types them: '113,97', of a field of several '0.9,0.98; 0.9,0.999'.

    What stands between quotes, brackets or braces is not parted; nothing between two marks is no value.
    """
    parts = [part.strip() for part in _parted(text, separator(info)) if part.strip()]
    return [_as_text(info, part, read_value(info, part)) for part in parts]


def written_values(info: FieldInfo, values: Sequence[object]) -> str:
    """The values as one types them, so that `read_values` reads the same."""
    return f"{separator(info)} ".join(_written_one(info, value) for value in values)


def _written_one(info: FieldInfo, value: object) -> str:
    """As plain text where that is read as the same, also beside another; else as JSON."""
    text, mark = written_value(value), separator(info)
    plain = text.strip() and read_values(info, f"{text}{mark}{text}") == [value, value]
    return text if plain else json.dumps(value)


def _as_text(info: FieldInfo, part: str, value: object) -> object:
    """The value, but for text that reads like a number, of a field that is text."""
    is_text = _inner(info.annotation) is str and value is not None and not isinstance(value, str)
    return part if is_text else value


def _parted(text: str, mark: str) -> list[str]:
    parts, depth = [""], 0
    for piece in re.findall(f"{_QUOTED}|.", text, re.DOTALL):
        depth += (piece in _OPEN) - (piece in _CLOSE)
        if piece == mark and depth <= 0:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def inner_type(info: FieldInfo) -> Any:
    """The field's type beside None, and without what only bounds it."""
    return _inner(info.annotation)


def is_list(info: FieldInfo) -> bool:
    """Whether the field holds several values."""
    return _is_list(info.annotation)


def written_value(value: object) -> str:
    """The value as one types it: 'true', '16,28', 'null'."""
    if isinstance(value, list | tuple):
        return ",".join(written_value(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value, default=str)


def allowed(info: FieldInfo, *, default: object = PydanticUndefined) -> str:
    """'a whole number, >= 3, by default 5', 'whole numbers with commas between them, by default 2,5'.

    default: in place of the field's own, where whoever takes the field has another.
    """
    extra = info.json_schema_extra
    if isinstance(extra, dict) and "form" in extra:
        return f"one of the forms {extra['form']}"
    bounds = [
        f"{_BOUNDS[bound]} {value:g}"
        for m in info.metadata
        for bound in _BOUNDS
        if (value := getattr(m, bound, None)) is not None
    ]
    rest = info.default if default is PydanticUndefined else default
    unset = info.is_required() and default is PydanticUndefined
    told = [] if unset else [f"by default {written_value(rest) or 'none'}"]
    return ", ".join([_kind(info.annotation), *bounds, *told])


def example(info: FieldInfo) -> str:
    """Text that the field takes, as far as its type says: its default, or values of its type."""
    annotation = _inner(info.annotation)
    if not info.is_required() and info.default not in (None, ()):
        return written_value(info.default)
    if _is_list(annotation):
        return _SEVERAL.get(_inner(get_args(annotation)[0]), "one,two")
    if get_origin(annotation) is Literal:
        return written_value(get_args(annotation)[0])
    return _EXAMPLES.get(annotation, "word")


def shortened(names: Sequence[str]) -> str:
    """With commas between them; of more than a reader will go through the first, and how many others there are."""
    left = len(names) - _FEW
    return ", ".join(names) if left <= 1 else f"{', '.join(names[:_FEW])} and {left} others"


def _from_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or a number of more digits than Python reads
        return text


def _inner(annotation: Any) -> Any:
    """The type beside None in an optional one, and without what only bounds it."""
    if get_origin(annotation) is Annotated:
        return _inner(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        beside = [arg for arg in get_args(annotation) if arg is not type(None)]
        return _inner(beside[0]) if len(beside) == 1 else annotation
    return annotation


def _is_list(annotation: Any) -> bool:
    return get_origin(_inner(annotation)) in (tuple, list, Sequence)


def _kind(annotation: Any) -> str:
    inner = _inner(annotation)
    also = " or null" if inner is not annotation else ""
    if _is_list(inner):
        arguments = get_args(inner)
        many = "" if arguments[-1] is ... or len(arguments) == 1 else f"{len(arguments)} "
        kind = _KINDS.get(_inner(arguments[0]), "value").replace("text", "word")
        return f"{many}{kind}s with commas between them{also}"
    if get_origin(inner) is Literal:
        return f"one of {', '.join(map(str, get_args(inner)))}{also}"
    if inner in _KINDS:
        article = "" if inner in (bool, str) else "a "
        return f"{article}{_KINDS[inner]}{also}"
    return f"a {getattr(inner, '__name__', inner)}{also}"
