"""A study's group in parallel coordinates: rows within bounds are selected, and compared and opened by keys."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

STUDY = "cooling"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory):
    """Three variants of one study and one of none."""
    from miscope.bound import open_bound

    made = open_bound(tmp_path_factory.mktemp("parallel") / "workspace")
    for seed, group in ((0, STUDY), (1, STUDY), (2, STUDY), (3, None)):
        list(made.variant("modadd.embedding-mlp", prime=7, seed=seed).train(steps=2, threads=1, group=group))
    return made


@pytest.fixture(scope="module")
def address(workspace, serving):
    with serving(workspace.root) as found:
        yield found


def rows(page):
    return page.locator(".tabulator-row")


def selected(page):
    return page.locator(".tabulator-row.tabulator-selected")


def drag(page, axis, begin, end):
    """Along an axis between two parts of its height, from its top."""
    strip = page.locator(f'[data-axis="{axis}"] .strip').bounding_box()
    across = strip["x"] + strip["width"] / 2
    page.mouse.move(across, strip["y"] + begin * strip["height"])
    page.mouse.down()
    page.mouse.move(across, strip["y"] + end * strip["height"], steps=3)
    page.mouse.up()


def test_of_a_studys_group_the_rows_within_a_bound_are_selected_and_compared_by_key(visit, workspace):
    names = workspace.names()
    of_study = f"""variant in (select runs.variant from runs where runs."group" = '{STUDY}')"""
    page, _ = visit(f"page=runs&sort=seed&where={quote(of_study)}")
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name="Parallel coordinates").press("Enter")
    expect(page).to_have_url(re.compile("runs:parallel=on"))
    # Seeds 2 and 1 are at the top and in the middle.
    drag(page, "seed", 0, 0.6)
    expect(page.get_by_text("2 of 3 rows are within the bounds.")).to_be_visible()
    expect(selected(page)).to_have_count(2)
    expect(rows(page).nth(0)).not_to_have_class(re.compile("tabulator-selected"))
    expect(page.get_by_role("button", name="Compare 2")).to_be_enabled()
    page.get_by_role("button", name="Clear bounds").press("Enter")
    expect(selected(page)).to_have_count(0)
    drag(page, "seed", 0, 0.6)
    expect(page.get_by_role("button", name="Compare 2")).to_be_enabled()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile(rf"v={re.escape(names[1])}&v={re.escape(names[2])}"))


def test_rows_are_found_walked_selected_and_opened_by_keys_that_are_letters_where_one_types(visit, workspace):
    page, _ = visit("page=runs&sort=seed")
    expect(rows(page)).to_have_count(4)
    page.keyboard.press("/")
    find = page.get_by_label("Find")
    expect(find).to_be_focused()
    page.keyboard.type("x/c")
    expect(find).to_have_value("x/c")
    find.fill("seed>0")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("Escape")
    expect(find).not_to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(0).locator("input[type=checkbox]")).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Open", exact=True)).to_be_enabled()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Compare 2")).to_be_enabled()
    page.keyboard.press("x")
    expect(selected(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"v={re.escape(workspace.names()[2])}"))
