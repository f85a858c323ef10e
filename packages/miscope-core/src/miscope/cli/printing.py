"""How commands print: tables for people, JSON for scripts."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from miscope.jsonable import jsonable

__all__ = ["note", "note_problems", "print_json", "print_table"]


def print_json(value: Any) -> None:
    """The value as indented JSON on standard output; what is no finite number is null."""
    print(json.dumps(jsonable(value), indent=2, ensure_ascii=False, default=str, allow_nan=False))


def note(text: str) -> None:
    """A line for the person at the terminal, kept out of what a pipe reads."""
    print(text, file=sys.stderr)


def note_problems(problems: Mapping[str, str]) -> None:
    """Say of which variants some rows are missing, and why."""
    for variant, problem in problems.items():
        note(f"{variant}: {problem}")


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns: fitted to a terminal by wrapping, one line a row in a pipe."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in header:
        # Folded, not cut: a name that ends in an ellipsis cannot be copied into the next command.
        table.add_column(name, overflow="fold", no_wrap=not terminal)
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    if terminal:
        Console().print(table)
        return
    plain = io.StringIO()
    Console(file=plain, width=100_000).print(table)
    print("\n".join(line.rstrip() for line in plain.getvalue().rstrip("\n").split("\n")))
