"""Stages behind a figure's axes: those of an upright logarithmic axis, and names that can be read upon any colour."""

from __future__ import annotations

from pathlib import Path

import pytest

import miscope_panel
from miscope.figures.client import FILES
from miscope_panel.page.client import sheet

pytestmark = pytest.mark.browser

CLIENT = Path(miscope_panel.__file__).parent / "page" / "client"
SCRIPT = """window.miscope = {courses: [{variant: "v", pins: [], stages: [
  {name: "plateau", first: 0, last: 100, colour: "#0072B2"},
  {name: "generalised", first: 100, last: 1000, colour: "#009E73"},
]}]}
window.drawn = (time_axis) => {
  const side = (letter) => {
    const up = letter === "y"
    const counts = letter === time_axis
    // As a logarithmic axis of plotly.js from 10 to 1000: 0 has no place there.
    const d2p = (at) => (at > 0 ? (up ? 3 - Math.log10(at) : Math.log10(at) - 1) * 100 : undefined)
    return {_id: letter, _offset: 0, _length: 200, d2p: counts ? d2p : (at) => at}
  }
  const canvas = {on: () => {}, layout: {meta: {miscope: {time_axis, time_axes: [time_axis], variant: "v"}}},
    _fullLayout: {_plots: {xy: {xaxis: side("x"), yaxis: side("y")}}}}
  const {behind, upon, lay} = stages_behind(canvas)
  const overlay = Object.assign(document.createElement("div"), {className: "overlay"})
  document.body.replaceChildren(behind, upon, overlay)
  lay()
  const box = ({style}) => ["left", "width", "top", "height"].map((name) => Math.round(parseFloat(style[name])))
  return {bands: [...behind.children].map(box),
    names: [...upon.querySelectorAll(".stage")].map((name) => name.textContent),
    above: Number(getComputedStyle(upon).zIndex) > (Number(getComputedStyle(overlay).zIndex) || 0),
    paper: getComputedStyle(upon.querySelector(".stage b") ?? upon).backgroundColor}
}"""


@pytest.fixture(scope="module")
def drawn(chromium):
    """drawn("y"): what the stages of a training look like on that axis."""
    page = chromium.new_page()
    page.add_style_tag(content="\n".join([":root { --ms-paper: #fff }", sheet("chart"), sheet("stages_behind")]))
    parts = [
        FILES / "dom.js",
        FILES / "at_step.js",
        CLIENT / "tint.js",
        CLIENT / "stages_behind.js",
    ]
    page.add_script_tag(content="\n".join([*(path.read_text() for path in parts), SCRIPT]))
    yield lambda axis: page.evaluate("axis => drawn(axis)", axis)
    page.close()


def test_a_stage_that_begins_before_a_logarithmic_axis_begins_at_its_foot(drawn):
    assert drawn("x")["bands"] == [[0, 100, 0, 200], [100, 100, 0, 200]]
    assert drawn("y")["bands"] == [[0, 200, 100, 100], [0, 200, 0, 100]]


def test_names_of_stages_stand_on_paper_above_the_picture_and_the_line_of_the_cursor(drawn):
    told = drawn("x")
    assert told["names"] == ["plateau", "generalised"]
    assert told["above"]
    assert "rgba(0, 0, 0, 0)" != told["paper"] != "rgb(255, 255, 255)"
