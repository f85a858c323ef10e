"""What the axes of all cards have in common, turned once beside the cursor."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_how_steps_are_laid_out_and_whether_scales_stay_is_turned_for_all_cards_by_keys(visit):
    page, _ = visit("views=behaviour.losses,spectra.embedding&e=1000")
    # The stages come from the server, with the events.
    expect(page.get_by_role("list", name="Stages of training")).to_contain_text("memorisation: epoch 0 to ")
    losses, spectrum = (page.locator("section.card").nth(place) for place in (0, 1))
    for card in (losses, spectrum):
        expect(card).to_have_attribute("data-drawn", "1")
    expect(spectrum.get_by_label("same scale at every step")).to_have_count(0)
    values = losses.locator(".values").inner_text()

    button, dialog = page.get_by_role("button", name="axes", exact=True), page.get_by_role("dialog")
    button.press("Enter")
    clock = dialog.get_by_label("time axis", exact=True)
    expect(clock).to_be_focused()
    clock.select_option("fraction of training")
    expect(losses.locator(".xtitle")).to_have_text("fraction of training")
    expect(losses.locator(".values")).to_have_text(values, use_inner_text=True)
    dialog.get_by_label("same scale at every step").press("Space")
    expect(page).to_have_url(re.compile("cursor:clock=fraction&cursor:locked=false"))
    expect(spectrum).to_have_attribute("data-drawn", "2")
    page.keyboard.press("Escape")
    expect(button).to_be_focused()

    where = losses.locator(".plot").evaluate(
        """plot => {
          const {xaxis, yaxis} = plot._fullLayout, {left, top} = plot.getBoundingClientRect()
          return [left + xaxis._offset + xaxis.d2p(0.25), top + yaxis._offset + yaxis._length / 2]
        }"""
    )
    page.mouse.click(*where)
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuenow", "500")
    page.keyboard.press("L")
    expect(losses.locator(".xtitle")).to_have_text("epoch (log; 0 is not shown)")
    page.keyboard.press("L")
    expect(losses.locator(".xtitle")).to_have_text("epoch")
    expect(page).not_to_have_url(re.compile("cursor:clock"))
