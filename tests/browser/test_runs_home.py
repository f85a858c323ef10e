"""A visitor who says nothing arrives at the runs, finds some, orders them, and compares two."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def rows(page):
    return page.locator(".tabulator-row")


def column(page, field):
    return page.locator(f'.tabulator-row .tabulator-cell[tabulator-field="c:{field}"]')


def asked(page, field, text):
    """Typed into a field, and Enter."""
    found = page.get_by_placeholder({"find": "p113 seed=1", "where": "prime > 50"}[field])
    found.fill(text)
    found.press("Enter")


def query(page):
    return parse_qs(urlsplit(page.url).query)


def test_from_the_runs_to_a_comparison_and_back(visit, small):
    zero, one = (variant.name for variant in small.variants())
    page, _ = visit()
    expect(column(page, "variant")).to_have_text(["seed0", "seed1"])
    expect(page.get_by_title(zero, exact=True)).to_have_text("seed0")
    expect(page.locator("section.card")).to_have_count(0)

    asked(page, "find", "seed=1")
    expect(column(page, "variant")).to_have_text(["seed1"])
    expect(page).to_have_url(re.compile(r"find=seed%3D1"))
    asked(page, "find", "")
    expect(rows(page)).to_have_count(2)

    asked(page, "where", "seeds < 1")
    expect(page.locator(".problem").first).to_have_text("The condition cannot be answered: seeds < 1")
    expect(rows(page)).to_have_count(2)
    asked(page, "where", "seed < 1")
    expect(column(page, "variant")).to_have_text(["seed0"])
    asked(page, "where", "")
    expect(rows(page)).to_have_count(2)

    header = page.locator('.tabulator-col[tabulator-field="c:seed"]')
    header.click()
    expect(page).to_have_url(re.compile(r"sort=seed(&|$)"))
    expect(column(page, "seed")).to_have_text(["0", "1"])
    header.click()
    expect(page).to_have_url(re.compile(r"sort=seed:desc"))
    expect(column(page, "seed")).to_have_text(["1", "0"])

    for place in (0, 1):
        rows(page).nth(place).locator("input[type=checkbox]").check()
    page.get_by_role("button", name="Compare 2").click()
    expect(page.locator(".differs summary")).to_have_text("They differ only in seed.")
    expect(page).to_have_url(re.compile(r"v=.*&v="))
    assert query(page)["v"] == [one, zero]
    page.go_back()
    expect(column(page, "seed")).to_have_text(["1", "0"])


def test_a_shared_address_shows_the_same_table_and_a_name_opens_the_variant(visit, small):
    _, one = (variant.name for variant in small.variants())
    page, _ = visit("page=runs&columns=variant,test_loss.min,prime&sort=seed:desc&find=p7")
    titles = page.locator(".tabulator-col-title")
    expect(titles.filter(has_text=re.compile(r"\w"))).to_have_text(
        ["variant", "test_loss over training", "test_loss.min", "prime"]
    )
    column(page, "variant").first.click()
    expect(page.locator("section.card").first).to_be_visible()
    expect(page).to_have_url(re.compile(rf"v={re.escape(one)}"))


def test_a_group_is_unfolded_and_folded_by_keys_which_stay_with_its_row(visit):
    page, _ = visit("page=runs&group=prime&sort=seed&at=100")
    expect(column(page, "variant")).to_have_text(["▸ prime = 7"])
    expect(page.locator('.tabulator-col[tabulator-field="c:test_loss.at"]')).to_have_text("test_loss at step 100")
    box = rows(page).nth(0).locator("input[type=checkbox]")
    box.focus()
    page.keyboard.press("ArrowRight")
    expect(column(page, "variant")).to_have_text(["▾ prime = 7", "seed0", "seed1"])
    expect(page).to_have_url(re.compile(r"runs:unfolded=7"))
    expect(box).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(".tabulator-row.tabulator-selected")).to_have_count(3)
    expect(page.get_by_role("button", name="Compare 2", exact=True)).to_be_enabled()
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(1).locator("input[type=checkbox]")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(column(page, "variant")).to_have_text(["▸ prime = 7"])
    expect(box).to_be_focused()
    expect(box).to_be_checked()
    page.get_by_role("button", name="prime = 7", exact=True, expanded=False).click()
    expect(column(page, "variant")).to_have_text(["▾ prime = 7", "seed0", "seed1"])
