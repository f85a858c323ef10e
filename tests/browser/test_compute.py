"""Computing from a card: what is missing is asked for there, watched, and drawn when it is done."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from miscope.runs.run_queue import RunQueue

pytestmark = pytest.mark.browser

PLUGIN = '''
import os
from pathlib import Path
from miscope import Analyzer, Grain, Needs, View, hookimpl

def patient(snapshot):
    """Ends each job once it is allowed to."""
    import time
    gate = Path(os.environ["MISCOPE_TEST_GATE"])
    while not (gate / f"go-{snapshot.step}").exists():
        if (gate / "fail").exists():
            raise ZeroDivisionError("division by zero")
        time.sleep(0.02)
    return {"place": float(snapshot.step)}

def drawn(shown):
    """One point."""
    import plotly.graph_objects as go
    return go.Figure(go.Scatter(y=[float(shown.artifacts["slow.patient"]["place"])]))

@hookimpl
def miscope_analyzers():
    of = {"version": 1, "grain": Grain.CHECKPOINT, "needs": Needs(weights=("*",))}
    return [Analyzer(name="slow.patient", compute=patient, **of)]

@hookimpl
def miscope_views():
    of = {"grain": Grain.CHECKPOINT, "needs": Needs(reads=("slow.patient",))}
    return [View(name="slow.point", title="Patient", draw=drawn, **of)]
'''
STEPS = (0, 10, 20)


@pytest.fixture(scope="module")
def gate(tmp_path_factory, plugins_path, request):
    """A folder that says what the instrument may do; the instrument is one more installed package."""
    folder = tmp_path_factory.mktemp("gate")
    site = plugins_path
    (site / "miscope_slow.py").write_text(PLUGIN)
    about = site / "miscope_slow-1.0.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: miscope-slow\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[miscope]\nslow = miscope_slow\n")
    patch = pytest.MonkeyPatch()
    patch.setenv("MISCOPE_TEST_GATE", str(folder))
    yield folder
    patch.undo()
    for left in (*about.iterdir(), site / "miscope_slow.py"):
        left.unlink()
    about.rmdir()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    from miscope.bound import open_bound

    found = open_bound(tmp_path_factory.mktemp("compute") / "workspace")
    for seed in (1, 0):
        variant = found.variant("modadd.embedding-mlp", prime=5, seed=seed, checkpoints="every:10")
        list(variant.train(steps=20, threads=1))
    return found


@pytest.fixture(scope="module")
def address(workspace, gate, serving):
    with serving(workspace.root) as found:
        yield found


def card(page, title):
    return page.locator(f'section.card[aria-label="{title}"]')


def allow(gate, *steps):
    for step in steps:
        (gate / f"go-{step}").touch()


def test_a_failed_analysis_says_why_and_is_retried_watched_and_drawn(visit, workspace, gate):
    page, _ = visit("page=views&views=slow.point")
    shown = card(page, "Patient")
    compute = shown.get_by_role("group", name="Compute what is missing")
    expect(compute).to_contain_text("3 checkpoints")
    expect(compute.get_by_role("button", name="For all 2 variants of the family")).to_be_visible()
    (gate / "fail").touch()

    # By keys alone.
    button = compute.get_by_role("button", name="Compute", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(compute.locator(".cause").first).to_contain_text("ZeroDivisionError: division by zero")
    expect(compute.locator(".state")).to_have_text("Run 1: failed")
    compute.get_by_text("Traceback").click()
    expect(compute.locator("pre")).to_contain_text("Traceback (most recent call last):")
    (gate / "fail").unlink()

    compute.get_by_role("button", name="Retry").focus()
    page.keyboard.press("Enter")
    expect(compute.locator(".state")).to_have_text("Run 2: running")
    allow(gate, STEPS[0])
    expect(compute.locator(".progress")).to_contain_text("1 of 3 jobs")
    expect(compute.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "33")

    # It is the queue's: who comes anew sees the same.
    page.reload()
    expect(compute.locator(".state")).to_have_text("Run 2: running")
    other, _ = visit("page=views&views=slow.point")
    seen = card(other, "Patient")
    expect(seen.locator(".compute .progress")).to_contain_text("1 of 3 jobs")

    allow(gate, *STEPS)
    for each in (shown, seen):
        expect(each.locator(".badge")).to_have_text("epoch 20")
        expect(each.locator(".compute")).to_be_hidden()
    assert RunQueue(workspace.root).run(2).place.retry_of == 1


def test_an_analysis_is_stopped_from_its_card_and_goes_on(visit, workspace, gate):
    other = next(variant.name for variant in workspace.variants() if "seed1" in variant.name)
    for step in STEPS:
        (gate / f"go-{step}").unlink(missing_ok=True)
    page, _ = visit(f"page=views&v={other}&e=20&views=slow.point")
    compute = card(page, "Patient").get_by_role("group", name="Compute what is missing")
    compute.get_by_role("button", name="Compute", exact=True).click()
    state = compute.locator(".state")
    expect(state).to_have_text(re.compile(r"Run \d+: running"))
    run = state.inner_text().partition(":")[0]
    allow(gate, STEPS[0])
    expect(compute.locator(".progress")).to_contain_text("1 of 3 jobs")
    compute.get_by_role("button", name="Stop").click()
    expect(state).to_contain_text(f"{run}: stopping")
    # Not before its process knows: it would begin the last job, which nobody lets end.
    queue, number = RunQueue(workspace.root), int(run.removeprefix("Run "))
    while not queue.run(number).acknowledged:
        page.wait_for_timeout(50)
    allow(gate, STEPS[1])
    # A hole: the step before is shown, and what is left is offered above it.
    expect(card(page, "Patient").locator(".badge")).to_have_text("epoch 10")
    expect(state).to_have_text(f"{run}: stopped")
    allow(gate, *STEPS)
    compute.get_by_role("button", name="Resume").click()
    expect(card(page, "Patient").locator(".badge")).to_have_text("epoch 20")
    expect(compute).to_be_hidden()
