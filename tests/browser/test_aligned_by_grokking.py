"""Two networks that grok, laid over each other from when each generalised."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from miscope.bound import open_bound

pytestmark = pytest.mark.browser

GROKS = {"prime": 23, "train_fraction": 0.8, "learning_rate": 0.03, "weight_decay": 0.3}
"""Found by measuring: memorises by step 60, generalises between steps 750 and 1,000, in three seconds."""
FIRST = """plot => plot._fullData.map((trace) => trace.x[0]).filter((first) => first !== null)"""
"""Where each line begins on the axis; the legend's own have no point."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = open_bound(tmp_path_factory.mktemp("grokked") / "workspace")
    for seed in (0, 1):
        variant = made.variant("modadd.embedding-mlp", seed=seed, checkpoints="every:200", evaluate_every=10, **GROKS)
        list(variant.train(steps=1600, threads=1))
        variant.analyze("events.grokking")
    return made


@pytest.fixture(scope="module")
def address(workspace, serving):
    with serving(workspace.root) as found:
        yield found


def test_each_is_drawn_from_the_step_at_which_it_generalised(visit, keyboard, workspace):
    several = workspace.variants()
    events = [float(variant.arrays("events.grokking", None)["generalised"].squeeze()) for variant in several]
    assert np.isfinite(events).all()

    names = "".join(f"&v={variant.name}" for variant in several)
    page, _ = visit(f"page=compare{names}&compare:views=behaviour.losses")
    keys = keyboard(page)
    expect(page.get_by_role("radio", name="Overlay")).to_have_attribute("aria-checked", "true")
    keys.to("Overlay", most=40)
    keys.to("Align by.*", most=1)
    # By arrows, quicker than the page answers.
    keys.choose("epochs since memorised")
    expect(page).to_have_url(re.compile("compare:align=memorised"))
    keys.choose("epochs since generalised")
    expect(page).to_have_url(re.compile("compare:align=generalised"))
    card = page.locator('section.card[aria-label="Train and test loss"]').first
    expect(card.locator(".xtitle").first).to_have_text("epochs since generalised")
    expect(page.locator("section.card.is-figure:not([data-drawn])")).to_have_count(0)
    drawn = card.locator(".js-plotly-plot").first.evaluate(FIRST)
    assert set(drawn) == {-event for event in events}

    # Each by itself, with another view; a card that is closed takes all of its view along, and the keys go on.
    keys.to("Overlay", by="Shift+Tab", most=1)
    keys.press("ArrowRight")
    expect(page).to_have_url(re.compile("compare:mode=grid"))
    keys.to("Add a view", most=4)
    page.keyboard.type("behaviour.recorded")
    expect(page).to_have_url(re.compile("compare:views=behaviour.losses,behaviour.recorded"))
    cards = page.locator("section.card")
    expect(cards).to_have_count(4)
    keys.to("Close this view", most=8)
    keys.press("Enter")
    expect(cards).to_have_count(2)
    assert keys.held() == "About this view (i)"
    keys.to("Close this view", most=4)
    keys.press("Enter")
    expect(cards).to_have_count(0)
    keys.to("Leave out seed=0", most=1)
