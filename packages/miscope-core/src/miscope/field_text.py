"""A pydantic field as people type and read it: its values from text, its type in words, names in a sentence."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "allowed",
    "example",
    "inner_type",
    "is_list",
    "read_value",
    "read_values",
    "separator",
    "shortened",
    "why_refused",
    "written_value",
    "written_values",
]

_FEW = 12
"""Names that a reader will go through."""
_BOUNDS = ("gt", "ge", "lt", "le")
_BEYOND = 2**53
"""From here on a bound is one of computers, and nobody's who types a number."""
_REASONS = {
    "greater_than_equal": "it must be {ge} or more",
    "greater_than": "it must be more than {gt}",
    "less_than_equal": "it must be {le} or less",
    "less_than": "it must be less than {lt}",
    "int_type": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "float_type": "it must be a number",
    "float_parsing": "it must be a number",
    "finite_number": "it must be a finite number",
    "bool_type": "it must be true or false",
    "bool_parsing": "it must be true or false",
    "string_type": "it must be text",
    "literal_error": "it must be {expected}",
    "tuple_type": "it must be several values",
    "list_type": "it must be several values",
    "extra_forbidden": "there is no such field",
    "missing": "it must be given",
}
"""What pydantic says of a value, by its name for it, as one says it of a field."""
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
    """'a whole number from 3 on, by default 5', 'whole numbers with commas between them, by default 2,5'.

    default: in place of the field's own, where whoever takes the field has another.
    """
    extra = info.json_schema_extra
    if isinstance(extra, dict) and "form" in extra:
        return f"one of the forms {extra['form']}"
    marks = [(bound, getattr(each, bound, None)) for each in info.metadata for bound in _BOUNDS]
    bounds = {bound: value for bound, value in marks if value is not None}
    kind, span = _kind(info.annotation), _span(bounds)
    plain = _inner(info.annotation) is info.annotation and not is_list(info)
    ranged = f"{kind} {span}" if plain and span else ", ".join(filter(None, (kind, span)))
    rest = info.default if default is PydanticUndefined else default
    unset = info.is_required() and default is PydanticUndefined
    told = [] if unset else [f"by default {written_value(rest) or 'none'}"]
    return ", ".join([ranged, *told])


def why_refused(said: ErrorDetails) -> str:
    """What pydantic says of a value that a field does not take, as a clause: 'it must be 3 or more'."""
    form, known = _REASONS.get(said["type"]), said.get("ctx", {})
    if form is None:
        return said["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return form.format(**{name: f"{v:g}" if isinstance(v, float) else v for name, v in known.items()})


def _span(bounds: Mapping[str, Any]) -> str:
    """'from 3 to 31', 'from 0 on', 'above 0, below 1'; "" of none."""
    told = {name: f"{value:g}" if isinstance(value, float) else f"{value}" for name, value in bounds.items()}
    for name in ("lt", "le"):
        if name in told and bounds[name] >= _BEYOND:
            del told[name]
    if "ge" in told and "le" in told:
        return f"from {told['ge']} to {told['le']}"
    if [*told] == ["ge"]:
        return f"from {told['ge']} on"
    forms = {"ge": "from {}", "gt": "above {}", "lt": "below {}", "le": "up to {}"}
    return ", ".join(form.format(told[name]) for name, form in forms.items() if name in told)


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
