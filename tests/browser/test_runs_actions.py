"""From the table of runs a variant is noted, kept in a view, reported on, deleted and brought back; by keys alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory):
    """Two variants of a small family, which may be changed."""
    from miscope.bound import open_bound

    made = open_bound(tmp_path_factory.mktemp("acted-on") / "workspace")
    for seed in (0, 1):
        list(made.variant("modadd.embedding-mlp", prime=7, seed=seed).train(steps=2, threads=1))
    return made


@pytest.fixture(scope="module")
def address(workspace, serving):
    with serving(workspace.root) as found:
        yield found


def rows(page):
    return page.locator(".tabulator-row")


def select(page, *places):
    """Until the server knows of each: a table that is not laid out yet forgets what is selected in it."""
    for count, place in enumerate(places, 1):
        known = page.get_by_role("button", name="Open" if count == 1 else f"Compare {count}", exact=True)
        box = rows(page).nth(place).locator("input[type=checkbox]")
        while not (known.count() and known.is_enabled()):
            if not box.is_checked():
                box.press("Space")
            page.wait_for_timeout(1000)


def press(page, name):
    button = page.get_by_role("button", name=name, exact=True)
    expect(button).to_be_enabled()
    button.press("Enter")


def notes(page):
    return page.get_by_role("textbox", name="Notes (Markdown)")


def test_a_variant_is_noted_deleted_and_brought_back(visit, workspace):
    first, other = (variant.name for variant in workspace.variants())
    page, _ = visit("page=runs&sort=seed")
    expect(rows(page)).to_have_count(2)
    select(page, 0)
    press(page, "Tags and notes")
    page.get_by_placeholder("paper, odd one").fill("paper")
    notes(page).fill("diverged *once*")
    press(page, "Save")
    expect(page.locator('.tabulator-cell[tabulator-field="c:tags"]').first).to_have_text("paper")
    assert (workspace.find(first).annotation.tags, workspace.find(first).annotation.notes) == (
        ("paper",),
        "diverged *once*",
    )
    press(page, "Delete")
    expect(rows(page)).to_have_count(1)
    assert workspace.names() == [other]
    press(page, "Undo")
    expect(rows(page)).to_have_count(2)
    assert workspace.find(first).annotation.tags == ("paper",)


def test_of_two_visitors_who_write_at_once_the_later_finds_both_texts(visit, workspace):
    name = [variant.name for variant in workspace.variants()][1]
    pages = [visit("page=runs&sort=seed")[0] for _ in range(2)]
    for page in pages:
        expect(rows(page)).to_have_count(2)
        select(page, 1)
        press(page, "Tags and notes")
        expect(notes(page)).to_be_visible()
    for page, text in zip(pages, ("mine", "yours"), strict=True):
        notes(page).fill(text)
    press(pages[0], "Save")
    expect(notes(pages[0])).to_be_hidden()
    press(pages[1], "Save")
    expect(pages[1].get_by_text("Somebody else changed them meanwhile.")).to_be_visible()
    expect(notes(pages[1])).to_have_value("mine\n\nyours")
    press(pages[1], "Save")
    expect(notes(pages[1])).to_be_hidden()
    assert workspace.find(name).annotation.notes == "mine\n\nyours"


def test_a_report_and_the_numbers_of_what_is_selected_are_downloaded(visit):
    page, _ = visit("page=runs&sort=seed")
    expect(rows(page)).to_have_count(2)
    select(page, 0, 1)
    for words, name, begins in (
        ("Page (HTML)", "2-variants.report.html", b"<!doctype html>"),
        ("CSV", "2-variants.history.csv", b'"variant","step"'),
    ):
        press(page, "Report and export")
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=words, exact=True).press("Enter")
        assert download.value.suggested_filename == name
        assert download.value.path().read_bytes().lower().startswith(begins)


def test_a_view_is_saved_chosen_by_another_visitor_and_removed(visit):
    page, _ = visit("page=runs&find=seed%3D1")
    expect(rows(page)).to_have_count(1)
    page.get_by_placeholder("Grokked").fill("Seed one")
    press(page, "Save view")
    expect(page.get_by_role("button", name="Remove view")).to_be_visible()
    another, _ = visit("page=runs")
    expect(rows(another)).to_have_count(2)
    another.get_by_role("combobox", name="Saved views").click()
    another.get_by_role("menuitem", name="Seed one").click()
    expect(rows(another)).to_have_count(1)
    expect(another).to_have_url(re.compile(r"find=seed%3D1"))
    press(another, "Remove view")
    expect(another.get_by_role("button", name="Remove view")).to_be_hidden()
