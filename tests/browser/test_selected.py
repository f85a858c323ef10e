"""A neuron is selected where it is seen, and every card shows it: by pointer, by key, by address."""

import re

import pytest
from playwright.sync_api import TimeoutError as Late
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

WHERE = """plot => {
  const points = plot._fullData.at(-1)
  const {xaxis, yaxis} = plot._fullLayout._plots.xy
  const {left, top} = plot.getBoundingClientRect()
  const at = Array.from(points.customdata).indexOf(5)
  return [left + xaxis._offset + xaxis.d2p(points.x[at]), top + yaxis._offset + yaxis.d2p(points.y[at])]
}"""
"""The middle of the picture of neuron 5."""


def card(page, title):
    return page.locator(f'section.card[aria-label="{title}"]')


def press(page, sheet):
    """Press the picture until that was heard: what is drawn around it can still move while it is aimed at."""
    for _ in range(60):
        page.mouse.click(*sheet.locator(".plot").evaluate(WHERE))
        try:
            page.wait_for_url(re.compile("neuron=5"), timeout=5000)
        except Late:
            continue
        return
    expect(page).to_have_url(re.compile("neuron=5"))


def test_a_neuron_that_is_pressed_is_shown_by_all_cards_and_after_a_reload(visit):
    page, _ = visit("views=neurons.contact_sheet,neurons.heatmap&e=2000&neurons.contact_sheet:sort=index")
    sheet, one = card(page, "Activations of many neurons"), card(page, "Activation of one neuron")
    number = one.locator('input[aria-label="neuron"]')
    expect(number).to_have_value("0")
    for each in (sheet, one):
        expect(each).to_have_attribute("data-drawn", re.compile(r"\d"))
    press(page, sheet)
    expect(number).to_have_value("5")
    expect(sheet.locator(".overlay .mark")).to_have_count(1)
    # What fills in a form sends such an event; nothing on the page may fail at it.
    page.evaluate("document.dispatchEvent(new Event('keydown', {bubbles: true}))")
    page.keyboard.press("]")
    expect(number).to_have_value("6")
    expect(page.get_by_role("status").filter(has_text=re.compile("^neuron 6$"))).to_have_count(1)
    page.wait_for_url(re.compile("neuron=6"))
    page.reload()
    expect(number).to_have_value("6")
    expect(sheet.locator(".overlay .mark")).to_have_count(1)
    page.get_by_role("button", name="All of neuron 6").click()
    page.wait_for_url(re.compile("lens=one-neuron&neuron=6"))
    expect(page.get_by_role("heading", name="Among all neurons")).to_have_count(1)
    expect(number).to_have_value("6")
