"""A report on the open cards: made, previewed in a tab of its own, saved; and a page with a slider from a card."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_report_on_the_open_cards_is_previewed_and_saved(visit):
    page, _ = visit("page=views&e=1000&views=behaviour.losses,spectra.embedding")
    expect(page.locator("section.card")).to_have_count(2)
    # By keys alone.
    page.get_by_role("button", name="Report on the open cards").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Page (HTML)")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The report is ready.")).to_be_visible()

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Preview").click()
    preview = opened.value
    expect(preview.locator(".js-plotly-plot .main-svg").first).to_be_attached()
    expect(preview.locator(".js-plotly-plot")).to_have_count(2)
    preview.close()

    with page.expect_download() as saved:
        page.get_by_role("link", name="Save").click()
    assert saved.value.suggested_filename.endswith(".report.html")
    text = Path(saved.value.path()).read_text()
    for words in ("behaviour.losses", "spectra.embedding", "--step 1000"):
        assert words in text
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("link", name="Save")).to_be_hidden()


def test_a_page_with_a_slider_is_made_of_a_card_and_found_after_a_reload(visit):
    page, _ = visit("page=views&views=spectra.embedding")
    card = page.locator("section.card")
    expect(card.locator(".badge")).not_to_be_empty()
    card.get_by_role("button", name="more").click()
    page.get_by_role("menuitem", name="Page with a slider (HTML)").click()
    made = page.get_by_role("link", name="Save")
    expect(page.get_by_role("button", name="Cancel", exact=True).or_(made).first).to_be_visible()
    page.reload()
    expect(page.get_by_text("The page is ready.")).to_be_visible()
    with page.expect_download() as saved:
        made.click()
    assert saved.value.suggested_filename.endswith(".spectra.embedding.html")
    assert "epoch 2,000" in Path(saved.value.path()).read_text()
