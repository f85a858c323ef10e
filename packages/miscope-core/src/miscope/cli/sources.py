"""What `miscope import` says of the files a variant came from: their steps, where those are from, what was changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["line_on_assumed", "lines_on_files"]

_FEW = 6


def lines_on_files(imported: Mapping[str, Mapping[str, Any]], names: Collection[str]) -> list[str]:
    """A line for all files whose steps are from the same source, and one for all with the same note; a few of each.

    imported: by file, 'steps', 'steps_from' and 'notes', as a variant's record holds them. names: the files to list;
    a record may have a folder before a file's name, or a digest behind it.
    """
    steps: dict[str, list[int]] = {}
    notes: dict[str, list[str]] = {}
    for name, about in imported.items():
        if not any(name == given or name.endswith(f"/{given}") or name.startswith(f"{given} ") for given in names):
            continue
        if about.get("steps_from"):
            steps.setdefault(about["steps_from"], []).extend(about.get("steps", ()))
        for sentence in about.get("notes", ()):
            notes.setdefault(sentence, []).append(name)
    lines = [f"{_steps(numbers)}: by {source}." for source, numbers in steps.items()]
    lines += [f"{sentence} ({_files(files)})" for sentence, files in notes.items()]
    more = [f"... and {len(lines) - _FEW} more such lines, in the variant's record."] if len(lines) > _FEW else []
    return lines[:_FEW] + more


def line_on_assumed(assumed: Any) -> str:
    """Fields that neither the command nor any file gave, with the values they were taken at."""
    values = ", ".join(f"{name}={json.dumps(value)}" for name, value in dict(assumed).items())
    return f"Assumed, since no file says: {values}. Where one is wrong, give it (--param)."


def _steps(steps: list[int]) -> str:
    ordered = sorted(steps)
    if len(ordered) < 4:
        return f"Step{'s' * (len(ordered) > 1)} {', '.join(map(str, ordered))}"
    return f"Steps {ordered[0]} to {ordered[-1]} ({len(ordered)} of them)"


def _files(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
