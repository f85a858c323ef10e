"""`miscope ...` lines as one types them: they name the workspace wherever it is not the one found without a name."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

__all__ = ["default_root", "in_workspace"]

_REMARK = "  ("
"""What begins a remark behind a line."""


def default_root() -> Path:
    """The workspace that is meant where none is named: MISCOPE_WORKSPACE, else ./miscope-workspace."""
    return Path(os.environ.get("MISCOPE_WORKSPACE") or "miscope-workspace").expanduser().absolute()


def in_workspace(root: Path | None, line: str) -> str:
    """The line with `--workspace ROOT` behind its words, unless it has one or that is the default; None: not known."""
    if root is None or root == default_root() or " --workspace " in line:
        return line
    words, remark, rest = line.partition(_REMARK)
    return f"{words} --workspace {shlex.quote(str(root))}{remark}{rest}"
