"""Figures of routing: each of a small network that was trained, and their numbers on routing that is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import miscope_lal
from miscope import ViewData
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.testing import check_view, tables
from miscope_lal.routed import RoutedFamily
from miscope_lal.views import ALL
from miscope_lal.views.at_a_step import paths
from miscope_lal.views.frame import layer_name, layers
from miscope_lal.views.maps import dominant
from miscope_lal.views.over_training import use

SMALL = {"prime": 5, "n_layers": 2, "hidden_dim": 8}
SITES = [f"blocks.{layer}.routing.hook_weights" for layer in range(2)]
CONTEXT = ModelContext(RoutedFamily(), make_variant(RoutedFamily(), SMALL))


@pytest.mark.parametrize("view", ALL, ids=lambda view: view.name)
def test_every_view_draws_a_trained_network(view: Any) -> None:
    check_view(view, RoutedFamily(), plugins=tables(lal=miscope_lal), params=SMALL)


def shown(name: str, arrays: dict[str, np.ndarray], step: int | None = None) -> ViewData:
    given = {"variant": CONTEXT.variant, "probe": CONTEXT.probe(), "artifacts": {name: arrays}}
    return ViewData(step=step, steps=np.array([0, 9]), **given)


def test_layers_are_in_the_order_of_their_numbers() -> None:
    names = [f"blocks.{layer}.routing.hook_weights/entropy" for layer in (10, 2, 0)]
    assert [layer_name(site) for site in layers(names)] == ["layer 0", "layer 2", "layer 10"]


def test_the_map_has_a_panel_for_each_layer_and_a_colour_for_each_head() -> None:
    weights = np.eye(3, dtype=np.float32)[np.arange(25).reshape(5, 5) % 3]
    arrays = {
        f"{site}/{name}": value
        for site in SITES
        for name, value in (("weights", weights), ("dominant", weights.argmax(-1)))
    }
    figure = dominant(shown("routing.map", arrays, 9))
    assert [trace.xaxis for trace in figure.data] == ["x", "x2"]
    assert np.array_equal(figure.data[1].z, np.arange(25).reshape(5, 5) % 3)
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-0.5, 2.5)
    assert len(figure.layout.coloraxis.colorscale) == 6
    assert [note.text for note in figure.layout.annotations] == ["layer 0", "layer 1"]


@pytest.mark.parametrize("heads", [2, 5])
def test_undecided_routing_is_marked_at_the_entropy_of_as_many_heads_as_there_are(heads: int) -> None:
    arrays = {"step": np.array([0, 9]), "entropy": np.full(2, np.log(heads))}
    for site in SITES:
        arrays |= {f"{site}/entropy": np.full(2, np.log(heads)), f"{site}/use": np.full((2, heads), 1 / heads)}
    figure = use(shown("routing.statistics", arrays))
    assert figure.data[0].name == f"undecided: ln {heads}"
    assert figure.data[0].y[0] == pytest.approx(np.log(heads))
    assert [trace.name for trace in figure.data if trace.yaxis == "y2"][1:] == [
        f"H{k}, mean of layers" for k in range(heads)
    ]


def test_only_the_commonest_paths_are_drawn_and_all_are_counted() -> None:
    arrays = {
        "heads": np.stack([np.arange(20) % 4, np.arange(20) // 4], axis=1), "count": np.arange(20, 0, -1),
        "number": np.array(20), "entropy": np.array(2.5), "bound": np.array(0.25), "bound/p": np.array(0.005),
    }  # fmt: skip
    figure = paths(shown("routing.paths", arrays, 9))
    assert list(figure.data[0].x[:5]) == ["0-0", "1-0", "2-0", "3-0", "0-1"]
    assert len(figure.data[0].x) == 16
    assert "20 paths, entropy 2.50 nats; in common 0.25 nats, p = 0.005" in figure.layout.title.subtitle.text


def test_a_layer_is_chosen_for_its_card_alone() -> None:
    """It is 'layer 0' here, and a whole site elsewhere."""
    assert {what for view in ALL for what in view.selected_by.values()} <= {"neuron", "frequency"}
    assert any(control.name == "layer" for view in ALL for control in view.controls)
