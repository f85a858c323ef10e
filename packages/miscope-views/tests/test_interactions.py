from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views.interactions import interactions

NOW = {
    "head": np.array(["L0H0", "L0H1"]),
    "inputs": np.array(64),
    "pair/test/loss": np.array([[0, -0.5], [-0.5, 0]]),
    "pair/test/loss_sem": np.array([[0, 0.1], [0.1, 0]]),
    "ablated/test/loss": np.array([1.0, 2.0]),
    "ablated/test/loss_sem": np.array([0.1, 0.1]),
    "alone/test/loss": np.array([3.0, 2.5]),
    "alone/test/loss_sem": np.array([0.1, 0.1]),
    "clean/test_loss": np.array(0.25),
    "none/test_loss": np.array(4.5),
}
HISTORY = {name: np.stack([array, 2 * array]) if array.dtype.kind == "f" else array for name, array in NOW.items()}
SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=100,
    steps=np.array([100, 200]),
    artifacts={"ablations.interactions": NOW},
    history={"ablations.interactions": HISTORY},
)


def test_pairs_are_a_signed_matrix_without_a_diagonal_beside_each_head_out_and_alone():
    figure = interactions(SHOWN, data="test", quantity="loss", locked=False)
    heat, ablated, alone = figure.data

    assert heat.z[0][1] == pytest.approx(-0.5)
    assert np.isnan(heat.z[0][0])
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-0.5, 0.5)
    assert list(ablated.y) == [1, 2]
    assert list(alone.error_y.array) == pytest.approx([0.196, 0.196])
    assert "loss 0.25 with all heads, 4.5 with none" in figure.layout.title.subtitle.text
    assert not figure.layout.annotations


def test_ranges_are_those_of_all_of_training():
    figure = interactions(SHOWN, data="test", quantity="loss", locked=True)

    assert figure.layout.coloraxis.cmax == 1
    assert figure.layout.yaxis2.range == pytest.approx((-0.36, 6.36))
