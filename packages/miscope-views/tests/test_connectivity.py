from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope.view import Member
from miscope_views.connectivity import barriers, profiles, seeds

LOSS = np.zeros((3, 3, 3)) + np.array([1.0, 5.0, 1.0])
BARRIER = np.array([[0.0, 4, 4], [4, 0, 4], [4, 4, 0]])
SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=np.array([0, 10, 1000]),
    step_label="epoch",
    artifacts={
        "connectivity.barriers": {
            "at": np.array([0, 10, 1000]),
            "alpha": np.array([0, 0.5, 1]),
            "train/barrier": BARRIER,
            "train/loss": LOSS,
            "train/accuracy": LOSS / 10,
        }
    },
    events={"generalised": 900.0},
)


def test_barriers_are_a_matrix_over_the_checkpoints():
    figure = barriers(SHOWN, part="train", logarithmic=False)
    (heat,) = figure.data

    assert list(heat.x) == list(heat.y) == [0, 10, 1000]
    assert heat.z[0][2] == 4
    assert figure.layout.coloraxis.cmax == 4
    assert figure.layout.meta["time_axes"] == ["x", "y"]


def test_in_logarithms_no_barrier_is_the_foot_of_the_scale():
    (heat,) = barriers(SHOWN, part="train", logarithmic=True).data

    assert heat.z[0][0] == pytest.approx(np.log10(4e-6))
    assert heat.customdata[0][0] == 0


def test_profiles_lead_from_every_other_checkpoint_to_the_one_chosen():
    figure = profiles(SHOWN, part="train", quantity="loss", towards="1000", logarithmic=True)

    assert [trace.name for trace in figure.data] == ["0", "10", None]
    assert list(figure.data[0].y) == [1, 5, 1]
    assert "barrier 4" in figure.data[0].hovertemplate


def test_profiles_know_of_which_step_each_of_their_points_is():
    unseen = profiles(SHOWN, part="train", quantity="loss", towards="1000", logarithmic=False).data[-1]

    assert list(unseen.y) == pytest.approx([1, 5, 1, np.nan] * 2, nan_ok=True)
    assert list(unseen.customdata) == [0] * 4 + [10] * 4
    assert unseen.line.width == 0


def test_a_loss_that_is_no_number_is_said_to_be_lost_once():
    loss = LOSS.copy()
    loss[0, 2, 1] = np.nan
    arrays = {**SHOWN.artifacts["connectivity.barriers"], "train/loss": loss}
    shown = replace(SHOWN, artifacts={"connectivity.barriers": arrays})
    figure = profiles(shown, part="train", quantity="loss", towards="1000", logarithmic=False)

    (said,) = (each.text for each in figure.layout.annotations)
    assert said.startswith("⚠ 1 of ")


def test_two_runs_are_joined_before_and_after_matching():
    arrays = {"alpha": np.array([0, 0.5, 1])}
    for when, height in (("before", 4.0), ("after", 0.0)):
        arrays[f"train/{when}_barrier"] = np.array([[0, height], [height, 0]])
        arrays[f"all/{when}_cosine"] = np.array([[1, 1 - height / 8], [1 - height / 8, 1]])
        arrays[f"train/{when}_loss"] = np.zeros((2, 2, 3)) + np.array([1, 1 + height, 1])
    members = tuple(Member(label=label, shown=SHOWN) for label in ("seed=1", "seed=2"))
    shown = replace(SHOWN, artifacts={"connectivity.seeds": arrays}, members=members)
    figure = seeds(shown, part="train", quantity="loss")

    assert [list(trace.y) for trace in figure.data] == [[1, 5, 1], [1, 1, 1]]
    note = "median barrier 4 as they are, 0 with matching units · cosine of their weights 0.50, 1.00"
    assert note in figure.layout.title.subtitle.text
