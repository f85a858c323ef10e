"""Lenses as files in YAML: one a file, in a package beside its code or in a workspace's folder `lenses`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from miscope.errors import BadValue
from miscope.field_text import why_refused
from miscope.lens import Lens

__all__ = ["lens_files", "lenses_in", "read_lens"]

_MOST_BYTES = 2**18
_FORM = (
    "A lens has `name`, `title`, `question`, `synonyms` and `sections`; a section `title` and `views`; a view is a "
    "name, or has `view`, `title` and `controls`."
)
_CORRECT = "Correct it there; `miscope lenses` lists those that can be read."


def lenses_in(folder: str | Path) -> tuple[Lens, ...]:
    """The lenses of all files `*.yaml` and `*.yml` of a folder, by file name. Raises BadValue for one that is none."""
    return tuple(read_lens(path) for path in lens_files(folder))


def lens_files(folder: str | Path) -> list[Path]:
    """Paths of the files `*.yaml` and `*.yml`, sorted."""
    return sorted(path for suffix in ("yaml", "yml") for path in Path(folder).glob(f"*.{suffix}"))


def read_lens(path: Path) -> Lens:
    """The lens in a file. Raises BadValue with the place in it that is wrong."""
    try:
        return Lens.model_validate(_values(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        why = why_refused(first)
        what = f"{where}: {why}" if where else why
        raise BadValue(f"{path} is no lens: {what}.", _FORM, _CORRECT) from None


def _values(path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(_text(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise BadValue(f"{path} is no lens: {reason}.", _FORM, _CORRECT) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise BadValue(f"{path} is no YAML: {_problem(error)}.", _FORM, _CORRECT) from None


def _text(path: Path) -> str:
    """At most so much of it, whatever it says of its size; of a regular file, as another might never end."""
    if not path.is_file():
        raise BadValue(f"{path} is no lens: it is no file.", _FORM, _CORRECT)
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise BadValue(f"{path} is no lens: it has more than {_MOST_BYTES} bytes.", _FORM, _CORRECT)
    return content.decode("utf-8")


def _problem(error: Exception) -> str:
    """What is wrong, and where."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    said = problem or (str(error).splitlines() or [type(error).__name__])[0]
    return f"{said}, line {mark.line + 1}" if mark else said
