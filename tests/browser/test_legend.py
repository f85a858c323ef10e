"""A legend above the plot stays above it, however many rows its names take in the width there is."""

from __future__ import annotations

import json

import plotly.graph_objects as go
import pytest

from miscope.figures.client import FILES
from miscope.figures.wire import bundle, looks, wire

pytestmark = pytest.mark.browser

SCRIPT = """window.script = {
  async draw({data, layout}, template) {
    script.canvas = document.createElement("div")
    script.canvas.style.cssText = "position: absolute; left: 0; top: 0; width: 400px; height: 340px"
    document.body.replaceChildren(script.canvas)
    const overlay = document.createElement("div")
    const chart = chart_in({model: {on: () => {}}, root: document.body, canvas: script.canvas, overlay,
      library: async () => Plotly, mark: () => null, jump: () => {}})
    await chart.draw(data, framed({data, layout}, "a.view", template), {})
    return script.legend()
  },
  widen: (width) => (script.canvas.style.width = `${width}px`),
  // How tall it is, and how far it reaches into the plot.
  legend() {
    const {bottom, height} = script.canvas.querySelector(".legend .bg").getBoundingClientRect()
    return [height, Math.round(bottom - script.canvas._fullLayout._size.t)]
  },
}"""


def test_a_legend_that_takes_fewer_or_more_rows_after_a_resize_is_above_the_plot(chromium):
    page = chromium.new_page()
    page.add_script_tag(path=str(bundle()))
    parts = [(FILES / f"{name}.js").read_text() for name in ("dom", "selecting", "at_step", "chart", "framing")]
    page.add_script_tag(content="\n".join([*parts, SCRIPT]))
    names = ["prime=23, seed=0", "prime=23, seed=1", "prime=23, seed=2", "train", "test"]
    figure = json.loads(wire(go.Figure([go.Scatter(x=[0, 1], y=[0, 1], name=name) for name in names])))
    template = json.loads(json.dumps(looks()["templates"]["light"], default=list))
    tall, within = page.evaluate("([figure, template]) => script.draw(figure, template)", [figure, template])
    assert within == 0
    for width, rows in ((1000, "height < tall"), (400, "height === tall")):
        page.evaluate("width => script.widen(width)", width)
        told = f"tall => {{ const [height, within] = script.legend(); return {rows} && within === 0 }}"
        page.wait_for_function(told, arg=tall)
    page.close()
