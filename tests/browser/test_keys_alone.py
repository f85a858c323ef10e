"""By keys alone: runs are ordered, grouped, their columns chosen, bounded on an axis, and compared."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from miscope.bound import open_bound

pytestmark = pytest.mark.browser

HELD = """() => {
  let held = document.activeElement
  while (held?.shadowRoot?.activeElement) held = held.shadowRoot.activeElement
  if (!held || held === document.body) return ""
  const of = (id) => held.getRootNode().getElementById(id)?.textContent
  return held.getAttribute("aria-label") || of(held.getAttribute("aria-labelledby")) || held.labels?.[0]?.textContent
    || held.placeholder || held.textContent.trim()
}"""
"""The name of what has the keys."""


class Keys:
    """A hand on the keyboard, which sees what has the keys and nothing else of the page."""

    def __init__(self, page):
        self.page = page

    def held(self) -> str:
        return self.page.evaluate(HELD)

    def to(self, name: str, by: str = "Tab", most: int = 60) -> None:
        """Until something of that name (a pattern) has the keys."""
        passed = []
        for _ in range(most):
            self.page.keyboard.press(by)
            passed.append(self.held())
            if re.fullmatch(name, passed[-1]):
                return
        pytest.fail(f"{by} does not come to {name}, but to {passed}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)


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


def test_runs_are_ordered_grouped_bounded_and_compared_by_keys_alone(visit, workspace):
    _, one, two = workspace.names()
    page, _ = visit("page=runs&sort=seed")
    keys = Keys(page)
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
    Keys(other).press("c")
    expect(other).to_have_url(re.compile(rf"v={re.escape(two)}&v={re.escape(one)}"))

    # Compared, and one of the two left out: the keys stay on the page.
    keys = Keys(other)
    expect(other.get_by_role("button", name=re.compile("^Leave out"))).to_have_count(2)
    keys.to("Leave out .*")
    keys.press("Enter")
    expect(other.get_by_role("button", name=re.compile("^Leave out"))).to_have_count(1)
    assert keys.held().startswith("Leave out")
