from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFourierFamily
from miscope.testing.toy import cosines
from miscope_views import scores

HEAD = "blocks.0.attn[0]"
HISTORY = {
    "step": np.array([0, 100]),
    f"{HEAD}/basis": np.array([["fourier"]] * 2),
    f"{HEAD}/label": np.array([["1", "2", "3"]] * 2),
    f"{HEAD}/fraction": np.array([[0.3, 0.4, 0.3], [0.05, 0.9, 0.05]]),
    f"{HEAD}/score": np.array([np.zeros(7), 3 * np.cos(4 * np.pi * np.arange(7) / 7)]),
}


def shown(reads, step):
    arrays = HISTORY if step is None else {name: array[1] for name, array in HISTORY.items()}
    given = {"artifacts": {reads: arrays}, "history": {reads: HISTORY}, "bases": {"token": cosines(7)}}
    return ViewData(variant=make_variant(ToyFourierFamily(), {}), step=step, steps=HISTORY["step"], **given)


@pytest.mark.parametrize("view", scores.VIEWS, ids=lambda view: view.name)
def test_every_view_draws_a_head(view):
    over = view.grain == "trajectory"
    controls = {} if over else {"locked": True}
    controls |= {"head": HEAD} if any(control.name == "head" for control in view.controls) else {}
    figure = view.draw(shown(view.needs.reads[0], None if over else 100), **controls)
    assert figure.data
    assert view.summary


def test_the_scale_of_scores_is_that_of_all_of_training():
    figure = scores.tokens(shown("scores.queries", 100), locked=True)
    assert figure.layout.yaxis.range == pytest.approx((-3.15, 3.15))
    assert list(figure.data[0].y) == pytest.approx(HISTORY[f"{HEAD}/score"][1], abs=1e-6)
    assert scores.tokens(shown("scores.queries", 100), locked=False).layout.yaxis.range is None


def test_every_component_is_ticked_where_they_are_few():
    figure = scores.spectrum(shown("scores.queries", 100), head=HEAD, locked=True)
    assert list(figure.layout.xaxis.tickvals) == ["1", "2", "3"]
