"""Where cards lie: no hole among them, a held one beside its view, a new one where it is seen."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

FOUR = "behaviour.losses,behaviour.accuracies,spectra.embedding,behaviour.margins"


_PLACES = """cards => cards.map((card) => {
  const {x, y} = card.getBoundingClientRect()
  return [Math.round(y), Math.round(x), card.getAttribute("aria-label")]
})"""


def card(page, title):
    return page.locator(f'section.card[aria-label="{title}"]')


def rows(page):
    """Titles of the cards as they lie, from the top and from the left."""
    placed = sorted(page.locator("section.card").evaluate_all(_PLACES))
    return [[title for y, _, title in placed if y == row] for row in sorted({y for y, _, _ in placed})]


def come(page, wanted):
    """Wait until the cards lie so."""
    for _ in range(600):
        if rows(page) == wanted:
            return
        page.wait_for_timeout(100)
    assert rows(page) == wanted


def test_a_card_that_is_held_lies_beside_its_view_and_no_place_of_the_board_is_empty(visit):
    page, _ = visit(f"views={FOUR}&e=2000")
    losses, accuracies, spectrum = "Train and test loss", "Train and test accuracy", "Embedding spectrum"
    margins = "Margin of the right answer"
    come(page, [[losses, accuracies], [spectrum, margins]])
    for title in (losses, accuracies):
        expect(card(page, title)).to_have_attribute("data-drawn", "1")
    card(page, accuracies).get_by_role("button", name=f"{accuracies}: more").click()
    page.get_by_role("menuitem", name="Hold it beside").click()
    come(page, [[losses], [accuracies, accuracies], [spectrum, margins]])
    card(page, spectrum).get_by_label("Full width").click()
    come(page, [[losses], [accuracies, accuracies], [spectrum], [margins]])
    card(page, spectrum).get_by_label("Full width").click()
    card(page, losses).get_by_label("Close this view").click()
    come(page, [[accuracies, accuracies], [spectrum, margins]])


def test_a_card_that_is_opened_comes_into_sight(visit):
    page, _ = visit(f"views={FOUR},spectra.embedding_map,neurons.heatmap")
    page.get_by_label("Search views").fill("neurons.clusters")
    page.locator('[data-view="neurons.clusters"]').click()
    expect(card(page, "Neuron clusters over training")).to_be_in_viewport(ratio=0.5)


def test_a_few_cards_fill_a_large_screen(chromium, address):
    page = chromium.new_page(viewport={"width": 2560, "height": 1440})
    page.goto(f"{address}?views={FOUR}")
    page.locator("section.card").nth(3).wait_for()
    come(
        page, [["Train and test loss", "Train and test accuracy"], ["Embedding spectrum", "Margin of the right answer"]]
    )
    boxes = [one.bounding_box() for one in page.locator("section.card").all()]
    covered = sum(box["width"] * box["height"] for box in boxes)
    page.close()
    assert covered > 0.8 * (2560 - 312) * (1440 - 52 - 52)


def test_full_width_zoom_and_the_spacing_of_the_slider_are_in_the_address_and_come_back(visit):
    page, _ = visit(f"views={FOUR}&e=2000")
    losses = card(page, "Train and test loss")
    losses.get_by_label("Full width").click()
    expect(page).to_have_url(re.compile("behaviour.losses:full-width=1"))
    page.get_by_title("Spacing of the steps along the slider").click()
    expect(page).to_have_url(re.compile("cursor:spacing=log"))
    expect(losses).to_have_attribute("data-drawn", re.compile(r"\d+"))
    area = losses.locator(".plot .nsewdrag").first.bounding_box()
    page.mouse.move(area["x"] + 0.2 * area["width"], area["y"] + 40)
    page.mouse.down()
    page.mouse.move(area["x"] + 0.6 * area["width"], area["y"] + 45, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("cursor:between="))
    ranges = "plot => plot._fullLayout.xaxis.range.map(Math.round)"
    zoomed = losses.locator(".plot").evaluate(ranges)
    assert zoomed[1] - zoomed[0] < 1200
    page.reload()
    expect(losses).to_have_attribute("data-drawn", re.compile(r"\d+"))
    page.wait_for_function(
        "([plot, wanted]) => (" + ranges + ")(plot).join() === wanted.join()",
        arg=[losses.locator(".plot").element_handle(), zoomed],
    )
    assert rows(page)[0] == ["Train and test loss"]
    expect(page.get_by_title("Spacing of the steps along the slider")).to_have_text("slider: log")


def test_a_board_whose_last_card_was_closed_is_empty_when_it_comes_back(visit):
    page, _ = visit("views=behaviour.losses")
    card(page, "Train and test loss").get_by_label("Close this view").click()
    expect(page).to_have_url(re.compile("views=none"))
    page.reload()
    expect(page.get_by_text("No view is open.")).to_be_visible()
