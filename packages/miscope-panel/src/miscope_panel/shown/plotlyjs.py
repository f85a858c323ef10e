"""Which plotly.js draws on the page: that of plotly.py, whose figures it fits."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from miscope.figures.wire import bundle, looks

__all__ = ["BUNDLE", "constants", "directory"]

ASSETS = f"/assets/{version('plotly')}"
"""Where the directory is mounted, under a name that another version has not, so that it may be kept; Panel and Bokeh
keep /static for themselves."""

BUNDLE = f"{ASSETS}/plotly.min.js"
"""Not the plotly.js that Panel carries: that one is a major version older than the figures plotly.py writes, and draws
traces it does not know as others, without a word."""


def directory() -> Path:
    """The folder of plotly.py that holds plotly.min.js."""
    return bundle().parent


def constants() -> dict[str, Any]:
    """What every chart of a page shares: bundle, templates of both themes, configuration."""
    return {"bundle": BUNDLE, **looks()}
