from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily, check_view
from miscope_views import heads
from miscope_views.head_names import head_name

FIRST, SECOND = (f"blocks.{layer}.attn.hook_pattern" for layer in (0, 1))
ROLES = {
    "label": np.array(["previous token", "prefix matching"]),
    "period": np.array([8, 13]),
    "gain": np.array(0.5),
    **{f"{FIRST}/score": np.array([[0.8, 0.1], [0.0, 0.0]]), f"{SECOND}/score": np.array([[0.1, 0.1], [0.2, 0.7]])},
    **{f"{site}/{what}": np.full((2, 2), 0.02) for site in (FIRST, SECOND) for what in ("sem", "null")},
}
STEPS = np.array([0, 100])
STACKED = {name: np.stack([array] * 2) for name, array in ROLES.items()} | {"step": STEPS}


def shown(step: int | None) -> ViewData:
    reads = {"heads.roles": ROLES if step is not None else STACKED}
    variant = make_variant(ToyFamily(), {})
    return ViewData(variant=variant, step=step, steps=STEPS, artifacts=reads, history={"heads.roles": STACKED})


@pytest.mark.parametrize("view", heads.VIEWS, ids=lambda view: view.name)
def test_every_view_draws_a_trained_model(view):
    toys = pytest.importorskip("miscope_toys")
    from miscope.testing import tables
    from miscope_toys.induction import InductionFamily

    small = {"vocabulary": 12, "length": 16, "sequences": 64, "width": 8}
    check_view(view, InductionFamily(), plugins=tables(view, toys=toys), params=small)


def test_a_head_is_named_by_layer_and_number():
    assert head_name("blocks.3.attn.hook_pattern", 2) == "L3H2"


def test_every_role_has_a_panel_with_all_heads_and_their_null():
    figure = heads.roles(shown(100), locked=True)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [list(bar.x) for bar in bars] == [["L0H0", "L0H1", "L1H0", "L1H1"]] * 2
    assert list(bars[1].y) == pytest.approx([0, 0, 0.2, 0.7])
    assert [note.text for note in figure.layout.annotations] == ["previous token", "prefix matching"]
    assert figure.layout.yaxis.range == figure.layout.yaxis2.range == pytest.approx((0, 0.88))


def test_over_training_every_head_has_a_line_above_the_band_without_the_role():
    figure = heads.roles_over_training(shown(None), role="prefix matching")
    assert [trace.name for trace in figure.data[1:]] == ["without the role", "L0H0", "L0H1", "L1H0", "L1H1", "gain"]
    assert list(figure.data[5].y) == pytest.approx([0.7, 0.7])
    assert list(figure.data[1].y) == pytest.approx([0.02, 0.02])
    assert figure.data[2].line.dash != figure.data[4].line.dash


MATRICES = np.array([[[0, d], [d, 0]] for d in (0.1, 0.6)])
DISTANCES = {"step": STEPS}
for measure in ("pattern", "output", "QK", "OV"):
    DISTANCES[f"blocks.0/{measure}"] = MATRICES
    DISTANCES[f"blocks.0/{measure}/mean"] = MATRICES[:, 0, 1]
    DISTANCES[f"blocks.0/{measure}/heads"] = np.array([1.1, 1.6])


def apart(step: int | None) -> ViewData:
    at = {name: array[-1] for name, array in DISTANCES.items()}
    reads = {"heads.distances": at if step is not None else DISTANCES}
    reads["heads.differentiation"] = {"blocks.0/pattern/parted": np.array(100.0)}
    variant, history = make_variant(ToyFamily(), {}), {"heads.distances": DISTANCES}
    return ViewData(variant=variant, step=step, steps=STEPS, artifacts=reads, history=history)


def test_heads_part_above_the_band_of_the_first_checkpoint():
    figure = heads.differentiation(apart(None), measure="attention pattern")
    assert list(figure.data[1].y) == pytest.approx([0.1, 0.1])
    assert list(figure.data[2].y) == pytest.approx([0.1, 0.6])
    assert figure.data[2].name == "layer 0, apart from 100"
    assert figure.layout.yaxis2.range[1] == pytest.approx(2.1)


def test_the_matrix_says_how_many_heads_there_are_in_effect():
    figure = heads.similarity(apart(100), layer="blocks.0", measure="output")
    assert figure.data[0].z[0, 1] == pytest.approx(0.6)
    assert "1.60 heads in effect of 2" in figure.layout.title.subtitle.text


DISTANCE = np.array([[0, 0.2, 0.8], [0.2, 0, 0.6], [0.8, 0.6, 0]])


def tree_of(matrix):
    from miscope_views.heads import VIEWS

    view = next(view for view in VIEWS if view.name == "heads.tree")
    over = {"blocks.0/pattern": np.stack([DISTANCE / 10, DISTANCE]), "step": STEPS}
    reads, history = {"heads.distances": {"blocks.0/pattern": matrix}}, {"heads.distances": over}
    variant = make_variant(ToyFamily(), {})
    given = ViewData(variant=variant, step=100, steps=STEPS, artifacts=reads, history=history)
    return view.draw(given, layer="blocks.0", measure="attention pattern")


def test_heads_are_joined_by_their_mean_distance_above_how_far_they_were_at_first():
    figure = tree_of(DISTANCE)
    heights = np.asarray(figure.data[0].y)

    assert sorted(set(heights[np.isfinite(heights)].round(6).tolist())) == pytest.approx([0, 0.2, 0.7])
    assert sorted(figure.layout.xaxis.ticktext) == ["L0H0", "L0H1", "L0H2"]
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].y1) == pytest.approx((0.02, 0.08))
    assert figure.layout.yaxis.range[1] == pytest.approx(1.05 * 0.8)
    assert not figure.layout.annotations


def test_one_head_is_no_tree():
    from miscope.errors import DoesNotApply

    with pytest.raises(DoesNotApply, match="the layer has one head alone"):
        tree_of(np.zeros((1, 1)))
