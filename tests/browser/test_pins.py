"""Steps that are pinned with a note: by keys alone, for all who look, on the cursor bar and on axes over training."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_step_is_pinned_with_a_note_by_keys_seen_by_others_and_unpinned(visit):
    page, _ = visit("views=behaviour.losses&e=1900")
    # The stages come from the server, which then knows the variant.
    expect(page.get_by_role("list", name="Stages of training")).to_contain_text("memorisation: epoch 0 to ")
    expect(page.locator("section.card")).to_have_attribute("data-drawn", "1")
    page.keyboard.press("p")
    note = page.get_by_label("Pin epoch 1,900")
    expect(note).to_be_focused()
    page.keyboard.type("here p turns")
    page.keyboard.press("Enter")
    pin = page.get_by_role("button", name="Pin: epoch 1,900: here p turns")
    expect(pin).to_be_visible()
    expect(page.locator("section.card .pin-mark")).to_have_attribute("title", "Pin: epoch 1,900: here p turns")
    page.keyboard.press("End")
    track = page.get_by_role("slider")
    expect(track).to_have_attribute("aria-valuenow", "2000")
    page.keyboard.press(",")
    expect(track).to_have_attribute("aria-valuenow", "1900")
    expect(track).to_have_attribute("aria-valuetext", "1,900, memorised, pinned: here p turns")
    other, _ = visit("views=behaviour.losses&e=0")
    other.get_by_role("button", name="pins 1").press("Enter")
    expect(other.get_by_role("dialog", name="Pins")).to_contain_text("here p turns")
    other.get_by_role("button", name="Remove the pin at epoch 1,900").press("Enter")
    expect(other.get_by_role("button", name="pin", exact=True)).to_be_visible()
