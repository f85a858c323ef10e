"""How long after a press a page shows what came of it, by the page's own clock. In a real Chromium."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, final

from workbench import CARDS, DRAWN

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ALL = """(function found(root, names, those = []) {
  for (const each of root.querySelectorAll("*")) {
    if (each.matches(names)) those.push(each)
    if (each.shadowRoot) found(each.shadowRoot, names, those)
  }
  return those
})"""
ON_SCREEN = f"""{CARDS}.filter((card) => {{
  const {{top, bottom}} = card.getBoundingClientRect()
  return bottom > 0 && top < innerHeight
}})"""
SHOWN = f"() => {{ const seen = {ON_SCREEN}; return seen.length > 1 && seen.every((card) => card.dataset.drawn) }}"
"""Every card on the screen has its picture, or says why not."""
MARKED = f"() => {CARDS}.forEach((card) => (card.wasThere = true))"
NEW = f"""() => {{
  const seen = {ON_SCREEN}
  return seen.length > 1 && seen.every((card) => card.dataset.drawn && !card.wasThere)
}}"""
"""And none of them was there when they were marked."""
OF_VARIANT = f"""([name, least]) => {{
  const about = (card) => card.querySelector(".plot")?.layout?.meta?.miscope
  const seen = {ON_SCREEN}
  return seen.length >= least && seen.every((card) => card.dataset.drawn && about(card)?.variant === name)
}}"""
ROWS = f"(count) => {ALL}(document, '.tabulator-row').length === count"
JUMPED = """(before) => miscope.step !== before"""

KEYED = f"""(key) => {{
  const lines = {ALL}(document, ".overlay .line")
  const places = () => {ALL}(document, ".overlay .line").map((line) => line.getBoundingClientRect().left).join()
  const before = places(), began = performance.now()
  window.dispatchEvent(new KeyboardEvent("keydown", {{key, bubbles: true}}))
  document.body.getBoundingClientRect()
  const taken = performance.now() - began
  if (places() === before) throw new Error("the marks did not move while the key was handled")
  return {{taken, marks: lines.length}}
}}"""
"""The marks are moved by the time the key was handled; how long that takes, the page laid out anew."""
IMAGE = f"""() => new Promise((done) => {{
  const card = {CARDS}.find((card) => card.matches(".is-figure"))
  const save = HTMLAnchorElement.prototype.click, began = performance.now()
  HTMLAnchorElement.prototype.click = function () {{
    HTMLAnchorElement.prototype.click = save
    done(performance.now() - began)
  }}
  card.querySelector("button[aria-haspopup=menu]").click()
  const items = [...card.querySelectorAll("[role=menuitem]")]
  items.find((item) => item.textContent === "Image (PNG)").click()
}})"""
NOTED = f"""() => {{
  const noted = (window.noted = {{}})
  const look = () => {{
    const now = performance.timeOrigin + performance.now()
    for (const run of {ALL}(document, "article[data-run]")) {{
      const section = run.closest("[data-section]")?.dataset.section
      for (const what of ["row", section, run.querySelector(".state").textContent.split(":")[0]])
        noted[`${{run.dataset.run}} ${{what}}`] ??= now
    }}
    setTimeout(look, 10)
  }}
  addEventListener("click", ({{timeStamp}}) => (window.pressed = performance.timeOrigin + timeStamp), true)
  look()
}}"""
"""When each run was first in a section and in a state, and when something was clicked last."""
LAST_SHOWN = f"""() => {{
  const shown = (window.shown = [])
  const last = (trace) => trace.x?.[trace.x.length - 1] ?? 0
  const look = () => {{
    const plot = {CARDS}[0]?.querySelector(".plot")
    const step = Math.max(0, ...(plot?._fullData ?? []).map(last))
    if (step !== shown.at(-1)?.[1]) shown.push([performance.timeOrigin + performance.now(), step])
    setTimeout(look, 10)
  }}
  look()
}}"""
"""When the chart came to show which step as its last."""


def page_of(browser: Browser, address: str, *, tall: int = 900) -> Page:
    """A page of that address, which may take its time."""
    page = browser.new_page(viewport={"width": 1440, "height": tall})
    page.set_default_timeout(300_000)
    page.goto(address)
    return page


def drawn_page(browser: Browser, address: str, views: Sequence[str], more: str = "", *, tall: int = 2400) -> Page:
    """A page on which all these cards were drawn, and that is at rest."""
    page = page_of(browser, f"{address}?page=views&views={','.join(views)}{more}", tall=tall)
    page.wait_for_function(DRAWN, arg=len(views))
    page.wait_for_timeout(1000)
    return page


LOOKING = """(holds, since) => new Promise((done, fail) => {
  const look = () => {
    const looked = performance.now(), taken = looked - since
    if (holds()) done(taken)
    else if (taken > 60000) fail(new Error(`not after a minute: ${holds}`))
    else setTimeout(look, Math.max(5, 9 * (performance.now() - looked)))
  }
  setTimeout(look)
})"""
"""Milliseconds since then until it holds. Looking takes a tenth of the page's time at most."""


def until(page: Page, event: str, press: Callable[[], object], holds: str, argument: object = None) -> float:
    """Milliseconds from the next event of that name, which the press brings about, until it holds."""
    page.evaluate(
        f"""([event, argument]) => {{
          window.measured = new Promise((done, fail) => addEventListener(event, ({{timeStamp}}) =>
            ({LOOKING})(() => ({holds})(argument), timeStamp).then(done, fail), {{capture: true, once: true}}))
        }}""",
        [event, argument],
    )
    press()
    return page.evaluate("window.measured")


def since_asked(page: Page, holds: str) -> float:
    """Milliseconds since the page was asked for, until it holds."""
    return page.evaluate(f"() => ({LOOKING})({holds}, 0)")


@final
class Work:
    """How long the main thread of a page is at work: what a machine with cores to spare takes at least."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._before = self._now()

    def _now(self) -> float:
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return next(1e3 * each["value"] for each in metrics if each["name"] == "TaskDuration")

    def done(self) -> float:
        """Milliseconds of processor time since this was made."""
        return self._now() - self._before


def row(what: str, taken: Sequence[float], aim: float | None = None, late: float | None = None) -> dict[str, object]:
    """A line of the table: the median, and what 95 of 100 stay below where there are enough of them."""
    ordered = sorted(taken)
    beyond = {"p95": round(ordered[round(0.95 * (len(ordered) - 1))], 3)} if len(ordered) >= 10 else {}
    return {"what": what, "median": round(statistics.median(ordered), 3), "aim": aim, **beyond, "aim of p95": late}
