from __future__ import annotations

import numpy as np

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.figure_style import OKABE_ITO
from miscope.testing import ToyFamily
from miscope_views.provenance import settings


def test_contradictions_lead_and_stand_out():
    arrays = {
        "file": np.array(["a.pth", "a.pth"]),
        "setting": np.array(["lr", "weight_decay"]),
        "configuration": np.array(["0.001", "1"]),
        "optimizer": np.array(["0.001", "0.1"]),
        "record": np.array(["0.001", "0.1"]),
        "mismatch": np.array([False, True]),
        "mismatch_count": np.array(1),
        "source": np.array(["a.pth"]),
        "assumed": np.array(["seed"]),
        "assumed_value": np.array(["0"]),
        "warm_from": np.array(["toy.sum/v"]),
        "warm_step": np.array([300]),
    }
    variant = make_variant(ToyFamily(), {})
    shown = ViewData(variant=variant, step=None, steps=np.arange(1), artifacts={"provenance.settings": arrays})
    figure = settings(shown)
    setting, *_, record = figure.data[0].cells.values
    assert list(setting) == ["weight_decay", "seed", "lr"]
    assert list(record) == ["0.1", "0 (assumed)", "0.001"]
    assert list(figure.data[0].cells.font.color[0][:2]) == [OKABE_ITO[1], OKABE_ITO[0]]
    assert (
        "contradictions: 1 · assumed: 1 · from a.pth · from step 300 of toy.sum/v on with a fresh optimizer"
    ) in figure.layout.title.subtitle.text
