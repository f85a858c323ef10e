"""A square map that is alone stands amid its card, its colour bar above it, at every width."""

from __future__ import annotations

import json

import numpy as np
import pytest

from miscope.figures.client import part
from miscope.figures.wire import bundle, wire
from miscope_views.figures import figure

pytestmark = pytest.mark.browser

DRAW = """async ([figure, width]) => {
  const canvas = document.createElement("div")
  canvas.style.cssText = `position: absolute; left: 0; top: 0; width: ${width}px; height: 340px`
  document.body.replaceChildren(canvas)
  await Plotly.newPlot(canvas, figure.data, framed(figure, "a.view", {}))
  const corners = [".heatmaplayer image", ".colorbar .cbfills"].flatMap((part) => {
    const {left, right, top, bottom} = canvas.querySelector(part).getBoundingClientRect()
    return [left, right, top, bottom]
  })
  return [...corners, figure.layout.xaxis.constraintoward]
}"""


@pytest.mark.parametrize("width", [480, 1900])
def test_a_square_map_and_its_bar_stand_above_each_other_amid_the_card(chromium, width):
    page = chromium.new_page(viewport={"width": 2000, "height": 500})
    page.add_script_tag(path=str(bundle()))
    page.add_script_tag(content="\n".join([part("dom"), part("framing")]))
    shown = {"coloraxis": {"colorbar": {"title": {"text": "activation"}}}}
    axes = {"xaxis": {"constrain": "domain"}, "yaxis": {"scaleanchor": "x", "constrain": "domain"}}
    heat = {"type": "heatmap", "z": np.eye(9), "coloraxis": "coloraxis"}
    made = json.loads(wire(figure([heat], {**axes, **shown})))
    left, right, top, bottom, bar_left, bar_right, _, bar_bottom, toward = page.evaluate(DRAW, [made, width])
    assert abs((left + right) / 2 - width / 2) < 40
    assert bottom - top > 180
    assert left < bar_left < bar_right < right
    assert top - 40 < bar_bottom <= top
    assert toward == "right"
    page.close()
