"""What of a figure travels to a browser, and which plotly.js draws it there: that of plotly.py, which fits it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.figures.figure_style import CONFIG, template
from miscope.figures.shades import in_shades

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["bundle", "looks", "wire"]


def bundle() -> Path:
    """The file with plotly.js."""
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def looks() -> dict[str, Any]:
    """What all charts share: templates of both themes, and the configuration."""
    return {
        "config": dict(CONFIG),
        "templates": {theme: template(theme).to_plotly_json() for theme in ("light", "dark")},
    }


def wire(figure: Figure) -> str:
    """The figure as JSON with binary arrays, without its template: the page holds both templates and picks one.

    Heat maps that are only looked at are in shades (`shades`), which the chart there turns into numbers again.
    """
    from plotly.utils import PlotlyJSONEncoder

    content = figure.to_dict()
    layout = content.get("layout", {})
    layout.pop("template", None)
    data = [in_shades(_without_uid(trace), layout) for trace in content.get("data", [])]
    return json.dumps({"data": data, "layout": layout}, cls=PlotlyJSONEncoder, separators=(",", ":"))


def _without_uid(trace: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in trace.items() if name != "uid"} if "uid" in trace else trace
