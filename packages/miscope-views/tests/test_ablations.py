from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.testing import ToyFamily, ToyFourierFamily, check_view
from miscope.testing.toy import cosines
from miscope_views import ablations

STEPS = np.array([0, 100])


def test_clusters_are_drawn_without_a_basis():
    check_view(next(view for view in ablations.VIEWS if view.name == "ablations.clusters"), ToyFamily())


def shown(name: str, arrays: dict[str, np.ndarray], step: int | None) -> ViewData:
    stacked = arrays | {"step": STEPS}
    now = stacked if step is None else {key: array[1] for key, array in arrays.items()}
    return ViewData(
        variant=make_variant(ToyFourierFamily(), {}),
        step=step,
        steps=STEPS,
        artifacts={name: now},
        history={name: stacked},
        bases={"sum": cosines(5)},
    )


EFFECTS = {
    "unit": np.array([["L0H0", "L0 MLP"]] * 2),
    "kind": np.array([["head", "mlp"]] * 2),
    "mode": np.array([["mean", "zero"]] * 2),
    "inputs": np.array([64, 64]),
    "test/loss": np.array([[[0.0, -1.0], [0.0, 0.0]], [[1.0, 2.0], [3.0, 4.0]]]),
    "test/loss_sem": np.full((2, 2, 2), 0.1),
}
EMBEDDING = {
    "label": np.array([["1", "2"]] * 2),
    "key": np.array([[False, False], [True, False]]),
    "role": np.array([["W_E"]] * 2),
    "share": np.array([[0.5, 0.5], [0.9, 0.1]]),
    "inputs": np.array([64, 64]),
    "test/loss": np.array([[np.nan, 0.0], [3.0, 0.1]]),
    "test/loss_sem": np.array([[np.nan, 0.1], [0.2, 0.1]]),
    "clean/test_loss": np.array([2.0, 0.5]),
    "kept/test_loss": np.array([2.0, 0.6]),
}


def test_bars_have_whiskers_of_a_95_percent_interval_and_a_range_for_all_of_training():
    figure = ablations.effects(shown("ablations.effects", EFFECTS, 100), data="test", quantity="loss", locked=True)

    assert [list(trace.y) for trace in figure.data] == [[1, 2], [3, 4]]
    assert list(figure.data[0].error_y.array) == pytest.approx([0.196, 0.196])
    assert list(figure.layout.yaxis.range) == pytest.approx([-1.3, 4.3])
    assert "on test inputs, those among 64 drawn" in figure.layout.title.subtitle.text


def test_over_training_each_part_has_a_curve_in_a_band():
    given = shown("ablations.effects", EFFECTS, None)
    figure = ablations.over_training(given, data="test", quantity="loss", mode="zero")

    curves = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in curves] == ["L0H0", "L0 MLP"]
    assert list(curves[1].y) == [0, 4]
    assert list(figure.data[0].y) == pytest.approx([-0.196, 3 - 0.196])


def test_the_embedding_is_shown_by_level_beside_its_key_components_alone():
    figure = ablations.embedding(
        shown("ablations.embedding", EMBEDDING, 100), data="test", quantity="loss", locked=False
    )

    assert list(figure.data[0].y) == pytest.approx([3.5, 0.6])
    assert figure.layout.shapes[0].y0 == 0.6
    assert "0.5 as it is" in figure.layout.title.subtitle.text


def test_only_key_components_are_followed_and_what_was_not_tried_is_no_missing_value():
    given = shown("ablations.embedding", EMBEDDING, None)
    figure = ablations.embedding_over_training(given, data="test", quantity="loss")

    assert [trace.name for trace in figure.data if trace.name] == ["1"]
    assert not figure.layout.annotations


def test_without_a_key_component_there_is_nothing_to_follow():
    given = shown("ablations.embedding", EMBEDDING | {"key": np.zeros((2, 2), dtype=bool)}, None)
    with pytest.raises(DoesNotApply, match="no component of its embedding is key at any step"):
        ablations.embedding_over_training(given, data="test", quantity="loss")
