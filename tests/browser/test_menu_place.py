"""A menu is seen whole where the window has room for it, wherever its button stands, and scrolls where it has not."""

from __future__ import annotations

import pytest

from miscope_panel.page.client import source, style

pytestmark = pytest.mark.browser

OPEN = """([top, look]) => {
  const card = document.createElement("div")
  card.style.cssText = `position: absolute; overflow: hidden; left: 200px; width: 200px; height: 60px; top: ${top}px`
  const root = card.attachShadow({mode: "open"})
  root.append(Object.assign(document.createElement("style"), {textContent: look}))
  document.body.replaceChildren(card)
  const items = [...Array(12).keys()].map((each) => [`entry ${each}`, () => {}])
  root.append(...menu({on: () => {}}, "more", () => [{title: "Save", items}]))
  root.querySelector("button").click()
  return menu_box()
}"""
BOX = """const menu_box = () => {
  const root = document.body.firstElementChild.shadowRoot
  const list = root.querySelector(".menu")
  const {top, bottom} = list.getBoundingClientRect()
  const beside = root.querySelector("button").getBoundingClientRect()
  const seen = root.elementFromPoint(list.getBoundingClientRect().left + 30, bottom - 20)?.textContent
  return [top, bottom, beside.top, beside.bottom, list.scrollHeight > list.clientHeight, seen].map(
    (each) => typeof each === "number" ? Math.round(each) : each)
}"""


def test_a_menu_opens_where_the_window_has_room_for_all_of_it(chromium):
    page = chromium.new_page(viewport={"width": 700, "height": 800})
    page.add_script_tag(content="\n".join([source("menu"), BOX]))
    top, bottom, _, below, scrolls, last = page.evaluate(OPEN, [20, style("card")])
    assert (top, scrolls, last) == (below, False, "entry 11")
    assert bottom <= 792
    top, bottom, above, _, scrolls, last = page.evaluate(OPEN, [700, style("card")])
    assert (bottom, scrolls, last) == (above, False, "entry 11")
    assert top >= 8
    page.set_viewport_size({"width": 700, "height": 500})
    top, bottom, _, _, scrolls, last = page.evaluate(OPEN, [240, style("card")])
    assert (bottom, scrolls, last) == (492, False, "entry 11")
    page.set_viewport_size({"width": 700, "height": 200})
    page.wait_for_function("() => menu_box()[1] <= 192 && menu_box()[0] >= 8 && menu_box()[4]")
    page.close()
