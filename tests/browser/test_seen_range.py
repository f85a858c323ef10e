"""Axes up the page fit what a range of steps leaves to be seen, and show all again once there is no range."""

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
  async ranges({data, layout}, zoom) {
    const canvas = document.createElement("div")
    canvas.style.cssText = "width: 400px; height: 300px"
    document.body.replaceChildren(canvas)
    await Plotly.newPlot(canvas, data, at_range(layout, ""))
    const seen = seen_range({canvas, home: () => layout, zoom: () => zoom})
    const relayout = (axes) => Promise.all(Object.entries(axes).map(([axis, {range, autorange}]) =>
      Plotly.relayout(canvas, {...(range ? {[`${axis}.range`]: range} : {}), [`${axis}.autorange`]: autorange})))
    const ranges = []
    for (const between of ["", "1000,2000", ""]) {
      miscope.between = between
      await move_axes({move: relayout}, seen.wanted)
      ranges.push(canvas._fullLayout.yaxis.range.map((end) => Number(end.toFixed(1))))
    }
    return ranges
  },
}"""


@pytest.fixture(scope="module")
def page(chromium):
    page = chromium.new_page()
    page.add_script_tag(path=str(bundle()))
    ours = Path(client.__file__).parent
    files = [
        *(FILES / f"{name}.js" for name in ("dom", "at_step", "framing")),
        *(ours / f"{name}.js" for name in ("between", "time_axes", "seen_range")),
    ]
    page.add_script_tag(content="\n".join(["window.miscope = {between: ''}", *(f.read_text() for f in files), SCRIPT]))
    yield page
    page.close()


@pytest.mark.parametrize(
    ("axis", "zoom", "seen"),
    [
        ({}, "", [7.6, 52.4]),
        ({"range": [0, 200]}, "", [0, 200]),
        ({"range": None}, "yaxis=0,9", None),
        ({"type": "log"}, "", [1.0, 1.7]),
    ],
    ids=["found", "given", "by hand", "log"],
)
def test_curves_that_are_seen_in_part_fill_the_height(page, axis, zoom, seen):
    # From 100 over 50 and 10 to 1: the last is not seen, nor the first.
    figure = go.Figure(go.Scatter(x=[0, 1000, 2000, 2000, 3000], y=[100, 50, 10, 10, 1], mode="lines"))
    figure.update_layout(yaxis=axis, meta={"miscope": {"time_axis": "x", "time_axes": ["x"]}})
    before, between, after = page.evaluate(
        "([figure, zoom]) => script.ranges(figure, zoom)", [json.loads(wire(figure)), zoom]
    )
    assert before == after
    assert between == (before if seen is None else seen)
