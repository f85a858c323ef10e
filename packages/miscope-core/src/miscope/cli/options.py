"""What several commands share: their common options, and how key=value is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from miscope.errors import BadValue

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["ForOption", "JsonOption", "LabelOption", "WorkspaceOption", "assignments", "folder", "not_empty", "opened"]


def not_empty(text: str) -> str:
    """The text; wrong usage where it is empty, which otherwise would name the current folder, or nothing."""
    if text == "":
        raise typer.BadParameter("it is empty; a variable of the shell that is not set reads so.")
    return text


def folder(text: str) -> Path:
    """Where that is; wrong usage where it is empty."""
    return Path(not_empty(str(text)))


WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        parser=folder,
        metavar="<path>",
        help="Directory of the workspace.  (default: $MISCOPE_WORKSPACE or ./miscope-workspace)",
        show_default=False,
    ),
]
LabelOption = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", help="A name of its own beside others of the same parameters: SLUG@NAME."),
]
ForOption = Annotated[
    list[str] | None,
    typer.Option(
        "--for",
        metavar="VARIANT",
        help="Say which apply to this variant, and why the others do not; several for what compares.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def opened(path: Path | None) -> Workspace:
    """The workspace there, with everything that is installed."""
    from miscope.workspace import open_workspace

    return open_workspace(path)


def assignments(words: Sequence[str]) -> dict[str, Any]:
    """['prime=113', 'loss_dtype=float64'] as a mapping; a value that is JSON is read as such, any other is text.

    Raises BadValue where the equals sign or the name is missing, and where one name is given two values.
    """
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise BadValue(
                f"{word!r} is not of the form key=value.",
                "Parameters and options are given as key=value, without spaces.",
                "Write, for instance, prime=113.",
            )
        if name in values and values[name] != _value(text):
            raise BadValue(
                f"{name!r} is given twice, as {values[name]!r} and as {_value(text)!r}.",
                "A parameter has one value.",
                "Leave one of them out.",
            )
        values[name] = _value(text)
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or a number of more digits than Python reads
        return text
