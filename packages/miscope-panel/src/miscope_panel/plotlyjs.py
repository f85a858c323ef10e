"""Which plotly.js draws, and what of a figure travels to it. The bundle comes from plotly.py, whose figures it fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.figures.figure_style import CONFIG, template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["BUNDLE", "constants", "directory", "wire"]

ASSETS = "/assets"
"""Where the directory is mounted; Panel and Bokeh keep /static for themselves."""

BUNDLE = f"{ASSETS}/plotly.min.js"
"""Not the plotly.js that Panel carries: that one is a major version older than the figures plotly.py writes, and draws
traces it does not know as others, without a word."""


def directory() -> Path:
    """The folder of plotly.py that holds plotly.min.js."""
    import plotly

    return Path(plotly.__file__).parent / "package_data"


def constants() -> dict[str, Any]:
    """What every chart of a page shares: bundle, templates of both themes, configuration."""
    return {
        "bundle": BUNDLE,
        "config": dict(CONFIG),
        "templates": {theme: template(theme).to_plotly_json() for theme in ("light", "dark")},
    }


def wire(figure: Figure) -> str:
    """The figure as JSON with binary arrays, without its template: the page holds both templates and picks one."""
    content = json.loads(figure.to_json() or "{}")
    content.get("layout", {}).pop("template", None)
    return json.dumps({"data": content.get("data", []), "layout": content.get("layout", {})}, separators=(",", ":"))
