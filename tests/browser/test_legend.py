"""A legend above the plot stays above it, however many rows its names take in the width there is."""

from __future__ import annotations

import json

import plotly.graph_objects as go
import pytest

from miscope.figures.client import FILES
from miscope.figures.wire import bundle, looks, wire

pytestmark = pytest.mark.browser

SCRIPT = """window.script = {
  async draw({data, layout}, template, width) {
    script.canvas = document.createElement("div")
    script.canvas.style.cssText = `position: absolute; left: 0; top: 0; width: ${width}px; height: 340px`
    document.body.replaceChildren(script.canvas)
    const overlay = document.createElement("div")
    const chart = chart_in({model: {on: () => {}}, root: document.body, canvas: script.canvas, overlay,
      library: async () => Plotly, mark: () => null, jump: () => {}})
    await chart.draw(data, framed({data, layout}, "a.view", template), {})
    return script.legend()
  },
  widen: (width) => (script.canvas.style.width = `${width}px`),
  bar: () => script.canvas.querySelector(".legend .scrollbar").getBoundingClientRect().height,
  // How tall it is, and how far it reaches into the plot.
  legend() {
    const {bottom, height} = script.canvas.querySelector(".legend .bg").getBoundingClientRect()
    return [height, Math.round(bottom - script.canvas._fullLayout._size.t)]
  },
}"""


def drawn(page, names, width):
    """Draws a curve of each name; how tall the legend is and how far it reaches into the plot."""
    page.add_script_tag(path=str(bundle()))
    parts = [(FILES / f"{name}.js").read_text() for name in ("dom", "selecting", "at_step", "chart", "framing")]
    page.add_script_tag(content="\n".join([*parts, SCRIPT]))
    figure = json.loads(wire(go.Figure([go.Scatter(x=[0, 1], y=[0, 1], name=name) for name in names])))
    template = json.loads(json.dumps(looks()["templates"]["light"], default=list))
    return page.evaluate("([figure, look, width]) => script.draw(figure, look, width)", [figure, template, width])


def test_names_of_a_model_s_matrices_are_all_read_without_scrolling(chromium):
    page = chromium.new_page()
    block = [f"blocks.0.{name}" for name in ("attn.W_Q", "attn.W_K", "attn.W_V", "attn.W_O", "mlp.W_in", "mlp.W_out")]
    _, within = drawn(page, ["W_E", "W_pos", *block, "W_U", "total"], 520)
    assert (within, page.evaluate("script.bar()")) == (0, 0)
    page.close()


def test_a_legend_that_takes_fewer_or_more_rows_after_a_resize_is_above_the_plot(chromium):
    page = chromium.new_page()
    names = ["prime=23, seed=0", "prime=23, seed=1", "prime=23, seed=2", "train", "test"]
    tall, within = drawn(page, names, 400)
    assert within == 0
    for width, rows in ((1000, "height < tall"), (400, "height === tall")):
        page.evaluate("width => script.widen(width)", width)
        told = f"tall => {{ const [height, within] = script.legend(); return {rows} && within === 0 }}"
        page.wait_for_function(told, arg=tall)
    page.close()
