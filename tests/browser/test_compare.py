"""Two trainings of different seeds on the page of comparisons: each way of looking at them, and its address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

VIEWS = "compare:views=behaviour.losses,neurons.frequencies"


def drawn(page, title):
    """The card of that title, once its figure is drawn."""
    card = page.locator(f'section.card[aria-label="{title}"]').first
    expect(card.locator(".main-svg").first).to_be_attached()
    return card


def filled(page, title):
    """Wait until the last card of that title ends where the page does."""
    for _ in range(600):
        ends = page.locator(f'section.card[aria-label="{title}"]').evaluate_all(
            "cards => cards.map((card) => innerWidth - card.getBoundingClientRect().right)"
        )
        if ends and max(ends) < 40:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{title} leaves {ends} of the width empty")


def test_two_seeds_are_compared_in_every_way_and_the_address_shows_the_same(visit, small):
    zero, one = (variant.name for variant in small.variants())
    page, _ = visit(f"page=compare&v={zero}&v={one}&{VIEWS}")
    expect(page.locator(".differs summary")).to_have_text("They differ only in seed.")
    expect(page.locator(".chip b")).to_have_text(["A  seed=0", "B  seed=1"])
    over = drawn(page, "Train and test loss")
    expect(over.locator(".legendtext").first).to_have_text("seed=0")

    page.get_by_role("radio", name="Small multiples").click()
    expect(page).to_have_url(re.compile("compare:mode=grid"))
    for seed in ("seed=0", "seed=1"):
        expect(drawn(page, seed).locator(".behind i").first).to_be_attached()

    page.get_by_role("radio", name="Small multiples").press("ArrowRight")
    expect(page.get_by_role("radio", name="A | B")).to_have_attribute("aria-checked", "true")
    page.get_by_role("radio", name="A | B").press("ArrowRight")
    expect(page).to_have_url(re.compile("compare:mode=difference"))
    expect(drawn(page, "seed=1  −  seed=0").locator(".ytitle").first).to_contain_text("difference of")

    page.get_by_role("radio", name="Overlay").click()
    align = page.get_by_label("Align by")
    align.select_option("memorised")
    expect(page).to_have_url(re.compile("compare:align=memorised"))
    expect(drawn(page, "Train and test loss").locator(".xtitle").first).to_have_text("epochs since memorised")
    page.locator(".chip").first.click(position={"x": 2, "y": 2})
    page.keyboard.press("z")
    expect(page).to_have_url(re.compile("cursor:between="))
    expect(page.locator("button.range")).to_have_text(re.compile(r"^epochs since memorised \d"))
    shared = page.url

    other, _ = visit(shared.partition("?")[2])
    expect(other.get_by_label("Align by")).to_have_value("memorised")
    expect(drawn(other, "Train and test loss").locator(".xtitle").first).to_have_text("epochs since memorised")
    expect(other.locator("button.range")).to_have_text(page.locator("button.range").text_content())
    expect(other.locator(".chip b")).to_have_text(["A  seed=0", "B  seed=1"])

    other.get_by_role("radio", name="Small multiples").click()
    expect(drawn(other, "seed=1")).to_be_visible()
    # As Bokeh leaves them where the board changes while its cards are being built.
    for part in ('section.card[aria-label="seed=1"]', 'h2:text-is("Train and test loss")'):
        other.locator(part).first.evaluate(
            "part => { const {host} = part.getRootNode(); host.before(host.cloneNode()); host.parentNode.append(host) }"
        )
    other.set_viewport_size({"width": 2560, "height": 1300})
    filled(other, "seed=1")
    expect(other.locator("[data-tag]")).to_have_count(6)
    shown = ["Train and test loss", "seed=0", "seed=1", "Neurons by component", "seed=0", "seed=1"]
    names = other.locator("[data-tag]").locator("h2, h3")
    expect(names).to_have_text(shown)
    other.get_by_role("radio", name="Difference").click()
    less = "seed=1  −  seed=0"
    expect(names).to_have_text(["Train and test loss", less, "Neurons by component", less])


def test_the_numbers_of_an_overlay_are_saved_and_name_the_variants(visit, small):
    zero, one = (variant.name for variant in small.variants())
    page, _ = visit(f"page=compare&v={zero}&v={one}&compare:views=behaviour.losses")
    card = drawn(page, "Train and test loss")
    card.locator("button[aria-haspopup=menu]").click()
    with page.expect_download() as download:
        card.get_by_role("menuitem", name="Numbers (CSV)", exact=True).click()
    assert download.value.suggested_filename == "2-variants.behaviour.losses.overlay.csv"
    rows = download.value.path().read_text().splitlines()
    assert {row.partition(" · ")[0].strip('"') for row in rows[1:]} == {"seed=0", "seed=1"}
    expect(page.get_by_role("status").filter(has_text="The file is ready.")).to_be_visible()
