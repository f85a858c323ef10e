from __future__ import annotations

import numpy as np

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.figure_style import colour_of
from miscope.testing import ToyFourierFamily
from miscope.testing.toy import cosines
from miscope_views import products

STEPS = np.array([0, 100])
NAME = "W_E @ W_U"


def test_products_are_drawn_as_spectra_and_sparsity_has_a_panel_for_how_many():
    share = np.array([np.full(14, 1 / 14), np.eye(14)[4]])
    stacked = {
        "step": STEPS,
        f"{NAME}/fraction": share,
        f"{NAME}/label": np.array([[str(k) for k in range(1, 15)]] * 2),
        f"{NAME}/basis": np.array([["fourier"]] * 2),
        f"{NAME}/participation": np.array([14.0, 1.0]),
        **{f"{NAME}/{index}": np.array([0.0, 0.9]) for index in ("gini", "hoyer", "concentration", "top_share")},
    }
    shown = ViewData(
        variant=make_variant(ToyFourierFamily(), {}),
        step=None,
        steps=STEPS,
        artifacts={"products.inputs": stacked},
        bases={"token": cosines(29)},
    )

    lines = products.inputs_lines(shown, product=NAME)
    indices = products.inputs_sparsity(shown, product=NAME)

    assert {trace.name: trace for trace in lines.data}["5"].line.color == colour_of("5")
    assert list(indices.data[-1].y) == [14, 1]
    assert indices.data[-1].yaxis == "y2"
    assert [trace.name for trace in indices.data[:2]] == ["Gini", "Hoyer"]
