"""A server that is killed and started again: its pages say so, and come back as they were, with what was typed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from miscope.bound import open_bound
from miscope.runs.actions import each, stop
from miscope.runs.run_queue import RunQueue
from miscope.runs.submitting import submit
from miscope.store.annotation_files import annotate, annotation_of
from miscope.train_request import TrainRequest

pytestmark = pytest.mark.browser

NAME = "modadd.embedding-mlp/p5-seed0-dseed598"
CARDS = "neurons.heatmap,behaviour.losses,spectra.embedding"
UNREACHABLE = re.compile(r"net::ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE)")
"""What a browser itself prints of a server that is not there."""
PICTURE = """plot => JSON.stringify([plot.data, Object.entries(plot._fullLayout)
  .filter(([name]) => /^[xy]axis/.test(name)).map(([name, axis]) => [name, axis.range])],
  (_, value) => value instanceof ArrayBuffer ? Array.from(new Uint8Array(value)) : value)"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A variant that was trained and looked at, and a training of another that goes on for longer than the tests."""
    workspace = open_bound(tmp_path_factory.mktemp("restart") / "workspace")
    variant = workspace.variant("modadd.embedding-mlp", prime=5, seed=0, checkpoints="every:50")
    list(variant.train(steps=200, threads=1))
    variant.analyze("neurons.frequencies", "spectra.embedding")
    queue = RunQueue(workspace.root)
    request = TrainRequest(
        family="modadd.embedding-mlp",
        params={"prime": 5, "seed": 1},
        training={"steps": 5_000_000, "checkpoints": "every:100000"},
        threads=1,
    )
    submit(workspace.value, queue, request)
    yield workspace
    each([run.id for run in queue.runs()], lambda number: stop(queue, number))


@pytest.fixture(scope="module")
def server(workspace, restarting):
    with restarting(workspace.root) as server:
        yield server


@pytest.fixture(scope="module")
def address(server):
    return server.address


def strip(page):
    return page.get_by_role("status").filter(has_text="Reconnecting")


def gone(page, server):
    """The server is killed, and the page says so."""
    page.evaluate("window.before = true")
    server.kill()
    expect(strip(page)).to_be_visible()
    expect(strip(page)).to_contain_text("trainings keep running")


def back(page, seen, server):
    """It is started again, and the page loads itself; nothing went wrong but that the server was not there."""
    server.start()
    page.wait_for_function("() => !window.before")
    expect(page.locator(".track").or_(page.locator(".page")).or_(page.locator(".launch")).first).to_be_attached()
    expect(strip(page)).to_have_count(0)
    seen.errors[:] = [error for error in seen.errors if not UNREACHABLE.search(error)]


def pictures(page, step):
    """Of all cards, once those of a checkpoint show that step, drawn in full and not painted over."""
    plots = page.locator("section.card[data-drawn] .js-plotly-plot")
    expect(plots).to_have_count(3)
    expect(page.locator("section.card .badge").filter(has_text=re.compile(rf"^epoch {step}$"))).to_have_count(2)
    page.wait_for_function("() => miscope.waiting.size === 0")
    expect(page.locator(".plot[data-painted]")).to_have_count(0)
    return [plots.nth(place).evaluate(PICTURE) for place in range(3)]


def controls(page):
    return page.locator("section.card .controls").all_inner_texts()


def test_cards_step_and_controls_are_as_before(visit, server, comes_to_be):
    page, seen = visit(f"v={NAME}&e=100&views={CARDS}&behaviour.losses:clock=log")
    pictures(page, 100)
    neuron = page.get_by_label("neuron: one more")
    neuron.click()
    expect(page).to_have_url(re.compile("[?&]neuron=1"))
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("e=150"))
    before = pictures(page, 150), controls(page), page.url

    gone(page, server)
    neuron.click()
    page.keyboard.press("ArrowRight")
    expect(strip(page)).to_have_class("gone asked")
    back(page, seen, server)
    comes_to_be(page, lambda: (pictures(page, 150), controls(page), page.url), before)
    # It goes on from here.
    page.get_by_label("neuron: one more").click()
    expect(page).to_have_url(re.compile("[?&]neuron=2"))


def test_a_training_goes_on_and_is_shown_to(visit, server):
    page, seen = visit("page=jobs")
    chart = page.locator('section[data-section="running"] article[data-run="1"] .chart')
    expect(chart).to_have_attribute("data-last", re.compile(r"[1-9]"))
    gone(page, server)
    reached = int(chart.get_attribute("data-last"))
    back(page, seen, server)
    expect(chart).to_have_attribute("data-last", re.compile(r"[1-9]"))
    shown = chart.get_attribute("data-last")
    expect(chart).not_to_have_attribute("data-last", shown)
    assert int(chart.get_attribute("data-last")) > reached


def test_what_was_typed_and_selected_is_put_back(visit, server, workspace):
    page, seen = visit("page=runs&sort=seed")
    row = page.locator(".tabulator-row").first.locator("input[type=checkbox]")
    row.check()
    page.get_by_role("button", name="Tags and notes").click()
    notes = page.get_by_label("Notes (Markdown)")
    notes.fill("diverged")
    find = page.get_by_placeholder("p113 seed=1")
    find.fill("se")

    gone(page, server)
    # Others go on meanwhile, and so does whoever types here.
    annotate(workspace.store, NAME, tags=("theirs",), notes="")
    find.press_sequentially("ed=0")
    back(page, seen, server)
    expect(notes).to_have_value("diverged")
    expect(find).to_have_value("seed=0")
    expect(find).to_be_focused()
    expect(row).to_be_checked()

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("Somebody else changed them meanwhile.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(notes).to_be_hidden()
    kept = annotation_of(workspace.store, NAME)
    assert (kept.tags, kept.notes) == (("theirs",), "diverged")


def test_a_form_comes_back_with_yaml_that_is_half_written(visit, server):
    page, seen = visit("page=launch")
    page.locator("#launch-family").select_option("modadd.embedding-mlp")
    page.locator("summary", has_text="YAML").click()
    written = page.get_by_label("The form as YAML")
    expect(written).to_have_value(re.compile("family: modadd.embedding-mlp"))
    half = written.input_value() + "params: [\n"
    written.fill(half)
    gone(page, server)
    back(page, seen, server)
    expect(written).to_have_value(half)
    expect(page.locator(".yaml .refused p").first).to_be_attached()
    expect(page.locator("#launch-family")).to_have_value("modadd.embedding-mlp")
