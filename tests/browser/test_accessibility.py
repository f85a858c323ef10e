"""Every page, light and dark, looked over by axe: nothing that it calls serious or critical."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from miscope_panel.page.pages import OWN

pytestmark = pytest.mark.browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
VIEWS = "behaviour.losses,spectra.embedding,parameters.norms,parameters.trajectory"
"""A curve, bars, a card without an artifact, small panels."""
PLACES = (
    ("launch", "", 'button:has-text("Start")'),
    ("runs", "&runs:parallel=on", ".tabulator[data-described]"),
    ("runs", "&group=prime&runs:unfolded=all:", ".tabulator[data-described] .name.member"),
    ("views", f"&views={VIEWS}&neuron=3", "section.card.is-missing"),
    ("compare", "&v={zero}&v={one}&compare:views=behaviour.losses,spectra.embedding", ".differs summary"),
    ("jobs", "", ".jobs"),
    ("jobs", "&jobs:part=analyses", 'table[role="grid"]'),
    ("catalogue", "", ".list .title"),
    ("installed", "", "text=miscope-modadd"),
)
"""Pages, what is looked at of them, and what is seen once that is there."""
GO = """query => {
  history.pushState(null, "", query)
  dispatchEvent(new PopStateEvent("popstate"))
}"""
"""As the browser's Back goes there: the page stays loaded."""
LOOKED_OVER = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]})
  return found.violations.flatMap(({id, impact, help, nodes}) => nodes.map((node) =>
    [impact, `${id}: ${help}`, node.failureSummary, node.target.flat(9).join(" "), node.html.slice(0, 160)]))
}"""


def test_something_is_looked_at_of_every_page_of_the_dashboard():
    assert {name for name, _, _ in PLACES} == {page.name for page in OWN}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(visit, small, theme):
    zero, one = (variant.name for variant in small.variants())
    page, _ = visit(f"page={PLACES[0][0]}&theme={theme}")
    expect(page.locator(PLACES[0][2]).first).to_be_visible()
    page.evaluate(AXE)
    serious = []
    for name, more, seen in PLACES:
        page.evaluate(GO, f"?page={name}{more.format(zero=zero, one=one)}&theme={theme}")
        expect(page.locator(seen).first).to_be_visible()
        expect(page.locator("section.card.is-figure:not([data-drawn])")).to_have_count(0)
        for impact, *words in page.evaluate(LOOKED_OVER):
            if impact in ("serious", "critical"):
                serious.append("  ".join([name, *words]))
    # Not compared: what pytest shows of two texts is cut.
    if serious:
        pytest.fail("\n".join(serious))
