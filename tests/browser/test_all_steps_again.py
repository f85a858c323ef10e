"""Axes that were moved to a range of steps show all of them again once there is no range."""

from __future__ import annotations

import json
from pathlib import Path

import plotly.graph_objects as go
import pytest

from miscope.figures.client import FILES
from miscope.figures.wire import bundle, wire
from miscope_panel.page import client

pytestmark = pytest.mark.browser

SCRIPT = """window.script = {
  async there_and_back({data, layout}) {
    const canvas = document.createElement("div")
    canvas.style.cssText = "width: 400px; height: 300px"
    document.body.replaceChildren(canvas)
    await Plotly.newPlot(canvas, data, at_range(layout, ""))
    const clock = time_axes({model: {on: () => {}}, canvas, home: () => layout})
    const ranges = [canvas._fullLayout.xaxis.range.map(Math.round)]
    for (const between of ["300,900", ""]) {
      miscope.between = between
      for (const [axis, {range, autorange}] of Object.entries(clock.wanted()))
        await Plotly.relayout(canvas, {...(range ? {[`${axis}.range`]: range} : {}), [`${axis}.autorange`]: autorange})
      ranges.push(canvas._fullLayout.xaxis.range.map(Math.round))
    }
    return ranges
  },
}"""


@pytest.mark.parametrize("range_given", [None, [0, 2000]], ids=["found", "given"])
def test_axes_that_no_range_holds_any_more_show_all_steps(chromium, range_given):
    page = chromium.new_page()
    page.add_script_tag(path=str(bundle()))
    ours = Path(client.__file__).parent
    files = [
        *(FILES / f"{name}.js" for name in ("dom", "at_step")),
        *(ours / f"{name}.js" for name in ("between", "time_axes")),
    ]
    parts = [file.read_text() for file in files]
    page.add_script_tag(content="\n".join(["window.miscope = {between: ''}", *parts, SCRIPT]))
    figure = go.Figure(go.Scatter(x=[0, 1000, 2000], y=[1, 2, 3], mode="lines"))
    figure.update_layout(xaxis={"range": range_given}, meta={"miscope": {"time_axis": "x", "time_axes": ["x"]}})
    ranges = page.evaluate("figure => script.there_and_back(figure)", json.loads(wire(figure)))
    page.close()
    assert ranges == [[0, 2000], [300, 900], [0, 2000]]
