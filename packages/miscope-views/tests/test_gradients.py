from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.testing import ToyFourierFamily
from miscope.testing.toy import cosines
from miscope.view import Member
from miscope_views import gradients

STEPS = np.array([0, 100])


def shown(shares, members=()):
    arrays = {"step": STEPS, "W_E/energy": np.array([2.0, 1.0]), "W_E/share": np.array([0.5, 0.1])}
    arrays |= {"b/energy": np.array([2.0, 9.0]), "b/share": np.array([0.5, 0.9]), "total/energy": np.array([4.0, 10])}
    if shares is not None:
        arrays["W_E/fraction"] = np.array([shares, [0.0, 1.0]])
        arrays |= {f"W_E/{name}": np.full((2, 2), value) for name, value in (("expected", 0.5), ("high", 0.9))}
        arrays |= {"W_E/label": np.array([["1", "2"]] * 2), "W_E/basis": np.array([["fourier"]] * 2)}
    variant, reads = make_variant(ToyFourierFamily(), {}), {"gradients.energy": arrays}
    bases = {"token": cosines(5)}
    return ViewData(variant=variant, step=None, steps=STEPS, artifacts=reads, bases=bases, members=members)


def cohort(*shares):
    members = tuple(Member(label=f"seed={i}", shown=shown(one)) for i, one in enumerate(shares))
    return shown(shares[0], members)


def test_energies_are_drawn_by_tensor_and_in_all_and_shares_by_tensor():
    figure = gradients.energy(shown(None), relative=False)
    assert {trace.name: list(trace.y) for trace in figure.data} == {"W_E": [2, 1], "b": [2, 9], "total": [4, 10]}
    figure = gradients.energy(shown(None), relative=True)
    assert [trace.name for trace in figure.data] == ["W_E", "b"]


@pytest.mark.parametrize(("total", "lost"), [(0.0, []), (np.nan, ["⚠ 2 of 4 values are not finite and not drawn"])])
def test_no_gradient_has_no_shares_which_is_a_gap_and_one_that_is_no_number_is_lost(total: float, lost: list[str]):
    still = shown(None)
    arrays = {**still.artifacts["gradients.energy"], "total/energy": np.array([4.0, total])}
    arrays |= {f"{role}/share": np.array([0.5, np.nan]) for role in ("W_E", "b")}
    figure = gradients.energy(replace(still, artifacts={"gradients.energy": arrays}), relative=True)
    assert [each.text for each in figure.layout.annotations] == lost
    assert ("gaps: no gradient has no shares" in figure.layout.title.subtitle.text) is (not lost)


def test_bars_are_the_mean_over_seeds_at_the_first_step_with_its_interval():
    figure = gradients.initialisation(cohort([0.2, 0.8], [0.4, 0.6], [0.9, 0.1]), product="W_E")
    bars = figure.data[0]
    assert list(bars.y) == pytest.approx([0.5, 0.5])
    assert (bars.y - bars.error_y.arrayminus >= 0).all()
    assert (bars.y + bars.error_y.array <= 1).all()
    assert (bars.error_y.arrayminus > 0.3).all()
    assert list(figure.data[1].y) == pytest.approx([0.5, 0.5])
    assert "3 of 3 variants at step 0" in figure.layout.title.subtitle.text


@pytest.mark.parametrize("shares", [[[0.2, 0.8]], [[0.2, 0.8], [0.4, 0.6]]])
def test_of_fewer_than_three_variants_there_is_no_interval(shares: list[list[float]]):
    figure = gradients.initialisation(cohort(*shares), product="W_E")
    assert list(figure.data[0].error_y.array) == list(figure.data[0].error_y.arrayminus) == [0, 0]


def test_a_record_that_begins_later_has_no_gradient_from_before_training():
    late = shown([0.2, 0.8])
    late = replace(late, artifacts={name: {**a, "step": a["step"] + 50} for name, a in late.artifacts.items()})
    early = Member(label="seed=1", shown=shown([0.4, 0.6]))
    figure = gradients.initialisation(shown([0.2, 0.8], (Member(label="seed=0", shown=late), early)), product="W_E")
    assert list(figure.data[0].y) == pytest.approx([0.4, 0.6])
    assert "1 of 2 variants at step 0" in figure.layout.title.subtitle.text
    reason = "no variant has a gradient of W_E at step 0; a record that begins later holds none from before"
    with pytest.raises(DoesNotApply, match=reason):
        gradients.initialisation(shown([0.2, 0.8], (Member(label="seed=0", shown=late),)), product="W_E")


def test_without_a_basis_there_is_no_spectrum():
    with pytest.raises(DoesNotApply, match="the family gives no basis over an axis of its weights"):
        gradients.spectrum(shown(None), product="")
