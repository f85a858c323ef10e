"""The workbench while its variant is trained by another process: what comes is there without a key."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from miscope.checkpoint import Checkpoint

pytestmark = pytest.mark.browser

_IN_SIGHT = (
    "[...Bokeh.documents[0]._all_models.values()].filter((model) => model.data?.view === 'behaviour.losses')"
    ".map((model) => model.data.in_sight)"
)
"""What the cards tell the server of that."""


@pytest.fixture(scope="module")
def variant(tmp_path_factory):
    """Checkpoints at 0, 10 and 20."""
    from miscope.bound import open_bound

    workspace = open_bound(tmp_path_factory.mktemp("live") / "workspace")
    found = workspace.variant("modadd.embedding-mlp", prime=5, checkpoints="every:10")
    list(found.train(steps=20, threads=1))
    return found


@pytest.fixture(scope="module")
def address(variant, serving):
    with serving(variant.workspace.root) as found:
        yield found


def test_records_and_checkpoints_that_another_process_writes_are_on_the_page_by_themselves(visit, variant):
    page, _ = visit(f"page=views&v={variant.name}&views=behaviour.losses&e=20")
    chart = page.locator('section.card[aria-label="Train and test loss"] .plot')
    last = "plot => Math.max(...plot._fullData.flatMap((trace) => [...(trace.x ?? [])]))"
    expect(chart.locator(".nsewdrag").first).to_be_visible()
    assert chart.evaluate(last) == 20
    store = variant.workspace.store
    store.append_metrics(variant.name, [(step, name, 0.5) for step in (25, 30) for name in ("train_loss", "test_loss")])
    expect(page.locator(".chip")).to_contain_text("test loss 0.5")
    page.wait_for_function(f"plot => ({last})(plot) >= 30", arg=chart.element_handle())
    weights = store.load_checkpoint(variant.name, 20).weights
    store.save_checkpoint(variant.name, Checkpoint(step=30, weights=weights, metrics={}))
    track = page.locator(".track")
    expect(track).to_have_attribute("aria-valuemax", "30")
    expect(track).to_have_attribute("aria-valuenow", "20")
    assert "e=20" in page.url

    # Of a page in a tab that is not looked at no card is drawn.
    page.wait_for_function(f"() => String({_IN_SIGHT}) === 'true'")
    for state, said in (("hidden", "false"), ("visible", "true")):
        page.evaluate(
            "state => (Object.defineProperty(document, 'visibilityState', {configurable: true, value: state}),"
            " document.dispatchEvent(new Event('visibilitychange')), undefined)",
            state,
        )
        assert page.evaluate(f"() => String({_IN_SIGHT})") == said
