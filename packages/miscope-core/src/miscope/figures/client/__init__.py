"""What draws figures and moves the step cursor in a browser: the same files for the page and for widgets."""

from __future__ import annotations

from pathlib import Path

__all__ = ["FILES", "part", "sheet"]

FILES = Path(__file__).parent
"""Where they lie."""


def part(name: str) -> str:
    """One script as it is: no module, but a part of one; 'dom' comes before all others."""
    return (FILES / f"{name}.js").read_text(encoding="utf-8")


def sheet(name: str) -> str:
    """One style sheet as it is; 'look' has the colours that all others use."""
    return (FILES / f"{name}.css").read_text(encoding="utf-8")
