from __future__ import annotations

import numpy as np
import pytest

from miscope import Shown
from miscope.family import make_variant
from miscope.subject import Subject
from miscope.testing import ToyFamily
from miscope_views.attention import VIEWS, patterns, statistics

SITE = "blocks.0.attn.hook_pattern"
VARIANT = make_variant(ToyFamily(), {})
HEADS, KEYS = 5, 2
STEPS = np.array([0, 10, 20])
AT = {
    f"{SITE}/mean": np.tile([0.25, 0.75], (HEADS, 1)),
    f"{SITE}/entropy": np.full(HEADS, 0.5),
    f"{SITE}/map": np.stack([np.full((KEYS, 5, 5), head / 10) for head in range(HEADS)]).astype(np.float16),
}


def shown(step: int | None) -> Shown:
    stacked = {name: np.stack([array] * 3) for name, array in AT.items()} | {"step": STEPS}
    return Shown(
        variant=VARIANT,
        step=step,
        steps=STEPS,
        probe=Subject(ToyFamily(), VARIANT).probe(),
        artifacts={"attention.patterns": AT if step is not None else stacked},
    )


def test_every_head_has_a_map_on_one_fixed_scale():
    figure = patterns(shown(20), site=SITE, key="0 (a)")

    assert [float(trace.z[0, 0]) for trace in figure.data] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-3)
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    assert [note.text for note in figure.layout.annotations] == [f"head {head}" for head in range(HEADS)]


def test_maps_beyond_four_start_a_new_row():
    layout = patterns(shown(20), site=SITE, key="0 (a)").layout

    assert layout.xaxis5.domain == layout.xaxis.domain
    assert layout.yaxis5.domain[1] < layout.yaxis.domain[0]
    assert layout.yaxis4.domain == layout.yaxis.domain


def test_keys_are_named_by_the_factor_they_hold():
    key = VIEWS[0].controls[1]
    assert tuple(key.options_from(shown(20))) == ("0 (a)", "1 (b)")  # pyright: ignore


def test_attention_and_entropy_share_the_axis_of_steps():
    figure = statistics(shown(None), site=SITE, key="1 (b)", clock="linear", events=True)

    assert len(figure.data) == 2 * HEADS
    assert list(figure.data[0].y) == pytest.approx([0.75] * 3)
    assert figure.data[1].yaxis == "y2"
    assert {trace.xaxis or "x" for trace in figure.data} == {"x"}
    assert figure.layout.shapes[0].y0 == pytest.approx(np.log(KEYS))
