"""A report as a notebook: its text, and for each figure the line of Python that draws it, with what it drew."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from miscope.reporting.content import Report, ShownView
from miscope.reporting.templating import filled
from miscope.workspace import Workspace

__all__ = ["notebook"]

_MARK = re.compile(r"^%%figure (\d+)%%$", flags=re.MULTILINE)
_NEAR = 3
"""Folders up at most from a notebook to one that holds the workspace too, where they lie in one project."""


def notebook(workspace: Workspace, report: Report, path: Path) -> bytes:
    """The template 'report.md.j2' parted where its figures are; notebook format 4.5, as JSON."""
    text = filled(workspace, "report.md.j2", report, notebook=True, marker=lambda number: f"%%figure {number}%%")
    cells = list(_cells(text, {shown.number: shown for shown in report.views}))
    opened = f"import miscope\n\nworkspace = miscope.open({_place(workspace.root, path)!r})"
    cells.insert(1, _code("opened", opened, []))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}}
    return json.dumps({**whole, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False).encode()


def _cells(text: str, views: dict[int, ShownView]) -> Iterator[dict[str, Any]]:
    """Text, figure, text, figure, ...; the title is a cell of its own, so that what opens the workspace follows it."""
    title, _, rest = text.partition("\n\n")
    yield _text("title", title)
    for i, piece in enumerate(_MARK.split(rest)):
        if i % 2:
            shown = views[int(piece)]
            yield _code(f"figure-{shown.number}", shown.python, [_output(shown)])
        elif piece.strip():
            yield _text(f"text-{i // 2}", piece.strip())


def _text(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _code(name: str, source: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "execution_count": None,
        "source": source,
        "outputs": outputs,
    }


def _output(shown: ShownView) -> dict[str, Any]:
    held: dict[str, Any] = {"text/plain": shown.caption}
    if shown.image:
        held["image/png"] = shown.image.partition(",")[2]
    else:
        held["application/vnd.plotly.v1+json"] = json.loads(shown.figure.to_json() or "")
    return {"output_type": "display_data", "data": held, "metadata": {}}


def _place(root: Path, path: Path) -> str:
    """The workspace as the notebook finds it from its own folder, where both lie in one project; else where it is."""
    found = os.path.relpath(root, path.absolute().parent)
    return found if Path(found).parts.count("..") <= _NEAR else str(root)
