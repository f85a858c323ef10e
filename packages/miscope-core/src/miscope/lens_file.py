"""Lenses as files in YAML: one a file, in a package beside its code or in a workspace's folder `lenses`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from miscope.errors import BadValue
from miscope.lens import Lens

__all__ = ["lenses_in", "read_lens"]

_MOST_BYTES = 2**18
_FORM = (
    "A lens has `name`, `title`, `question` and `sections`; a section `title` and `views`; a view is a name, or has "
    "`view`, `title` and `controls`."
)
_CORRECT = "Correct it there; `miscope lenses` lists those that can be read."


def lenses_in(folder: str | Path) -> tuple[Lens, ...]:
    """The lenses of all files `*.yaml` of a folder, by file name. Raises BadValue for one that is none."""
    return tuple(read_lens(path) for path in sorted(Path(folder).glob("*.yaml")))


def read_lens(path: Path) -> Lens:
    """The lens in a file. Raises BadValue with the place in it that is wrong."""
    try:
        return Lens.model_validate(_values(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise BadValue(f"{path} is no lens: {what}.", _FORM, _CORRECT) from None


def _values(path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadValue(f"{path} is no lens: it has more than {_MOST_BYTES} bytes.", _FORM, _CORRECT)
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise BadValue(f"{path} is no lens: {reason}.", _FORM, _CORRECT) from None
    except (YAMLError, ValueError, RecursionError) as error:
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadValue(f"{path} is no YAML: {line}.", _FORM, _CORRECT) from None
