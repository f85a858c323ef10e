"""Cards whose pictures come at about the same time are drawn in one go; nothing but the script of the page is tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from miscope.figures.client import FILES
from miscope_panel.page import client

pytestmark = pytest.mark.browser

DRAWN = """async () => {
  // Of a round without end, unless it is told to begin.
  const later = window.setTimeout
  window.setTimeout = () => 0
  const [first, second, drawn] = [{}, {}, []]
  miscope.late.add(first).add(second)
  const draw = (name) => page_script.together().then(() => drawn.push(name))
  const all = [draw("first")]
  const rest = () => new Promise((done) => later.call(window, done, 0))
  miscope.late.delete(first)
  page_script.begin_unless_late()
  await rest()
  const before = drawn.length
  all.push(draw("second"))
  miscope.late.delete(second)
  page_script.begin_unless_late()
  await Promise.all(all)
  all.push(draw("alone"))
  await Promise.all(all)
  window.setTimeout = later
  return [before, drawn]
}"""


def test_a_card_waits_for_those_whose_picture_is_on_its_way_and_a_single_one_for_none(chromium) -> None:
    page = chromium.new_page()
    parts = (FILES / "dom.js").read_text(), (Path(client.__file__).parent / "page.js").read_text()
    page.add_script_tag(content="\n".join([*parts, "window.page_script = {together, begin_unless_late}"]))
    assert page.evaluate(DRAWN) == [0, ["first", "second", "alone"]]
    page.close()
