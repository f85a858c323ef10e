"""Two trainings on the page of jobs: one is watched, stopped, resumed; one failed and is retried to its end."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.runs.submitting import submit
from miscope.train_request import TrainRequest

pytestmark = pytest.mark.browser

STEPS = 2_000_000
"""More than any machine trains before the page says that it is to stop."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    from miscope.workspace import open_workspace

    return open_workspace(tmp_path_factory.mktemp("jobs") / "workspace")


@pytest.fixture(scope="module")
def queue(workspace):
    """A long training that is next, and one that failed before it began."""
    queue = RunQueue(workspace.root)
    for seed in (0, 1):
        request = TrainRequest(
            family="modadd.embedding-mlp",
            params={"prime": 5, "seed": seed},
            training={"steps": STEPS if seed == 0 else 20, "checkpoints": "every:5000"},
            threads=1,
        )
        submit(workspace, queue, request)
    queue.move(2, RunState.FAILED, "OSError: no space left on device\nIt was to be written to the disk.")
    return queue


@pytest.fixture(scope="module")
def address(workspace, queue, serving):
    with serving(workspace.root) as found:
        yield found


def run(page, number):
    return page.locator(f'article[data-run="{number}"]')


def press(page, number, words):
    run(page, number).get_by_role("button", name=words, exact=True).click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_cards_of_runs(visit, queue, serious, theme):
    page, _ = visit(f"page=jobs&theme={theme}")
    expect(run(page, 2).locator(".cause").first).to_have_text("OSError: no space left on device")
    expect(run(page, 1).locator(".chart")).to_be_visible()
    found = serious(page, "runs")
    run(page, 2).get_by_role("checkbox").check()
    found += serious(page, "one that is selected")
    press(page, 1, "Hyperparameters")
    expect(page.get_by_role("button", name="Copy as command")).to_be_visible()
    found += serious(page, "its hyperparameters")
    page.keyboard.press("Escape")
    assert not found, "\n".join(found)


def test_a_training_is_watched_stopped_and_resumed_and_a_failed_one_retried(visit, keyboard, queue):
    page, _ = visit("page=jobs")
    keys = keyboard(page)
    watched = run(page, 1)
    chart = watched.locator(".chart")
    expect(page.locator('section[data-section="running"] article')).to_have_attribute("data-run", "1")

    # Its losses move, without anybody asking for them.
    expect(chart).to_be_visible()
    first = chart.get_attribute("data-last")
    expect(chart).not_to_have_attribute("data-last", first)

    press(page, 1, "Stop")
    expect(page.locator('section[data-section="stopped"] article')).to_have_attribute("data-run", "1")
    expect(watched.locator(".cause").first).to_contain_text("It was stopped at step")

    failed = run(page, 2)
    expect(failed.locator(".cause").first).to_have_text("OSError: no space left on device")
    # By keys, which no button loses to one that does something else.
    keys.to(r"Retry failed \(1\)", by="Shift+Tab", most=20)
    keys.press("Enter")
    expect(run(page, 3).locator(".facts")).to_contain_text("retry of run 2")
    expect(page.get_by_role("button", name="Retry failed", exact=True)).to_be_disabled()
    assert keys.held() == "Retry failed"

    expect(page.locator('section[data-section="done"] article')).to_have_attribute("data-run", "3")
    expect(run(page, 3).locator(".progress")).to_have_text("20 of 20 steps")
    keys.to("Select run 2", most=20)
    keys.to("Retry", most=6)
    keys.press("Enter")
    expect(run(page, 4).locator(".facts")).to_contain_text("retry of run 2")
    assert keys.held() == "Retry"
    expect(page.locator('section[data-section="done"] article')).to_have_count(2)

    stopped_at = int(chart.get_attribute("data-last"))
    press(page, 1, "Resume")
    expect(page.locator('section[data-section="running"] article')).to_have_attribute("data-run", "1")
    expect(chart).not_to_have_attribute("data-last", str(stopped_at))
    press(page, 1, "Stop")
    expect(page.locator('section[data-section="stopped"] article')).to_have_attribute("data-run", "1")
    expect(page.get_by_role("button", name="Running 0")).to_be_visible()
    assert int(chart.get_attribute("data-last")) > stopped_at
    assert [queue.run(number).state for number in (1, 3)] == [RunState.STOPPED, RunState.COMPLETED]

    press(page, 1, "Hyperparameters")
    expect(page.locator("dialog dd.given").first).to_be_visible()
    page.get_by_role("button", name="Copy as command").click()
    assert "miscope train modadd.embedding-mlp" in page.evaluate("navigator.clipboard.readText()")
    page.keyboard.press("Escape")

    keys.to("Skip to the content", by="Shift+Tab", most=40)
    keys.press("Enter")
    keys.to("Select run 2", most=40)
    keys.press("Space")
    keys.to(r"Delete selected \(1\)", by="Shift+Tab", most=20)
    keys.press("Enter")
    expect(run(page, 2)).to_have_count(0)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    keys.press("Enter")
    expect(run(page, 2)).to_be_visible()

    run(page, 2).get_by_role("checkbox").check()
    page.get_by_role("button", name="Retry selected (1)", exact=True).click()
    expect(run(page, 5).locator(".facts")).to_contain_text("retry of run 2")
    expect(page.locator('section[data-section="done"] article')).to_have_count(3)
    page.get_by_role("button", name="Templates", exact=True).click()
    expect(page.get_by_label("Template", exact=True)).to_be_visible()


def test_a_rectangle_of_analyses_is_queued_and_computed(visit, queue):
    page, _ = visit("page=jobs&jobs:part=analyses")
    cells = page.locator('td[title^="parameters.norms:"]')
    expect(cells).to_have_count(2)
    first, last = cells.first.bounding_box(), cells.last.bounding_box()
    page.mouse.move(first["x"] + 8, first["y"] + 8)
    page.mouse.down()
    page.mouse.move(last["x"] + 8, last["y"] + 8, steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Queue 2").click()
    expect(page.locator(".analyses .told")).to_have_text("2 analyses are in the queue, as run 6.")
    expect(page.locator("td.is-fresh")).to_have_count(2)
    assert queue.run(6).request.analyzers == ("parameters.norms",)
