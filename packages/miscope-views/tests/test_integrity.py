from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.render import draw
from miscope.snapshot import Series
from miscope.testing import ToyFamily
from miscope_views import integrity

STEPS = np.array([0, 10, 20])
FLAG = np.array([[False, False], [False, True], [False, False]])
AUDIT = {
    "at": STEPS,
    "kind": np.array(["not a number", "jump"]),
    "flag": FLAG,
    "distance": np.array([[0, 1, 2], [1, 0, 1], [2, 1, 0]], dtype=float),
    "neighbour_share": np.array(1.0),
    "role": np.array(["W_E"]),
    "speed_z": np.array([[9.0], [-1.0]]),
}
REPLAY = {
    "at": STEPS,
    "train_loss/recorded": np.array([4, 2, 1.0]),
    "train_loss/recomputed": np.array([4, 3, 1.0]),
    "train_loss/log_ratio": np.array([0, np.log(1.5), np.nan]),
    "train_loss/flag": np.array([False, True, False]),
    "train_loss/worst": np.array(np.log(1.5)),
    "train_loss/lag": np.array(1.0),
    "train_loss/typical": np.array(0.2),
    "train_loss/differs": np.array(0.0),
    "train_loss/distance": np.array([0, -2, np.nan]),
    "flag_count": np.array(1.0),
}


def shown(**reads: object) -> ViewData:
    return ViewData(
        variant=make_variant(ToyFamily(), {}),
        step=None,
        steps=STEPS,
        step_label="epoch",
        artifacts={name.replace("_", "."): arrays for name, arrays in reads.items()},  # pyright: ignore
        metrics={"train_loss": Series(steps=STEPS, values=np.array([4, 2, 1.0]))},
    )


def test_flagged_checkpoints_are_named_and_marked_in_the_map_of_distances():
    figure = integrity.distances(shown(integrity_audit=AUDIT))

    assert [mark.x0 for mark in figure.layout.shapes] == [10]
    assert "1 of 3 flagged: epoch 10" in figure.layout.title.subtitle.text
    assert figure.data[0].z.shape == (3, 3)


def test_a_logarithmic_axis_leaves_step_0_out_of_both_axes_of_distances():
    (view,) = [view for view in integrity.VIEWS if view.draw is integrity.distances]
    figure = draw(view, shown(integrity_audit=AUDIT), {"clock": "log"})

    assert figure.data[0].z.tolist() == [[0, 1], [1, 0]]


def test_only_what_is_flagged_has_a_cross():
    figure = integrity.flags(shown(integrity_audit=AUDIT))
    crosses = [(list(t.x), list(t.y)) for t in figure.data if t.marker.symbol == "x" and len(t.x)]

    assert crosses == [([10], ["jump"])]
    assert list(figure.data[-1].y) == [9, -1]


def test_a_healthy_run_says_so():
    healthy = AUDIT | {"flag": np.zeros_like(FLAG)}
    figure = integrity.flags(shown(integrity_audit=healthy))

    assert "none of 3 checkpoints is flagged" in figure.layout.title.subtitle.text


def test_the_replay_marks_what_differs_and_tells_a_record_that_is_off_by_one():
    figure = integrity.replay(shown(integrity_replay=REPLAY))

    assert list(figure.data[-1].marker.symbol) == ["circle", "x", "circle"]
    assert figure.data[-1].y[1] == pytest.approx(np.log(1.5))
    told = "train: at most 0.4 (agrees better 1 record later), records up to 2 epochs away · 1 flagged"
    assert told in figure.layout.title.subtitle.text
    assert not figure.layout.annotations


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"train_loss/differs": np.array(1.0)}, "train: apart throughout, typically 0.2"),
        (
            {"train_loss/worst": np.array(np.nan), "train_loss/lag": np.array(np.nan), "flag_count": np.array(np.nan)},
            "train: nothing was recorded near a checkpoint",
        ),
    ],
)
def test_losses_that_differ_throughout_and_those_never_recorded_are_said_in_words(change: dict, told: str):
    figure = integrity.replay(shown(integrity_replay=REPLAY | change))
    text = figure.layout.title.subtitle.text
    assert told in text
    assert ("flagged" in text) != ("nothing" in told)
