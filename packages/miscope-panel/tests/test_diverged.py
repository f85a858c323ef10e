"""A training whose losses became no numbers is said to have diverged, and since when."""

from __future__ import annotations

import numpy as np
import pytest

from miscope.snapshot import Series
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.shown.diverged import told_diverged

NAN = float("nan")


def series(*values: float) -> Series:
    return Series(steps=np.arange(len(values)) * 10, values=np.array(values))


@pytest.mark.parametrize(
    ("losses", "told"),
    [
        ({"train_loss": series(1.0, 0.5)}, ""),
        ({"train_loss": series(1.0, NAN, 0.5)}, ""),
        ({}, ""),
        (
            {"train_loss": series(1.0, 0.5, NAN, NAN), "test_loss": series(1.0, 0.5, 0.4, float("inf"))},
            "Training diverged: train_loss is NaN since epoch 20; the last sound checkpoint is at 10.",
        ),
        ({"loss": series(NAN)}, "Training diverged: loss is NaN since epoch 0; no checkpoint before it is kept."),
    ],
)
def test_it_is_said_since_when_the_losses_are_no_numbers(losses, told):
    assert told_diverged(losses, [0, 10], "epoch") == told


def test_the_workbench_says_it_over_the_cards(empty, at_once):
    variant = empty.variant("toy.sum")
    list(variant.train(threads=1))
    empty.store.append_metrics(variant.name, [(31, "train_loss", NAN), (32, "train_loss", NAN)])
    bench = Dashboard(server_context(empty.value, at_once), f"v={variant.name}").workbench
    said = "Training diverged: train_loss is NaN since epoch 31; the last sound checkpoint is at 30."
    assert f'<p class="trouble" role="alert"><b>v5-seed0-width16</b> {said}</p>' in bench.context_bar.view.object


def test_an_empty_workspace_leads_to_where_a_variant_is_trained(empty, at_once):
    bench = Dashboard(server_context(empty.value, at_once), "page=views").workbench
    (card,) = bench.board
    assert card.title == "No variants yet."
    assert any("miscope demo" in text for text in card.picture["commands"])
    assert [choice["value"] for choice in card.picture["choices"]] == ["launch", "catalogue"]
    card._handle_msg({"kind": "choose", "control": "page", "value": "launch"})
    assert bench.selection.place.page == "launch"
