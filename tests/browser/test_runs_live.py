"""The table of runs while a training goes on: its row moves by itself, and stays where it is."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from miscope.bound import open_bound
from miscope.runs.actions import stop
from miscope.runs.run_queue import RunQueue

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """One variant that was trained."""
    workspace = open_bound(tmp_path_factory.mktemp("live") / "workspace")
    list(workspace.variant("modadd.embedding-mlp", prime=5, seed=0).train(steps=20, threads=1))
    return workspace


@pytest.fixture(scope="module")
def address(workspace, serving):
    with serving(workspace.root) as found:
        yield found


def cell(page, place, column):
    return page.locator(".tabulator-row").nth(place).locator(f'.tabulator-cell[tabulator-field="c:{column}"]')


def test_a_training_that_is_asked_for_elsewhere_appears_and_moves_by_itself(visit, workspace, address):
    page, _ = visit("page=runs&columns=variant,step,state,train_loss&sort=state:desc&curve=train_loss")
    expect(page.locator(".tabulator-row")).to_have_count(1)
    page.locator(".tabulator-row input[type=checkbox]").first.check()
    expect(page.get_by_role("button", name="Open", exact=True)).to_be_enabled()

    queue = RunQueue(workspace.root)
    asked = {
        "family": "modadd.embedding-mlp",
        "params": {"prime": 5, "seed": 1},
        "training": {"steps": 5_000_000, "checkpoints": "every:2000"},
        "threads": 1,
    }
    answer = page.request.post(f"{address}api/v1/trainings", data=asked)
    assert answer.status == 201, answer.text()
    number = answer.json()["id"]
    try:
        expect(page.locator(".tabulator-row")).to_have_count(2)
        expect(cell(page, 1, "state")).to_have_text("running")
        expect(cell(page, 1, "step")).to_have_text(re.compile(r"[1-9]"))
        step, loss = cell(page, 1, "step").inner_text(), cell(page, 1, "train_loss").inner_text()
        expect(cell(page, 1, "step")).not_to_have_text(step)
        expect(cell(page, 1, "train_loss")).not_to_have_text(loss)
        curve = page.locator(".tabulator-row").nth(1).locator('.tabulator-cell[tabulator-field="curve"] title')
        drawn = curve.text_content()
        expect(curve).not_to_have_text(drawn)
    finally:
        stop(queue, number)
    expect(cell(page, 1, "state")).to_have_text("stopped")
    # Ordered anew it would have been the first.
    expect(cell(page, 0, "state")).to_have_text("completed")
    expect(page.locator(".tabulator-row input[type=checkbox]").first).to_be_checked()
