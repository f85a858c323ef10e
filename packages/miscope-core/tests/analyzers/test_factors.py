"""What logits depend on, against the paper's models, by hand and without a basis."""

import numpy as np
import pytest
import torch

from miscope.analyzers.factors import SHARES
from miscope.maths.factor_shares import block_powers, class_sums
from miscope.testing import check_analyzer, toy_snapshot
from miscope.testing.toy import ToyFamily, cosines

P = 5
A, B = np.divmod(np.arange(P * P), P)


def test_factor_shares_keep_the_contract_without_a_basis():
    check_analyzer(SHARES, ToyFamily())


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_logits(calibration, computed, name):
    model = calibration(name)
    model.shown["bases"] = model.shown["bases"] | {"sum": cosines(113)}
    outputs, known = computed(SHARES, model), model.known["logits"]
    answer = dict(zip(outputs["logits/answer_label"], outputs["logits/answer"], strict=True))
    own = dict(zip(outputs["logits/answer_label"], outputs["logits/own_answer"], strict=True))
    for k, share in known["sum_direction_fraction_top10"]:
        assert answer[str(k)] == pytest.approx(share, rel=1e-6)
    for k, share in known["cos_w(a+b-c)_variance_fraction_top10"]:
        assert own[str(k)] == pytest.approx(share, rel=1e-6, abs=1e-15)
    assert outputs["logits/answer_share"] == pytest.approx(known["sum_direction_fraction_total_all_freqs"], rel=1e-6)
    assert outputs["logits/own_answer_share"] == pytest.approx(known["cos_w(a+b-c)_variance_fraction_total_all_freqs"])
    difference = float(outputs["logits/within"].sum() - outputs["logits/answer"].sum())
    assert difference == pytest.approx(known["difference_direction_fraction_total"], rel=1e-6)
    linear = sum(float(outputs[f"logits/{part}_share"]) for part in ("first", "second", "within"))
    assert linear == pytest.approx(known["single_freq_block_fraction_total_incl_linear"], rel=1e-6)


def of(values, bases=("a", "b", "sum")):
    snapshot = toy_snapshot(
        options=SHARES.options(),
        activations={"blocks.0.hook_post": torch.from_numpy(values)[:, None]},
        bases={name: cosines(P) for name in bases},
    )
    return {name.rpartition("/")[2]: array for name, array in SHARES.compute(snapshot).items()}


@pytest.mark.parametrize(
    ("values", "part"),
    [
        (np.cos(2 * np.pi * A / P), "first_share"),
        (np.sin(4 * np.pi * B / P) + 3, "second_share"),
        (np.cos(2 * np.pi * (A + B) / P), "within_share"),
        (np.cos(2 * np.pi * A / P) * np.cos(4 * np.pi * B / P), "across_share"),
    ],
)
def test_each_part_is_told_from_the_others(values, part):
    outputs = of(values)
    assert {name: float(outputs[name]) for name in outputs if name.endswith("_share") and name != "answer_share"} == (
        pytest.approx(
            {name: float(name == part) for name in ("first_share", "second_share", "within_share", "across_share")}
        )
    )


def test_the_sum_is_the_answer_and_the_difference_is_not():
    assert of(np.cos(2 * np.pi * (2 * A + 2 * B) / P))["answer"] == pytest.approx([0, 1])
    assert of(np.cos(2 * np.pi * (A - B) / P))["answer_share"] == pytest.approx(0, abs=1e-12)
    assert "answer" not in of(np.cos(2 * np.pi * (A + B) / P), bases=())


def test_a_site_that_does_not_vary_has_no_shares():
    assert all(np.all(array == 0) for name, array in of(np.ones(P * P)).items() if name.endswith("share"))


def test_block_powers_are_those_of_the_whole_array_of_coefficients():
    units = torch.randn(P, P, 300, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    basis = cosines(P)
    centred = (units - units.mean(dim=(0, 1))).numpy()
    power = (np.einsum("ia,jb,abm->ijm", basis.rows, basis.rows, centred) ** 2).sum(axis=2)
    expected = np.add.reduceat(np.add.reduceat(power, [0, 1, 3], axis=0), [0, 1, 3], axis=1)
    expected[0, 0] = 0
    np.testing.assert_allclose(block_powers(units, basis, basis), expected, rtol=1e-10, atol=1e-12)


def test_class_sums_are_exact_however_many_inputs_there_are():
    units = torch.randn(1300, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    classes = np.random.default_rng(0).integers(4, size=1300)
    sums = class_sums(units, classes, 6)
    expected = np.stack([units.numpy()[classes == c].sum(axis=0) for c in range(6)])
    np.testing.assert_allclose(sums.sums, expected, rtol=1e-10, atol=1e-12)
    assert sums.counts.tolist() == [*np.bincount(classes), 0, 0]
    assert sums.power == pytest.approx(float(units.square().sum()), rel=1e-12)
