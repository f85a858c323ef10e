"""What runs in the browser: one ES module and one style sheet a component, put together from the files beside this
and from those that a notebook's widgets have too."""

from __future__ import annotations

from pathlib import Path

from miscope.figures.client import FILES

__all__ = ["sheet", "source", "style"]

_HERE = Path(__file__).parent


def source(component: str, *parts: str) -> str:
    """The component's ES module after its parts; components cannot import, so each carries what they share."""
    return "\n".join(_read(f"{name}.js") for name in ("dom", "page", *parts, component))


def style(component: str, *parts: str) -> str:
    """The component's style sheet, after the one all share and those of its parts."""
    return "\n".join(sheet(name) for name in ("base", *parts, component))


def sheet(name: str) -> str:
    """One style sheet as it is; 'look' is the page's own, with the colours all others use."""
    return _read(f"{name}.css")


def _read(name: str) -> str:
    ours = _HERE / name
    return (ours if ours.exists() else FILES / name).read_text(encoding="utf-8")
