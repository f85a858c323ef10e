from __future__ import annotations

import numpy as np
import pytest

from miscope import Shown
from miscope.family import make_variant
from miscope.figure_style import colour_of
from miscope.testing import ToyFourierFamily, check_view
from miscope_views import progress

EACH = np.full((3, 14), np.nan)
EACH[1:, 4] = 0.5, 2.0


def shown() -> Shown:
    falling, rising = np.array([4.0, 2.0, 0.01]), np.array([4.0, 3.0, 9.0])
    curves = {"full": falling, "restricted": falling / 10, "excluded": rising, "trig": falling}
    arrays = {f"{name}/{part}": values for name, values in curves.items() for part in ("train", "test", "all")}
    arrays |= {"step": np.array([0, 50, 100]), "excluded/each": EACH}
    arrays["label"] = np.array([[str(k) for k in range(1, 15)]] * 3)
    variant = make_variant(ToyFourierFamily(), {})
    return Shown(variant=variant, step=None, steps=arrays["step"], artifacts={"progress.losses": arrays})


@pytest.mark.parametrize("view", progress.VIEWS, ids=lambda view: view.name)
def test_every_view_draws_a_trained_toy(view):
    check_view(view)


def test_the_ratio_says_how_much_the_rest_of_the_logits_costs():
    figure = progress.losses(shown(), part="test", clock="linear", events=True)

    assert figure.layout.yaxis.type == "log"
    assert list(figure.data[-1].y) == pytest.approx([10, 10, 10])
    assert "restricted (test)" in [trace.name for trace in figure.data]


def test_a_component_is_drawn_where_it_is_key():
    figure = progress.excluded(shown(), clock="linear", events=True)

    assert [trace.name for trace in figure.data] == ["nothing left out", "5"]
    assert figure.data[1].line.color == colour_of("5")
    assert not figure.layout.annotations
