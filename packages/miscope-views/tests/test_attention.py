from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.testing import ToyFamily, check_view, tables
from miscope_views.attention import VIEWS, entropy, patterns, statistics, symmetry
from miscope_views.attention_sequence import profile, sequence

SITE = "blocks.0.attn.hook_pattern"
VARIANT = make_variant(ToyFamily(), {})
HEADS, KEYS = 5, 2
STEPS = np.array([0, 10, 20])
AT = {
    f"{SITE}/mean": np.tile([0.25, 0.75], (HEADS, 1)),
    f"{SITE}/entropy": np.full(HEADS, 0.5),
    f"{SITE}/map": np.stack([np.full((KEYS, 5, 5), head / 10) for head in range(HEADS)]).astype(np.float16),
}


def shown(step: int | None) -> ViewData:
    stacked = {name: np.stack([array] * 3) for name, array in AT.items()} | {"step": STEPS}
    return ViewData(
        variant=VARIANT,
        step=step,
        steps=STEPS,
        probe=ModelContext(ToyFamily(), VARIANT).probe(),
        artifacts={"attention.patterns": AT if step is not None else stacked},
    )


def test_every_head_has_a_map_on_one_fixed_scale():
    figure = patterns(shown(20), site=SITE, key="0 (a)")

    assert [float(trace.z[0, 0]) for trace in figure.data] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-3)
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    assert [note.text for note in figure.layout.annotations] == [f"L0H{head}" for head in range(HEADS)]


def test_a_head_wears_the_badge_of_its_map():
    number = np.zeros((HEADS, KEYS), dtype=int)
    number[2, 0] = 2
    scales = {"badge_label": np.array(["flat", "stripes", "blob"]), f"{SITE}/badge": number}
    scales[f"{SITE}/low"] = np.where(number == 2, 0.9, np.nan)
    bare = shown(20)
    figure = patterns(replace(bare, artifacts={**bare.artifacts, "coarseness.units": scales}), site=SITE, key="0 (a)")
    said = [note.text for note in figure.layout.annotations]

    assert said[2].startswith("L0H2 <span")
    assert said[2].endswith(" blob")
    assert "low-frequency share 0.90" in figure.data[2].hovertemplate
    assert said[0].endswith(" flat")


def test_maps_of_six_heads_stand_in_two_rows_of_three():
    layout = patterns(shown(20), site=SITE, key="0 (a)").layout

    assert layout.xaxis4.domain == layout.xaxis.domain
    assert layout.yaxis4.domain[1] < layout.yaxis.domain[0]
    assert layout.yaxis3.domain == layout.yaxis.domain
    # What counts along them is said once, below.
    assert (layout.xaxis.title.text, layout.xaxis4.title.text) == ("", "b")


def test_keys_are_named_by_the_factor_they_hold():
    key = VIEWS[0].controls[1]
    assert tuple(key.options_from(shown(20))) == ("0 (a)", "1 (b)")  # pyright: ignore


def test_attention_and_entropy_share_the_axis_of_steps():
    figure = statistics(shown(None), site=SITE, key="1 (b)")

    assert len(figure.data) == 2 * HEADS
    assert list(figure.data[0].y) == pytest.approx([0.75] * 3)
    assert figure.data[1].yaxis == "y2"
    assert {trace.xaxis or "x" for trace in figure.data} == {"x"}
    assert figure.layout.shapes[0].y0 == pytest.approx(np.log(KEYS))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_draws_a_trained_model(view):
    toys = pytest.importorskip("miscope_toys")
    from miscope_toys.induction import InductionFamily

    small = {"vocabulary": 12, "length": 16, "sequences": 64, "width": 8}
    check_view(view, InductionFamily(), plugins=tables(view, toys=toys), params=small)


def test_entropy_is_a_share_of_the_greatest_there_can_be():
    figure = entropy(shown(None))

    assert list(figure.data[0].y) == [f"L0H{head}" for head in range(HEADS)]
    assert figure.data[0].z[0, 0] == pytest.approx(0.5 / np.log(KEYS))


def test_symmetry_follows_each_keys_counterpart():
    swapped = np.zeros((3, 1, 2, 2))
    swapped[:, 0, 0, 1] = [0, 0.5, 1.0]
    swapped[:, 0, 1, 0] = [0, 0.4, 0.9]
    arrays = {f"{SITE}/symmetry/swap": swapped, f"{SITE}/mean": np.zeros((3, 1, 2)), "step": STEPS}
    arrays[f"{SITE}/entropy"] = np.zeros((3, 1))
    probe = ModelContext(ToyFamily(), VARIANT).probe()
    reads = {"attention.patterns": arrays}
    found = ViewData(variant=VARIANT, step=None, steps=STEPS, probe=probe, artifacts=reads)
    figure = symmetry(found, site=SITE, symmetry="swap")

    assert [trace.name for trace in figure.data] == ["L0H0: 0 (a) with 1 (b)", "L0H0: 1 (b) with 0 (a)"]
    assert list(figure.data[0].y) == pytest.approx([0, 0.5, 1.0])


def test_where_attention_hardly_moves_the_curve_of_its_symmetry_has_a_gap_that_is_explained():
    swapped = np.full((3, 1, 2, 2), 0.5)
    swapped[0] = np.nan
    arrays = {f"{SITE}/symmetry/swap": swapped, f"{SITE}/mean": np.zeros((3, 1, 2)), "step": STEPS}
    arrays[f"{SITE}/entropy"] = np.zeros((3, 1))
    found = ViewData(variant=VARIANT, step=None, steps=STEPS, artifacts={"attention.patterns": arrays})
    figure = symmetry(found, site=SITE, symmetry="swap")
    assert np.isnan(figure.data[0].y).tolist() == [True, False, False]
    assert figure.layout.title.subtitle.text.endswith(" · gaps: attention that hardly moves has no correlation")
    assert not figure.layout.annotations


def test_along_the_sequence_only_the_lowest_maps_say_what_is_across():
    reads = {"attention.sequence": {f"{SITE}/mean": np.tile(np.eye(4), (4, 1, 1))}}
    layout = sequence(ViewData(variant=VARIANT, step=20, steps=STEPS, artifacts=reads), site=SITE).layout
    assert [layout[f"xaxis{panel}"].title.text for panel in ("", 2, 3, 4)] == ["", "", "key", "key"]


def test_along_the_sequence_every_head_has_a_map_and_a_profile():
    at = {f"{SITE}/mean": np.tile(np.eye(4), (2, 1, 1)), f"{SITE}/profile": np.tile([1.0, 0, 0, 0], (2, 1))}
    history = {"attention.sequence": {f"{SITE}/profile": at[f"{SITE}/profile"][None], "step": np.array([0])}}
    reads = {"attention.sequence": at}
    found = ViewData(variant=VARIANT, step=20, steps=STEPS, artifacts=reads, history=history)

    assert [note.text for note in sequence(found, site=SITE).layout.annotations] == ["L0H0", "L0H1"]
    figure = profile(found, site=SITE)
    assert [trace.name for trace in figure.data] == ["at step 0, mean of heads", "L0H0", "L0H1"]
    assert list(figure.data[1].y) == [1, 0, 0, 0]
