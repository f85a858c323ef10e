from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plotly.graph_objects import Figure

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.figure_style import NULL
from miscope.figures.render import draw
from miscope.testing import ToyFamily
from miscope.view import Member
from miscope_views.parameters import layers, norms
from miscope_views.paths import trajectory, variance, velocity
from miscope_views.proximity import PROXIMITY_VIEW, components, joint

STEPS = np.array([0, 10, 20, 40])
SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=STEPS,
    step_label="epoch",
    events={"memorised": 11.0, "generalised": 40.0},
)
PATH = {
    "all/scores": np.arange(16.0).reshape(4, 4),
    "all/explained": np.array([0.7, 0.2, 0.08, 0.02]),
    "all/null_path": -np.arange(12.0).reshape(4, 3),
    "all/null_explained": np.array([[0.5, 0.1], [0.6, 0.15], [0.7, 0.2]]),
    "all/area": np.array([0.1, np.nan]),
    "all/null_area_p": np.array([0.8, np.nan]),
    "all/drift": np.array(0.25),
    "all/drift_path": np.arange(12.0).reshape(4, 3),
    "all/drift_explained": np.array([[0.8, 0.1], [0.9, 0.15], [1.0, 0.2]]),
    "all/drift_area": np.array([[0.1, 0.3], [0.2, 0.4], [0.3, 0.5]]),
    "all/drift_area_p": np.array([0.01, np.nan]),
    "all/drift_cosine": np.array([[0.9, 0.9], [0.95, 0.95], [1.0, 1.0]]),
    "all/distance": np.abs(np.subtract.outer(STEPS, STEPS)).astype(float),
    "all/null_area": np.array([[0.3, 0.3], [0.4, 0.4], [0.5, 0.5]]),
    "all/cosine": np.array([0.9, 0.8]),
    "all/null_cosine": np.array([[0.9, 0.9], [0.95, 0.95], [1.0, 1.0]]),
}


def path() -> ViewData:
    return replace(SHOWN, artifacts={"parameters.trajectory": PATH})


def test_norms_can_be_read_relative_to_the_start():
    arrays = {"step": STEPS, "W_E/squares": np.array([4.0, 2, 2, 1]), "total/squares": np.array([8.0, 4, 4, 2])}
    shown = replace(SHOWN, artifacts={"parameters.norms": arrays})

    plain = norms(shown, quantity="squares", relative=False)
    relative = norms(shown, quantity="squares", relative=True)

    assert {trace.name: list(trace.y) for trace in plain.data} == {"W_E": [4, 2, 2, 1], "total": [8, 4, 4, 2]}
    assert list(relative.data[0].y) == [1, 0.5, 0.5, 0.25]


@pytest.mark.parametrize(("components", "axes"), [("1-2", (0, 1)), ("2-3", (1, 2)), ("1-3", (0, 2))])
def test_the_path_is_drawn_in_the_chosen_plane_beside_a_random_walk(components: str, axes: tuple[int, int]):
    walk, weights, _ = trajectory(path(), group="all", components=components, null="walk", events=True).data

    assert walk.line.color == NULL
    assert list(walk.x) == list(PATH["all/null_path"][:, axes[0]])
    assert list(weights.y) == list(PATH["all/scores"][:, axes[1]])
    assert list(weights.customdata) == list(STEPS)


def test_the_path_in_space_has_three_axes_with_their_share_of_variance():
    figure = trajectory(path(), group="all", components="1-2-3", null="none", events=False)

    assert [trace.type for trace in figure.data] == ["scatter3d"]
    assert figure.layout.scene.zaxis.title.text == "component 3 (8.0%)"


def test_events_are_marked_at_the_nearest_checkpoint():
    *_, marks = trajectory(path(), group="all", components="1-2", null="walk", events=True).data

    assert list(marks.text) == ["memorised", "generalised"]
    assert list(marks.x) == [PATH["all/scores"][1, 0], PATH["all/scores"][3, 0]]


def test_every_bar_has_the_nulls_band_and_an_undefined_area_is_left_out():
    figure = variance(path(), group="all", null="walk")
    explained, walk, area = figure.data[:3]

    assert list(explained.y) == pytest.approx([0.7, 0.2, 0.08, 0.02])
    assert list(walk.y) == pytest.approx([0.6, 0.15])
    assert list(walk.error_y.array) == pytest.approx([0.1, 0.05])
    assert list(walk.error_y.arrayminus) == pytest.approx([0.1, 0.05])
    assert list(area.x) == ["1-2"]


def test_another_null_is_drawn_in_its_place_and_says_how_strong_it_is():
    drawn = trajectory(path(), group="all", components="1-2", null="drift", events=False)
    bars = variance(path(), group="all", null="drift")

    assert list(drawn.data[0].x) == list(PATH["all/drift_path"][:, 0])
    assert "walks that drift as far (cosine 0.25)" in drawn.layout.title.subtitle.text
    assert list(bars.data[1].y) == pytest.approx([0.9, 0.15])
    assert "larger loops: p = 0.010" in bars.layout.title.subtitle.text


def test_speed_stands_between_checkpoints_and_turning_at_them():
    arrays = {
        "all/speed": np.array([3.0, 2, 1]),
        "all/turning": np.array([0.5, -0.5]),
        "all/straightness": np.array(0.25),
        "W_E/relative": np.array([1.0, 1, 1]),
        "W_E/speed": np.array([1.0, 1, 1]),
        "W_E/turning": np.array([0.0, 0]),
    }
    shown = replace(SHOWN, artifacts={"parameters.velocity": arrays})

    speed, turning = velocity(shown, parts="groups", relative=False).data

    assert list(speed.x) == [5, 15, 30]
    assert list(turning.x) == [10, 20]
    assert {trace.name for trace in velocity(shown, parts="tensors", relative=True).data} == {"W_E"}


def warnings(figure: Figure) -> list[str]:
    return [each.text for each in figure.layout.annotations if "not finite" in (each.text or "")]


def test_walks_that_stand_still_have_no_band_and_nothing_is_said_to_be_lost():
    still = {"all/cosine": np.full(2, np.nan), "all/null_cosine": np.array([[np.nan, 0.9]] * 3)}
    shown = replace(SHOWN, artifacts={"parameters.trajectory": PATH | still})
    figure = variance(shown, group="all", null="walk")

    assert list(figure.data[-1].x) == ["2"]
    assert list(figure.data[-1].y) == pytest.approx([0.9])
    assert warnings(figure) == []


def test_a_cosine_beside_a_move_of_no_length_is_a_gap_and_of_many_only_those_drawn_are_gaps():
    many = 9000
    speed, turning = np.ones(many - 1), np.full(many - 2, 0.5)
    turning[100:], speed[300] = np.nan, np.nan
    arrays = {"all/speed": speed, "all/turning": turning, "all/straightness": np.array(0.25)}
    shown = replace(SHOWN, steps=np.arange(many), artifacts={"parameters.velocity": arrays})
    spoilt = velocity(shown, parts="groups", relative=False)
    whole = velocity(
        replace(shown, artifacts={"parameters.velocity": arrays | {"all/turning": np.full(many - 2, 0.5)}}),
        parts="groups",
        relative=False,
    )

    assert "gaps: beside a move of no length" in spoilt.layout.title.subtitle.text
    assert "gaps" not in whole.layout.title.subtitle.text
    assert len(warnings(spoilt)) == len(warnings(whole)) == 1


def test_distances_between_checkpoints_are_a_matrix_with_events_across_and_down():
    figure = draw(PROXIMITY_VIEW, path(), {"group": "all"})
    (heat,) = figure.data

    assert heat.z[0][3] == 40
    assert {shape.x0 for shape in figure.layout.shapes if shape.yref == "paper"} == {11, 40}
    assert {shape.y0 for shape in figure.layout.shapes if shape.yref == "y"} == {11, 40}
    assert list(draw(PROXIMITY_VIEW, path(), {"clock": "log"}).data[0].x) == [10, 20, 40]


def test_components_are_drawn_over_their_largest_or_the_first_of_every_group():
    arrays = PATH | {"mlp/scores": np.array([[1.0], [2], [3], [4]]), "mlp/explained": np.array([0.9])}
    shown = replace(SHOWN, artifacts={"parameters.trajectory": arrays})
    one = components(shown, group="all")
    every = components(shown, group="first of every group")

    assert [trace.name for trace in one.data][:2] == ["component 1 (70.0%)", "component 2 (20.0%)"]
    assert one.data[0].y[-1] == 1
    assert [trace.name for trace in every.data] == ["all (70.0%)", "mlp (90.0%)"]


def test_paths_of_several_runs_share_their_axes():
    arrays = {
        "scores": np.arange(12.0).reshape(4, 3),
        "explained": np.array([0.6, 0.3, 0.1]),
        "member": np.array([0, 0, 1, 1]),
        "at": np.array([0, 10, 0, 10]),
    }
    members = tuple(Member(label=label, shown=SHOWN) for label in ("seed=1", "seed=2"))
    shown = replace(SHOWN, artifacts={"parameters.joint": arrays}, members=members)
    figure = joint(shown, components="2-3", events=False)

    assert [trace.name for trace in figure.data[::2]] == ["seed=1", "seed=2"]
    assert list(figure.data[2].x) == [7, 10]
    assert figure.layout.yaxis.title.text == "component 3 (10.0%)"


def test_layers_are_drawn_in_their_order_with_all_and_the_decayed_beside():
    arrays = {"step": STEPS, "layer": np.array([["embedding", "blocks.0.mlp"]] * 4)}
    norms_of = {"blocks.0.mlp": 2.0, "embedding": 1.0, "total": 5**0.5, "decayed": 2.0, "not_decayed": 0.0}
    arrays |= {f"{name}/norm": np.full(4, value) * [1, 2, 3, 4] for name, value in norms_of.items()}
    shown = replace(SHOWN, artifacts={"parameters.layers": arrays})

    plain, relative = layers(shown, relative=False), layers(shown, relative=True)

    assert [trace.name for trace in plain.data] == ["embedding", "blocks.0.mlp", "total", "decayed"]
    assert list(relative.data[1].y) == [1, 2, 3, 4]
    assert plain.layout.yaxis.type == "log"
