from __future__ import annotations

import numpy as np
import pytest
import torch

from miscope import ViewData
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.testing import ToyFamily
from miscope_views import coarseness

SITE = "blocks.0.mlp.hook_post"
VARIANT = make_variant(ToyFamily(), {})
VALUES = np.array([0.9, 0.1, 0.8, np.nan])
AT = {
    "badge_label": np.array(["flat", "stripes", "blob", "plaid", "mixed"]),
    "automorphisms": np.array(0),
    "null_low": np.array(0.05),
    f"{SITE}/badge": np.array([2, 4, 2, 0]),
    f"{SITE}/badge_count": np.array([1, 0, 2, 0, 1]),
    f"{SITE}/variance": np.array([1.0, 1.0, 4.0, 0.0]),
    **{f"{SITE}/{name}": VALUES for name in ("low", "unwrapped", "roughness", "preserved")},
}
STACKED = {name: np.stack([array, array]) for name, array in AT.items()} | {"step": np.array([0, 10])}


def shown(step: int | None) -> ViewData:
    return ViewData(
        variant=VARIANT,
        step=step,
        steps=STACKED["step"],
        probe=ModelContext(ToyFamily(), VARIANT).probe(),
        artifacts={"coarseness.units": AT if step is not None else STACKED},
        activations=lambda site, channels: torch.arange(100.0).reshape(25, 4),
    )


def test_units_are_counted_by_badge_and_those_without_a_scale_left_out():
    figure = coarseness.distribution(shown(10), site=SITE, quantity="low-frequency share")
    bars = {trace.name: sum(trace.y) for trace in figure.data if trace.type == "bar"}
    assert bars == {"blob": 2, "mixed": 1}
    assert figure.layout.shapes[0].x0 == 0.05
    assert "not unwrapped" in figure.layout.title.subtitle.text


def test_over_training_the_badges_shares_stack_to_one():
    figure = coarseness.over_training(shown(None), site=SITE, quantity="low-frequency share")
    assert list(figure.data[2].y) == pytest.approx([0.8, 0.8])
    assert sum(trace.y[-1] for trace in figure.data[3:]) == pytest.approx(1)


def test_every_badge_there_is_has_a_row_and_the_liveliest_unit_comes_first():
    figure = coarseness.badges(shown(10), site=SITE, page=1)
    assert list(figure.layout.yaxis.ticktext) == ["blob (2)", "mixed (1)"]
    assert [text.split("<br>")[0] for text in figure.data[1].text] == ["neuron 2", "neuron 0", "neuron 1"]
    assert not figure.layout.annotations


def test_unwrapping_is_offered_only_where_there_is_something_to_unwrap():
    offered = coarseness.VIEWS[0].controls[1].options_from
    assert "low-frequency share, unwrapped" not in offered(shown(10))


def test_a_click_on_a_dot_or_a_picture_selects_its_neuron():
    spread = coarseness.distribution(shown(10), site=SITE, quantity="low-frequency share")
    dots = [trace for trace in spread.data if trace.type == "scatter"]
    assert [list(trace.customdata) for trace in dots] == [[0, 2], [1]]
    pictures = coarseness.badges(shown(10), site=SITE, page=1).data[1]
    assert list(pictures.customdata) == [2, 0, 1]
    for trace in (*dots, pictures):
        told = trace.meta["selects"]
        assert (told["read"], told["same"]) == ({"neuron": "customdata"}, {"site": SITE})
