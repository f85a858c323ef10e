"""Which plotly.js draws on the page: that of plotly.py, whose figures it fits."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import Any

from miscope.figures.wire import bundle, looks
from miscope_panel.shown.traces_on_demand import MADE_BY, traces_on_demand

__all__ = ["ASSETS", "BUNDLE", "NAME", "constants", "script"]

ASSETS = f"/assets/{version('plotly')}-{hashlib.sha256(MADE_BY).hexdigest()[:8]}"
"""Where it lies: under a name that other versions have not, so that it may be kept; Panel and Bokeh keep /static for
themselves."""

NAME = "plotly.min.js"

BUNDLE = f"{ASSETS}/{NAME}"
"""Not the plotly.js that Panel carries: that one is a major version older than the figures plotly.py writes, and draws
traces it does not know as others, without a word."""


def script() -> str:
    """plotly.js itself."""
    return traces_on_demand(bundle().read_text("utf-8"))


def constants() -> dict[str, Any]:
    """What every chart of a page shares: bundle, templates of both themes, configuration."""
    return {"bundle": BUNDLE, **looks()}
