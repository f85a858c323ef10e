"""Views over training on one page: the cursor in each, one range of steps, a line where one is pointed at."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LOSSES, ACCURACIES, PATH = "Train and test loss", "Train and test accuracy", "Path of the weights"
_RANGE = "plot => plot._fullLayout.xaxis.range.map(Math.round)"


def card(page, title):
    return page.locator(f'section.card[aria-label="{title}"]')


def has_range(page, title, holds):
    """Wait until the steps that a card shows are so; gives them."""
    for _ in range(3_000):
        found = card(page, title).locator(".plot").evaluate(_RANGE)
        if holds(found):
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"{title} shows {found}")


def test_cards_over_training_have_the_step_their_range_and_what_is_pointed_at_in_common(visit):
    page, _ = visit("views=behaviour.losses,behaviour.accuracies,parameters.trajectory&e=1000")
    for title in (LOSSES, ACCURACIES, PATH):
        card(page, title).scroll_into_view_if_needed()
        expect(card(page, title)).to_have_attribute("data-drawn", re.compile(r"\d+"))
    values, place = card(page, LOSSES).locator(".values"), card(page, PATH).locator(".overlay .at")
    expect(values).to_have_text(re.compile(r"train \S+test \S+"))
    expect(place).to_have_count(1)
    said, before = values.inner_text(), place.get_attribute("style")
    page.keyboard.press("Home")
    expect(values).not_to_have_text(said)
    expect(place).not_to_have_attribute("style", before)

    card(page, LOSSES).scroll_into_view_if_needed()
    area = card(page, LOSSES).locator(".plot .nsewdrag").first.bounding_box()
    page.mouse.move(area["x"] + 0.2 * area["width"], area["y"] + 40)
    page.mouse.down()
    page.mouse.move(area["x"] + 0.6 * area["width"], area["y"] + 45, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("cursor:between="))
    shown = has_range(page, LOSSES, lambda ends: ends[1] - ends[0] < 1200)
    has_range(page, ACCURACIES, lambda ends: ends == shown)

    page.mouse.move(area["x"] + 0.5 * area["width"], area["y"] + 60)
    expect(card(page, ACCURACIES).locator(".overlay .pointed")).to_have_count(1)
    expect(card(page, LOSSES).locator(".overlay .pointed")).to_have_count(0)

    page.reload()
    for title in (LOSSES, ACCURACIES):
        expect(card(page, title)).to_have_attribute("data-drawn", re.compile(r"\d+"))
        has_range(page, title, lambda ends: ends == shown)
    card(page, ACCURACIES).locator('.modebar-btn[data-title="Reset axes"]').click()
    expect(page).not_to_have_url(re.compile("cursor:between="))
    for title in (LOSSES, ACCURACIES):
        has_range(page, title, lambda ends: ends[1] - ends[0] > 1900)
    page.keyboard.press("z")
    expect(page).to_have_url(re.compile("cursor:between=0,1000"))
    expect(page.locator("button.range")).to_have_text("epochs 0–1,000×")
    has_range(page, ACCURACIES, lambda ends: ends == [0, 1000])
    page.locator("button.range").click()
    has_range(page, ACCURACIES, lambda ends: ends[1] - ends[0] > 1900)
    expect(page.locator("button.range")).to_be_hidden()
