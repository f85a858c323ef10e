"""A page of a variant that was imported without weights: its losses, and no cursor."""

from __future__ import annotations

import subprocess
import sys

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

CURVE = "step,train_loss,test_loss,train_accuracy,test_accuracy\n0,2,2,.1,.1\n100,.01,3,1,.2\n200,.001,.002,1,1\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory, serving):
    """Where a workspace is shown that holds one curve and nothing else."""
    root = tmp_path_factory.mktemp("curve")
    (root / "curve.csv").write_text(CURVE)
    words = ["import", "--metrics", "curve.csv", "--family", "modadd.embedding-mlp", "-p", "prime=7", "-w", "workspace"]
    subprocess.run([sys.executable, "-m", "miscope", *words], cwd=root, check=True, stdout=subprocess.DEVNULL)
    with serving(root / "workspace") as found:
        yield found


def test_a_curve_alone_is_shown_with_views_of_curves_and_without_a_cursor(visit):
    page, _ = visit("page=views")
    losses = page.locator('section.card[aria-label="Train and test loss"]')
    expect(losses.locator(".plot .trace")).to_have_count(2)
    assert losses.locator(".plot").evaluate("plot => plot.data.map(trace => trace.name)") == ["train", "test"]
    expect(page.locator('section.card[aria-label="Train and test accuracy"] .plot .trace')).to_have_count(2)
    expect(page.locator("section.card.is-inapplicable")).to_have_count(0)
    expect(page.locator(".track")).to_be_hidden()


def test_a_view_of_weights_says_that_there_are_metrics_only(visit):
    page, _ = visit("views=neurons.heatmap")
    said = page.locator("section.card.is-inapplicable .message")
    expect(said).to_contain_text("it looks at a checkpoint, and of this variant there are metrics only")
