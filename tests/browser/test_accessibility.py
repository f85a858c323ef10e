"""Every page, light and dark, looked over by axe: nothing that it calls serious or critical."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from miscope_panel.page.pages import OWN

pytestmark = pytest.mark.browser

VIEWS = "behaviour.losses,spectra.embedding,parameters.norms,parameters.trajectory"
"""A curve, bars, a card without an artifact, small panels."""
PLACES = (
    ("launch", "", 'button:has-text("Start")'),
    ("launch", "&launch:study.family=modadd.embedding-mlp&launch:seed=0,-1", '[aria-invalid="true"]'),
    ("runs", "&runs:parallel=on", ".tabulator[data-described]"),
    ("runs", "&group=prime&runs:unfolded=all:", ".tabulator[data-described] .name.member"),
    ("views", f"&views={VIEWS}&neuron=3", "section.card.is-missing"),
    ("compare", "&v={zero}&v={one}&compare:views=behaviour.losses,spectra.embedding", ".differs summary"),
    ("jobs", "", ".jobs"),
    ("jobs", "&jobs:part=analyses", 'table[role="grid"]'),
    ("catalogue", "", ".list .title"),
    ("catalogue", "&catalogue:find=fourier&catalogue:show=view:spectra.embedding", ".list [aria-expanded=true]"),
    ("installed", "", "text=miscope-modadd"),
)
"""Pages, what is looked at of them, and what is seen once that is there."""
GO = """query => {
  history.pushState(null, "", query)
  dispatchEvent(new PopStateEvent("popstate"))
}"""
"""As the browser's Back goes there: the page stays loaded."""


def test_something_is_looked_at_of_every_page_of_the_dashboard():
    assert {name for name, _, _ in PLACES} == {page.name for page in OWN}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(visit, small, serious, theme):
    zero, one = (variant.name for variant in small.variants())
    page, _ = visit(f"page={PLACES[0][0]}&theme={theme}")
    expect(page.locator(PLACES[0][2]).first).to_be_visible()
    found = []
    for name, more, seen in PLACES:
        page.evaluate(GO, f"?page={name}{more.format(zero=zero, one=one)}&theme={theme}")
        expect(page.locator(seen).first).to_be_visible()
        expect(page.locator("section.card.is-figure:not([data-drawn])")).to_have_count(0)
        found += serious(page, name)
    assert not found, "\n".join(found)


OPENED = (
    ("keys", lambda page: page.keyboard.press("?"), lambda page: page.get_by_text("these keys")),
    (
        "axes",
        lambda page: page.get_by_role("button", name="axes", exact=True).click(),
        lambda page: page.get_by_role("dialog", name="Axes"),
    ),
    (
        "pins",
        lambda page: page.get_by_role("button", name="pin", exact=True).click(),
        lambda page: page.get_by_role("dialog", name="Pins"),
    ),
    (
        "about",
        lambda page: page.get_by_role("button", name="About this view (i)").first.click(),
        lambda page: page.get_by_role("region", name="About Train and test loss"),
    ),
    (
        "menu",
        lambda page: page.get_by_role("button", name="Train and test loss: more").click(),
        lambda page: page.get_by_role("menuitem").first,
    ),
    (
        "reports",
        lambda page: page.get_by_role("button", name="Report on the open cards").click(),
        lambda page: page.get_by_role("menuitem", name="Page (HTML)"),
    ),
    (
        "search",
        lambda page: page.get_by_label("Search views").fill("hesian trace"),
        lambda page: page.get_by_text("this is “hessian”"),
    ),
)
"""What opens on the workbench, how, and what is seen then."""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_what_opens_on_the_workbench(visit, serious, theme):
    page, _ = visit(f"views={VIEWS}&theme={theme}")
    expect(page.locator("section.card.is-missing")).to_be_visible()
    expect(page.locator("section.card.is-figure:not([data-drawn])")).to_have_count(0)
    found = []
    for name, open_it, seen in OPENED:
        open_it(page)
        expect(seen(page)).to_be_visible(timeout=30_000)
        found += serious(page, name)
        page.keyboard.press("Escape")
    assert not found, "\n".join(found)
