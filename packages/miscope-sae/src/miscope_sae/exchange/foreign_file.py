"""Files of other libraries, read safely: JSON and safetensors, and what is refused of them in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from miscope.errors import BadFile, BadValue
from miscope.field_text import why_refused

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AGAIN", "CONVERT", "fields_of", "read_json", "read_safetensors", "refusing"]

AGAIN = "Copy the folder again from its source, whole."
CONVERT = "Correct the file, or convert it with the library that wrote it."
_NONE = "There is no such file."

M = TypeVar("M", bound=BaseModel)


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds; BadFile where there is no such file, or where it holds something else."""
    if not path.is_file():
        raise BadFile(path, _NONE, AGAIN)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadFile(path, f"It is no JSON: {str(error).rstrip('.')}.", AGAIN) from None
    if not isinstance(values, dict):
        raise BadFile(path, "It is JSON, and no object.", AGAIN)
    return values


def fields_of(path: Path, values: object, kind: type[M]) -> M:
    """What was read from a file, as a value of that kind; BadFile names the first field that is of another type."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise BadFile(path, f"Its {where!r} is refused: {why_refused(first)}.", CONVERT) from None


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file, by name; BadFile where there is none, or where it is not whole."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise BadFile(path, _NONE, AGAIN)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise BadFile(path, f"It is no complete safetensors file: {str(error).rstrip('.')}.", AGAIN) from None


@contextmanager
def refusing(path: Path, *, todo: str | None = CONVERT) -> Iterator[None]:
    """Whatever value is refused meanwhile, as the refusal of that file.

    todo: what is to be done about the file; None where what is said of the value is true of the file too.
    """
    try:
        yield
    except BadValue as error:
        what, known, own = str(error).split("\n", 2)
        raise BadFile(path, f"{what} {known}", own if todo is None else todo) from None
