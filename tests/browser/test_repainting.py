"""A step that has other numbers alone is painted over what plotly.js drew, and looks as if it had been drawn anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope.figures.client import FILES
from miscope.figures.wire import bundle, looks, wire
from miscope_panel.page import client

pytestmark = pytest.mark.browser

SCRIPT = """window.script = {
  // What is drawn, without the pixels of heat maps; and the pixels.
  async seen(place) {
    const svg = [...place.querySelectorAll(".main-svg")].map((one) => one.outerHTML).join("")
    const images = [...place.querySelectorAll(".hm image")].map((one) => one.href.baseVal)
    const pixels = await Promise.all(images.map(async (address) => {
      const image = Object.assign(new Image(), {src: address})
      await image.decode()
      const brush = new OffscreenCanvas(image.width, image.height).getContext("2d")
      brush.drawImage(image, 0, 0)
      return [...brush.getImageData(0, 0, image.width, image.height).data]
    }))
    return [svg.replace(/data:image[^"]*/g, "image"), pixels]
  },
  async over(before, now, template) {
    const place = document.createElement("div")
    place.style.cssText = "width: 600px; height: 400px"
    document.body.replaceChildren(place)
    for (const {layout} of [before, now]) layout.template = template
    const [came, comes] = [apart(before), apart(now)]
    const draw = ({data, layout}) =>
      Plotly.react(place, data.map((trace) => in_numbers({...trace})), structuredClone(layout))
    // The second time what is measured by then is written otherwise.
    for (const one of [before, before]) await draw(one)
    const over = painted_over(place, came, comes, shades_kept())
    const [svg, pixels] = await script.seen(place)
    await draw(over ? now : before)
    const [wanted, exact] = await script.seen(place)
    const off = exact.map((image, i) => Math.max(...image.map((byte, at) => Math.abs(byte - pixels[i][at]))))
    return {over, same: svg === wanted, off}
  },
}"""


@pytest.fixture(scope="module")
def over(chromium):
    """over(before, now): whether the second was painted over the first, and what then differs from one drawn anew."""
    page = chromium.new_page()
    page.add_script_tag(path=str(bundle()))
    chart = (FILES / "chart.js").read_text()
    ours = (Path(client.__file__).parent / "repainting.js").read_text()
    page.add_script_tag(content="\n".join([(FILES / "dom.js").read_text(), chart, ours, SCRIPT]))
    template = json.loads(json.dumps(looks()["templates"]["light"], default=list))

    def compare(before: go.Figure, now: go.Figure) -> dict[str, Any]:
        figures = [json.loads(wire(each)) for each in (before, now)]
        return page.evaluate("([before, now, template]) => script.over(before, now, template)", [*figures, template])

    yield compare
    page.close()


def mixed(seed: int, **axes: Any) -> go.Figure:
    """Two heat maps, one from the top down, and bars over a fixed range."""
    random = np.random.default_rng(seed)
    figure = go.Figure(
        [
            go.Heatmap(z=random.random((5, 7)), coloraxis="coloraxis"),
            go.Heatmap(z=random.random((6, 4)), xaxis="x2", yaxis="y2", coloraxis="coloraxis", hoverinfo="skip"),
            go.Bar(x=list("abc"), y=random.random(3), xaxis="x3", yaxis="y3"),
        ]
    )
    figure.update_layout(
        meta={"miscope": {"step": seed}},
        coloraxis={"cmin": 0.1, "cmax": 0.9},
        xaxis={"domain": [0, 0.3]},
        xaxis2={"domain": [0.36, 0.6], "anchor": "y2"},
        xaxis3={"domain": [0.7, 1], "anchor": "y3"},
        yaxis2={"autorange": "reversed", "anchor": "x2"},
        yaxis3={"range": [0, 1], "anchor": "x3"},
    )
    return figure.update_layout(**axes)


def test_other_numbers_are_painted_over_and_look_as_if_drawn_anew(over):
    """Colours differ by one in 256 at most."""
    found = over(mixed(0), mixed(1))
    assert (found["over"], found["same"], len(found["off"])) == (True, True, 2)
    assert max(found["off"]) <= 1


def test_of_the_same_numbers_nothing_is_drawn(over):
    assert over(mixed(0), mixed(0)) == {"over": True, "same": True, "off": [0, 0]}


@pytest.mark.parametrize(
    "other",
    [
        mixed(1, yaxis3_range=[0, 2]),
        mixed(1, title="Another"),
        mixed(1, coloraxis_cmax=0.8),
        mixed(1, annotations=[{"text": "here", "x": 0.5, "y": 0.5}]),
        go.Figure(mixed(1)).update_traces({"x": list("abd")}, {"type": "bar"}),
        go.Figure(mixed(1)).update_traces({"z": np.ones((5, 8))}, 0),
        go.Figure(mixed(1)).update_traces({"marker": {"color": "red"}}, {"type": "bar"}),
        go.Figure(mixed(1).data[:2], mixed(1).layout),
    ],
    ids=["range", "title", "colours", "words", "names", "size", "colour of bars", "fewer"],
)
def test_what_is_more_than_other_numbers_is_left_to_plotly(over, other):
    assert over(mixed(0), other)["over"] is False


def test_bars_over_an_axis_that_finds_its_own_range_are_left_to_plotly(over):
    before, now = (go.Figure(mixed(seed)).update_layout(yaxis3={"range": None}) for seed in (0, 1))
    assert over(before, now)["over"] is False


def test_numbers_that_are_not_there_are_no_pixels(over):
    z = np.full((5, 7), 0.5)
    z[1, 2], z[2, 3] = np.nan, np.inf
    holed = go.Figure(mixed(1)).update_traces({"z": z}, 0)
    found = over(mixed(0), holed)
    assert (found["over"], found["same"]) == (True, True)
    assert max(found["off"]) <= 1
