from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.figure_style import colour_of
from miscope.testing import ToyFourierFamily
from miscope_views import progress

EACH = np.tile(np.array([4.0, 2.0, 0.01])[:, None], (1, 14))
EACH[1:, 4] = 2.5, 2.0
EACH[2, 7] = 0.2


def shown() -> ViewData:
    falling, rising = np.array([4.0, 2.0, 0.01]), np.array([4.0, 3.0, 9.0])
    curves = {"full": falling, "restricted": falling / 10, "excluded": rising, "trig": falling}
    arrays = {f"{name}/{part}": values for name, values in curves.items() for part in ("train", "test", "all")}
    arrays |= {"step": np.array([0, 50, 100]), "excluded/each": EACH}
    arrays["key"] = np.zeros(EACH.shape, dtype=bool)
    arrays["key"][1:, 4] = True
    arrays["causal"] = 10 * falling[:, None] < EACH
    arrays["label"] = np.array([[str(k) for k in range(1, 15)]] * 3)
    variant = make_variant(ToyFourierFamily(), {})
    return ViewData(variant=variant, step=None, steps=arrays["step"], artifacts={"progress.losses": arrays})


def test_the_ratio_says_how_much_the_rest_of_the_logits_costs():
    figure = progress.losses(shown(), part="test")

    assert figure.layout.yaxis.type == "log"
    assert list(figure.data[-1].y) == pytest.approx([10, 10, 10])
    assert "restricted (test)" in [trace.name for trace in figure.data]


def test_what_was_ever_key_or_causal_has_a_line_above_the_band_of_all_others():
    figure = progress.excluded(shown())

    assert [trace.name for trace in figure.data] == ["nothing left out", None, "any other", "5", "8"]
    assert figure.data[3].line.color == colour_of("5")
    assert list(figure.data[2].y) == pytest.approx([4.0, 2.0, 0.01])
    assert list(figure.data[4].y) == pytest.approx([4.0, 2.0, 0.2])


def test_what_is_causal_is_counted_below_what_is_key():
    figure = progress.causal(shown())
    counts = {trace.name: list(trace.y) for trace in figure.data[:2]}

    assert counts == {"key": [0, 1, 1], "causal": [0, 0, 2]}
    assert list(figure.data[2].y) == ["5", "8"]
    assert figure.data[2].z[0, 2] == pytest.approx(np.log10(2.0 / 0.01))
    assert not figure.layout.annotations


def of(reads, arrays):
    found = shown()
    steps = np.array([0, 100])
    return ViewData(variant=found.variant, step=None, steps=steps, artifacts={reads: arrays | {"step": steps}})


def test_both_sets_are_drawn_over_the_checkpoints_looked_at():
    curves = {f"{s}/{m}/test": np.array([4.0, 1.0]) for s in ("final", "union") for m in ("restricted", "excluded")}
    whole = {f"full/{part}": np.array([4.0, 0.1]) for part in ("train", "test")}
    arrays = curves | whole | {"at": np.array([0, 100]), "label": np.array(["1", "2"]), "key": np.array([True, False])}
    figure = progress.final_keys(of("progress.final", arrays), part="test")

    assert [trace.name for trace in figure.data][2:4] == ["restricted, final set", "restricted, key so far"]
    assert "key at the end: 1" in figure.layout.title.subtitle.text


def test_a_line_for_every_number_of_directions():
    arrays = {
        "rank": np.array([[2, 5]] * 2),
        "dimension": np.array([9, 2]),
        "restricted/all": np.array([[4.0, 4.0], [1.0, 0.1]]),
        "full/all": np.array([4.0, 0.1]),
    }
    figure = progress.subspace(of("progress.subspace", arrays), part="all")

    assert [trace.name for trace in figure.data] == ["all directions", "2", "5", ""]
    assert list(figure.data[1].y) == [4.0, 1.0]
