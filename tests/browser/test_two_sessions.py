"""Two people look at one server: neither moves what the other sees, an address shows the same, notes are shared."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from miscope.bound import open_bound

pytestmark = pytest.mark.browser

CARDS = ("neurons.heatmap", "behaviour.losses", "spectra.embedding")
PICTURE = """plot => JSON.stringify([plot.data, Object.entries(plot._fullLayout)
  .filter(([name]) => /^[xy]axis/.test(name)).map(([name, axis]) => [name, axis.range])],
  (_, value) => value instanceof ArrayBuffer ? Array.from(new Uint8Array(value)) : value)"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Two variants with a few checkpoints each, which may be noted on."""
    workspace = open_bound(tmp_path_factory.mktemp("shared") / "workspace")
    for seed in (0, 1):
        variant = workspace.variant("modadd.embedding-mlp", prime=5, seed=seed, checkpoints="every:50")
        list(variant.train(steps=200, threads=1))
        variant.analyze("neurons.frequencies", "spectra.embedding")
    return workspace


@pytest.fixture(scope="module")
def address(workspace, serving):
    with serving(workspace.root) as found:
        yield found


@pytest.fixture(scope="module")
def names(workspace):
    return [variant.name for variant in workspace.variants()]


def seen(page, cards=CARDS):
    """All that a visitor sees of the cards, once each shows the step that the address names."""
    shown = page.locator("section.card")
    expect(shown).to_have_count(len(cards))
    expect(shown.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    expect(page.locator("section.card[data-drawn]")).to_have_count(len(cards))
    page.wait_for_function("() => miscope.waiting.size === 0")
    expect(page.locator(".plot[data-painted]")).to_have_count(0)
    plots = page.locator("section.card .js-plotly-plot")
    return (
        page.locator("section.card h3").all_inner_texts(),
        page.locator("section.card .heading").all_inner_texts(),
        page.locator("section.card .badge").all_inner_texts(),
        page.locator("section.card .controls").all_inner_texts(),
        page.locator("section.card .controls :is(select, input)").evaluate_all(
            "fields => fields.map(field => [field.value, field.checked])"
        ),
        [plots.nth(place).evaluate(PICTURE) for place in range(plots.count())],
    )


def test_neither_moves_what_the_other_sees(visit, another_visits, names):
    mine, _ = visit(f"v={names[0]}&e=50&views={','.join(CARDS)}")
    yours, _ = another_visits(f"v={names[1]}&e=150&views={','.join(CARDS[:2])}&theme=dark&neurons.heatmap:neuron=7")
    seen(yours, CARDS[:2])
    seen(mine)
    seen_by_you = seen(yours, CARDS[:2]), yours.url
    mine.keyboard.press("ArrowRight")
    expect(mine).to_have_url(re.compile(r"e=100"))
    mine.get_by_label("neuron: one more").click()
    expect(mine).to_have_url(re.compile(r"[?&]neuron=1"))
    seen_by_me = seen(mine), mine.url
    assert (seen(yours, CARDS[:2]), yours.url) == seen_by_you

    yours.get_by_label("Close this view").first.click()
    expect(yours.locator("section.card")).to_have_count(1)
    yours.get_by_role("button", name="Jobs", exact=True).click()
    expect(yours).to_have_url(re.compile("page=jobs"))
    assert (seen(mine), mine.url) == seen_by_me
    assert mine.evaluate("document.documentElement.dataset.miscope") == "light"
    assert yours.evaluate("document.documentElement.dataset.miscope") == "dark"


def test_an_address_shows_somebody_else_the_same_picture(visit, another_visits, names, comes_to_be):
    mine, _ = visit(f"v={names[0]}&v={names[1]}&e=50&views={','.join(CARDS)}")
    seen(mine)
    mine.keyboard.press("ArrowRight")
    expect(mine).to_have_url(re.compile(r"e=100"))
    mine.get_by_label("neuron: one more").click()
    mine.get_by_role("button", name="axes", exact=True).click()
    mine.get_by_label("time axis", exact=True).select_option("log")
    expect(mine).to_have_url(re.compile(r"(?=.*[?&]neuron=1)(?=.*cursor:clock=log)"))
    before = seen(mine)

    yours, _ = another_visits(mine.url.partition("?")[2])
    comes_to_be(yours, lambda: seen(yours), before)
    assert yours.url == mine.url

    # What one pins the other sees.
    mine.get_by_role("button", name="pin", exact=True).click()
    mine.get_by_placeholder("Note, or none").fill("here")
    mine.keyboard.press("Enter")
    expect(yours.get_by_role("button", name="Pin: epoch 100: here", exact=True)).to_be_visible()


def test_notes_of_one_are_seen_by_the_other_who_is_told_of_them_before_writing_over_them(visit, another_visits, names):
    pages = [opens("page=runs&sort=seed")[0] for opens in (visit, another_visits)]
    mine, yours = pages
    for page in pages:
        expect(page.locator(".tabulator-row")).to_have_count(2)
        page.locator(".tabulator-row input[type=checkbox]").first.check()
        page.get_by_role("button", name="Tags and notes").click()
        expect(page.get_by_label("Notes (Markdown)")).to_be_visible()
    for page, text in zip(pages, ("mine", "yours"), strict=True):
        page.get_by_placeholder("paper, odd one").fill(text)
    mine.get_by_role("button", name="Save", exact=True).click()
    expect(mine.get_by_label("Notes (Markdown)")).to_be_hidden()
    yours.get_by_role("button", name="Save", exact=True).click()
    expect(yours.get_by_role("alert").filter(has_text="Somebody else changed them meanwhile.")).to_be_visible()
    expect(yours.get_by_placeholder("paper, odd one")).to_have_value("mine, yours")
    yours.get_by_role("button", name="Save", exact=True).click()
    expect(yours.locator('.tabulator-cell[tabulator-field="c:tags"]').first).to_have_text("mine, yours")

    mine.get_by_role("button", name="Refresh").click()
    expect(mine.locator('.tabulator-cell[tabulator-field="c:tags"]').first).to_have_text("mine, yours")
