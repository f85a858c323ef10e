"""By keys alone: runs are ordered, grouped, their columns chosen, bounded on an axis, and compared."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from miscope.bound import open_bound

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = open_bound(tmp_path_factory.mktemp("keys") / "workspace")
    for seed in (0, 1, 2):
        list(made.variant("modadd.embedding-mlp", prime=7, seed=seed).train(steps=20, threads=1))
    return made


@pytest.fixture(scope="module")
def address(workspace, serving):
    with serving(workspace.root) as found:
        yield found


def test_runs_are_ordered_grouped_bounded_and_compared_by_keys_alone(visit, keyboard, workspace):
    _, one, two = workspace.names()
    page, _ = visit("page=runs&sort=seed")
    keys = keyboard(page)
    rows = page.locator(".tabulator-row")
    expect(rows).to_have_count(3)
    expect(page.locator(".tabulator[data-described]")).to_be_visible()

    # A menu opens by its arrow, goes to what begins with a letter, and gives the keys back.
    keys.to("Group by")
    keys.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="seed", exact=True)).to_be_visible()
    keys.to("seed", by="ArrowDown")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("group=seed"))
    expect(page.locator(".MuiMenu-list")).to_have_count(0)
    assert keys.held() == "Group by"
    keys.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    keys.press("Enter")
    expect(page).not_to_have_url(re.compile("group="))

    # One with a search is searched, and letters in it are none of the table's keys.
    keys.to("Columns")
    keys.press("Enter")
    expect(page.get_by_role("menuitem", name="variant", exact=True)).to_be_visible()
    page.keyboard.type("muon_m")
    expect(page.get_by_role("menuitem", name="variant", exact=True)).to_have_count(0)
    keys.to("muon_momentum", by="ArrowDown")
    keys.press("Enter")
    expect(page.locator('.tabulator-col[tabulator-field="c:muon_momentum"]')).to_be_visible()
    keys.press("Escape")
    expect(page.locator(".MuiMenu-list")).to_have_count(0)
    assert keys.held() == "Columns"

    # One header and one row are on the way of Tab, and the arrows go on from there.
    keys.to("variant")
    keys.to("seed", by="ArrowRight")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("sort=seed:desc"))
    expect(page.locator('.tabulator-cell[tabulator-field="c:seed"]')).to_have_text(["2", "1", "0"])
    keys.press("ArrowDown")
    expect(rows.nth(0).locator("input")).to_be_focused()
    keys.to("Parallel coordinates", most=4)
    keys.press("Enter")
    expect(page).to_have_url(re.compile("runs:parallel=on"))

    expect(page.locator('[data-axis="seed"]')).to_be_visible()
    # Bounds: seeds from 1 on, which the address has in numbers, and another browser's page selects.
    keys.to("seed, lower bound", most=3)
    keys.press("ArrowUp")
    expect(page.get_by_text("2 of 3 rows are within the bounds.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"runs:bounds=seed:1\.\."))
    keys.press("ArrowRight")
    assert keys.held() == "seed, upper bound"
    expect(page.get_by_role("button", name="Compare 2")).to_be_enabled()
    shared = page.url.partition("?")[2]
    keys.press("Escape")
    expect(page).not_to_have_url(re.compile("runs:bounds"))
    expect(page.get_by_role("button", name="Compare 2")).to_have_count(0)
    other, _ = visit(shared)
    expect(other.get_by_role("button", name="Compare 2")).to_be_enabled()
    keyboard(other).press("c")
    expect(other).to_have_url(re.compile(rf"v={re.escape(two)}&v={re.escape(one)}"))

    # Compared, and one of the two left out: the keys stay on the page.
    keys = keyboard(other)
    expect(other.get_by_role("button", name=re.compile("^Leave out"))).to_have_count(2)
    keys.to("Leave out .*")
    keys.press("Enter")
    expect(other.get_by_role("button", name=re.compile("^Leave out"))).to_have_count(1)
    assert keys.held().startswith("Leave out")


RUN_HELD = """() => {
  let held = document.activeElement
  while (held?.shadowRoot?.activeElement) held = held.shadowRoot.activeElement
  return held?.closest("[data-run]")?.dataset.run ?? null
}"""
"""The run whose card has the keys."""


def to_page(page, keys, name):
    """To another page by the tabs of the header, which Tab comes to at the page that is open; then past the header."""
    keys.to("Skip to the content", by="Shift+Tab")
    keys.to("Runs|Workbench|Compare|Launch|Jobs|Catalogue|Installed", most=5)
    expect(page.get_by_role("button", name=keys.held(), exact=True)).to_have_attribute("aria-pressed", "true")
    keys.to(name, by="ArrowRight", most=6)
    keys.press("Enter")
    expect(page).to_have_url(re.compile(f"[?&]page={name.lower()}"))
    assert keys.held() == name
    keys.to("Skip to the content", by="Shift+Tab", most=5)
    keys.press("Enter")


def test_a_sweep_is_launched_watched_stopped_and_resumed_by_keys_alone(visit, keyboard):
    page, _ = visit("page=launch")
    keys = keyboard(page)
    expect(page.locator("#launch-family option")).not_to_have_count(1)
    keys.to("Skip to the content")
    keys.press("Enter")
    keys.to("Family", most=1)
    # The first of that letter.
    keys.press("m")
    expect(page.locator("#launch-family")).to_have_value("modadd.embedding-mlp")
    expect(page.locator('.field[data-field="prime"] input')).to_be_visible()
    keys.to("Model", most=3)
    for field, text in (("prime", "7"), ("seed", "3, 4"), ("steps", "2000000"), ("checkpoints", "every:5000")):
        keys.to(rf"{field}( \*)?", most=4)
        keys.write(text)
    expect(page.locator(".summary")).to_have_text("2 runs: 2 new")
    # From the field, not by way of all that come after it.
    keys.press("Control+Enter")
    expect(page.locator(".outcome")).to_contain_text("2 trainings in the queue")
    assert keys.held() == "Start"
    curve = page.locator(".started article .chart").first
    expect(curve).to_have_attribute("data-last", re.compile(r"^\d+$"))
    first = curve.get_attribute("data-last")
    expect(curve).not_to_have_attribute("data-last", first)

    keys.to("All jobs", most=4)
    keys.press("Enter")
    expect(page).to_have_url(re.compile("page=jobs"))
    running = page.locator('section[data-section="running"] article')
    stopped = page.locator('section[data-section="stopped"] article')
    expect(running).to_have_count(2)
    keys.to("Stop")
    number = page.evaluate(RUN_HELD)
    keys.press("Enter")
    expect(stopped).to_have_attribute("data-run", number)
    # What may be asked of it is another thing now; the keys are still at the same run.
    assert (keys.held(), page.evaluate(RUN_HELD)) == ("Hyperparameters", number)
    chart = page.locator(f'.jobs article[data-run="{number}"] .chart')
    before = chart.get_attribute("data-last")
    keys.to("Resume", by="Shift+Tab", most=4)
    keys.press("Enter")
    expect(running).to_have_count(2)
    expect(chart).not_to_have_attribute("data-last", before)
    for left in (1, 0):
        keys.to("Stop")
        keys.press("Enter")
        expect(running).to_have_count(left)
    expect(stopped).to_have_count(2)


def test_a_card_and_a_rectangle_are_computed_and_a_report_saved_by_keys_alone(visit, keyboard, workspace):
    name = workspace.names()[0]
    page, _ = visit(f"page=views&v={name}&views=parameters.norms")
    keys = keyboard(page)
    card = page.locator("section.card")
    expect(card.get_by_role("button", name="Compute", exact=True)).to_be_enabled()
    # The views are one stop on the way there.
    keys.to("All views.*", most=20)
    keys.to("Compute", most=8)
    keys.press("Enter")
    expect(card).to_have_class(re.compile("is-figure"))
    assert keys.held() == "Weight norms: more"
    keys.press("Home")
    expect(page).to_have_url(re.compile("[?&]e=0&"))

    keys.to("Report on the open cards", by="Shift+Tab", most=5)
    keys.press("Enter")
    assert keys.held() == "Page (HTML)"
    keys.press("Enter")
    expect(page.get_by_text("The report is ready.")).to_be_visible()
    keys.to("Save", most=2)
    with page.expect_download() as saved:
        keys.press("Enter")
    assert saved.value.suggested_filename.endswith(".report.html")

    to_page(page, keys, "Jobs")
    expect(page.get_by_role("button", name="Analyses", exact=True)).to_be_visible()
    keys.to("Queue", most=4)
    keys.to("Analyses", by="ArrowRight", most=1)
    keys.press("Enter")
    cells = page.locator('td[title^="parameters.layers:"]')
    expect(cells).to_have_count(len(workspace.names()))
    keys.to(".*: (not )?computed.*", most=8)
    keys.to("parameters.layers: not computed", by="ArrowRight", most=200)
    keys.press("Shift+ArrowDown", "Enter")
    expect(page.locator(".analyses .told")).to_contain_text("2 analyses are in the queue")
    expect(page.locator('td[title^="parameters.layers: computed"]')).to_have_count(2)
    assert keys.held() == "parameters.layers: computed"
