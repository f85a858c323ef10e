from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views import calibration

VARIANT = make_variant(ToyFamily(), {})
STEPS = np.array([0, 10])


def shown(at: int | None, /, **arrays: object) -> ViewData:
    reads = {"behaviour.calibration": arrays}
    return ViewData(
        variant=VARIANT,
        step=at,
        steps=STEPS,
        step_label="epoch",
        probe=ToyFamily().probes(VARIANT)["grid"],
        artifacts=reads,  # pyright: ignore[reportArgumentType]
    )


def test_the_reliability_diagram_leaves_empty_bins_out_and_tells_error_and_chance():
    bins = {"count": np.array([0, 4]), "confidence": np.array([np.nan, 0.9]), "accuracy": np.array([np.nan, 0.5])}
    told = {"error": np.array(0.4), "error_null": np.array([0.01, 0.2]), "edge": np.array([0, 0.5, 1])}
    figure = calibration.reliability(
        shown(10, edge=told.pop("edge"), **{f"test/{name}": a for name, a in (bins | told).items()}), split="test"
    )

    assert (list(figure.data[1].x), list(figure.data[1].y)) == ([pytest.approx(0.9)], [0.5])
    # Wilson's interval of two of four.
    assert 0.5 - figure.data[1].error_y.arrayminus[0] == pytest.approx(0.15, abs=1e-3)
    assert 0.5 + figure.data[1].error_y.array[0] == pytest.approx(0.85, abs=1e-3)
    assert "calibration error 0.4000 (chance 0.0100 to 0.2000) · 4 inputs" in figure.layout.title.subtitle.text
    assert not figure.layout.annotations


def test_ribbons_join_quantiles_from_both_ends():
    loss = np.array([[1, 2, 3, 4, 5], [0, 2, 3, 4, 5]], dtype=float)
    share = np.tile([0, 0.25, 0.5, 0.75, 1], (2, 1))
    arrays = {"step": STEPS, "quantile": share, "test/loss_quantile": loss}
    figure = calibration.quantiles(shown(None, **arrays), split="test")

    names = [trace.name for trace in figure.data]
    assert names == [None, "smallest to largest", None, "25% to 75%", "median", "largest"]
    assert list(figure.data[3].y) == [4, 4]
    assert figure.data[0].y[1] == pytest.approx(1e-12)
    assert "below 1e-12" in figure.layout.title.subtitle.text


def test_classes_without_inputs_are_blank_not_missing():
    arrays = {
        "step": STEPS,
        "class": np.array([["0", "1"]] * 2),
        "test/class_accuracy": np.array([[0.5, np.nan], [1, np.nan]]),
        "test/class_count": np.array([[2, 0]] * 2),
    }
    figure = calibration.by_class(shown(None, **arrays), split="test")

    assert list(figure.data[0].z[0]) == [0.5, 1]
    assert not figure.layout.annotations


def test_log_odds_are_symmetric_about_even_odds():
    grid = ToyFamily().probes(VARIANT)["grid"]
    nll = np.full(25, np.log(2), dtype=np.float16)
    nll[0] = 3.0
    arrays = {"nll": nll, "correct": np.packbits(nll < 1)}
    base = ViewData(
        variant=VARIANT,
        step=0,
        steps=STEPS,
        probe=grid,
        artifacts={"learning.correctness": arrays},
        history={"learning.correctness": {"nll": nll[None]}},
    )
    figure = calibration.accuracy_grid(base, quantity="log odds", locked=True)

    assert figure.data[0].z[0, 0] == pytest.approx(-np.log(np.expm1(3)), rel=1e-3)
    assert figure.data[0].z[1, 1] == pytest.approx(0, abs=2e-3)
    assert figure.layout.coloraxis.cmin == -figure.layout.coloraxis.cmax
    assert "24 of 25 right" in figure.layout.title.subtitle.text
