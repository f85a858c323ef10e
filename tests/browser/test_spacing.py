"""Space between what stands on a page: none for what is empty, none left at the edge, some between words and marks."""

from __future__ import annotations

import pytest

from miscope_panel.page.client import sheet, style
from miscope_panel.page.parallel_drawer import ParallelAxes

pytestmark = pytest.mark.browser

ROOM = """([look, html]) => {
  const host = document.createElement("div")
  host.style.width = "1800px"
  document.body.replaceChildren(host)
  const root = host.attachShadow({mode: "open"})
  root.innerHTML = `<style>${look}</style>${html}`
  return [...root.querySelectorAll("[data-box]")].map((part) => {
    const {left, right, top, bottom} = part.getBoundingClientRect()
    return [left, right, top, bottom].map(Math.round)
  })
}"""

AXES = """window.miscope = {}
const model = {heard: 0, open: true, revision: 0, bounds: {}, selected: [], on: () => {}, send_msg: () => {},
  axes: ["prime", "seed"].map((name) => (
    {name, logarithmic: false, places: [0, 1], marks: [[0, "0"], [1, "1"]], ends: [0, 1]}))}
render({model, el: document.body})"""

OVERLAPS = """() => {
  const boxes = (look) => [...document.querySelectorAll(look)].map((part) => part.getBoundingClientRect())
  const handles = boxes(".handle path")
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
  return [handles.length, boxes(".mark").filter((mark) => handles.some((handle) => meet(mark, handle))).length]
}"""


@pytest.fixture
def page(chromium):
    page = chromium.new_page(viewport={"width": 1900, "height": 900})
    yield page
    page.close()


def test_a_form_without_fields_takes_no_gap(page):
    html = '<div class="form"><p data-box>a</p><div class="groups"></div><p data-box>b</p></div>'
    above, below = page.evaluate(ROOM, [style("launch"), html])
    assert below[2] - above[3] == 12


def test_jobs_end_where_other_pages_end(page):
    html = '<div class="jobs"><div class="head" data-box></div></div>'
    assert page.evaluate(ROOM, [style("jobs_board"), html])[0][1] == 8 + 1800 - 16


def test_values_at_the_ends_of_parallel_axes_stand_beside_the_handles(page):
    page.add_style_tag(content=sheet("parallel_axes"))
    page.add_script_tag(content=f"{ParallelAxes._esm}\n{AXES}", type="module")
    page.locator(".axis .mark").first.wait_for()
    assert page.evaluate(OVERLAPS) == [4, 0]
