"""Frequencies of neurons against ideal neurons and the paper's models."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.analysis.returned import returned_arrays
from miscope.analyzers.neurons import BANDS, FREQUENCIES, bands
from miscope.maths.bands import band_of, effective_number, herfindahl
from miscope.maths.factor_spectrum import block_fractions, conditional_means_basis
from miscope.probe import Probe
from miscope.snapshot import Trajectory
from miscope.testing import ToyFamily, check_analyzer, toy_snapshot
from miscope.testing.toy import cosines

SITE = "blocks.0.mlp.hook_post"


def grid(p, k):
    x = 2 * np.pi * k * np.arange(p) / p
    return np.meshgrid(x, x, indexing="ij")


def test_the_instruments_of_neurons_keep_the_contract_without_a_basis():
    check_analyzer(FREQUENCIES, ToyFamily())
    check_analyzer(BANDS, ToyFamily())


@pytest.mark.parametrize("k", [1, 14, 56])
def test_ideal_neurons_score_what_the_closed_forms_say(k):
    a, b = grid(113, k)
    units = np.stack(
        [np.maximum(np.cos(a) + np.cos(b), 0), np.maximum(np.cos(a + b), 0), np.cos(a) * np.cos(b)], axis=-1
    )
    fractions, _ = block_fractions(torch.from_numpy(units).float(), cosines(113), cosines(113))
    assert fractions[k - 1].numpy() == pytest.approx([0.96208, 0.84077, 1.0], abs=2e-5)


def test_white_noise_scores_its_share_of_the_coefficients():
    noise = torch.randn(113, 113, 64, generator=torch.Generator().manual_seed(0))
    fractions, variance = block_fractions(noise, cosines(113), cosines(113))
    assert float(fractions.mean()) == pytest.approx(8 / (113**2 - 1), rel=0.05)
    assert variance.numpy() == pytest.approx(np.ones(64), rel=0.1)


def test_a_neuron_that_never_moves_scores_nothing():
    fractions, variance = block_fractions(torch.full((11, 11, 2), 0.1), cosines(11), cosines(11))
    assert float(fractions.abs().max()) == 0
    assert variance.tolist() == [0, 0]


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_neurons(calibration, computed, name):
    model = calibration(name)
    outputs, known = computed(FREQUENCIES, model), model.known["neurons"]
    most, dominant = outputs[f"{SITE}/max_fraction"], outputs[f"{SITE}/dominant"]
    strong = dominant[most >= 0.85]
    assert counts(strong) == known["argmax_freq_counts_frac>=0.85"]
    live = counts(dominant)
    assert {k: live[k] for k in known["argmax_freq_counts_all_live"]} == known["argmax_freq_counts_all_live"]
    assert outputs[f"{SITE}/specialised_count"] == known["n_ge_0.85"]
    assert outputs[f"{SITE}/dead_count"] == 0
    assert outputs[f"{SITE}/median_max_fraction"] == pytest.approx(known["frac_explained_median"], abs=1e-5)
    assert most.min() == pytest.approx(known["frac_explained_min"], abs=1e-5)
    assert most.mean() == pytest.approx(known["frac_explained_mean"], rel=1e-5)
    assert (most >= 0.95).sum() == known["n_ge_0.95"]
    percentiles = known["frac_explained_percentiles_5_25_50_75_95"]
    assert np.percentile(most, (5, 25, 50, 75, 95)) == pytest.approx(percentiles, rel=1e-5)
    weighted = known["frac_explained_variance_weighted_mean"]
    assert outputs[f"{SITE}/weighted_max_fraction"] == pytest.approx(weighted, rel=1e-5)
    share = dict(zip(outputs[f"{SITE}/label"], outputs[f"{SITE}/variance_fraction"], strict=True))
    for k, fraction in known["total_variance_fraction_by_freq_top10"]:
        assert share[str(k)] == pytest.approx(fraction, rel=1e-5)
    keys = sum(share[str(k)] for k in model.known["key_freqs"]["USED"])
    assert keys == pytest.approx(known["key_freq_total_variance_fraction"], rel=1e-5)


def counts(labels):
    return {str(k): int(n) for k, n in zip(*np.unique(labels, return_counts=True), strict=True)}


@given(st.permutations(range(6)))
@settings(deadline=None, max_examples=20)
def test_permuting_neurons_permutes_their_fractions(order):
    units = torch.randn(7, 7, 6, generator=torch.Generator().manual_seed(1))
    plain, _ = block_fractions(units, cosines(7), cosines(7))
    moved, _ = block_fractions(units[..., list(order)], cosines(7), cosines(7))
    torch.testing.assert_close(moved, plain[:, list(order)])


@given(u=st.integers(1, 10))
@settings(deadline=None)
def test_relabelling_both_factors_permutes_the_blocks(u):
    units = torch.randn(11, 11, 3, generator=torch.Generator().manual_seed(2))
    order = [pow(u, -1, 11) * x % 11 for x in range(11)]
    plain, _ = block_fractions(units, cosines(11), cosines(11))
    moved, _ = block_fractions(units[order][:, order], cosines(11), cosines(11))
    for k in range(1, 6):
        image = pow(u, -1, 11) * k % 11
        torch.testing.assert_close(moved[min(image, 11 - image) - 1], plain[k - 1], rtol=1e-4, atol=1e-6)


def test_without_a_basis_the_datas_own_explains_what_depends_on_one_factor():
    shape = torch.randn(7, 1, generator=torch.Generator().manual_seed(3))
    units = torch.stack([shape.expand(7, 7), torch.randn(7, 7, generator=torch.Generator().manual_seed(4)) * 0.01], -1)
    fractions, _ = block_fractions(units, *conditional_means_basis(units))
    assert float(fractions[0, 0]) == pytest.approx(1, abs=1e-4)


def test_factors_of_unequal_size_have_bases_of_their_own():
    first, second = conditional_means_basis(torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(5)))
    assert (first.size, second.size) == (5, 4)
    fractions, _ = block_fractions(torch.randn(5, 4, 3), first, second)
    assert fractions.shape == (3, 3)


def test_concentration_of_equal_and_single_shares():
    sizes = np.array([[2.0, 2, 2, 2], [0, 5, 0, 0], [0, 0, 0, 0]])
    assert herfindahl(sizes) == pytest.approx([0.25, 1, np.nan], nan_ok=True)
    assert effective_number(sizes) == pytest.approx([4, 1, np.nan], nan_ok=True)


@given(st.integers(1, 60), st.integers(1, 5))
def test_bands_are_of_neighbours_and_as_equal_as_can_be(components, bands):
    band = band_of(components, min(bands, components))
    counts = np.bincount(band)
    assert (np.diff(band) >= 0).all()
    assert counts.max() - counts.min() <= 1
    assert len(counts) == min(bands, components)


def test_bands_add_up_their_components():
    size = np.array([[0, 0, 0, 0], [1, 2, 0, 3]])
    arrays = {f"{SITE}/size": size, f"{SITE}/size_specialised": size // 2, f"{SITE}/label": np.array(list("1234"))}
    reads = {"neurons.clusters": arrays}
    shown = Trajectory(
        variant=toy_snapshot().variant,
        steps=np.array([0, 10]),
        options=BANDS.options(bands=2),
        probe=toy_snapshot().probe,
        artifacts=reads,
    )
    outputs = returned_arrays("bands", bands(shown))
    assert outputs[f"{SITE}/band"].tolist() == ["low", "high"]
    assert outputs[f"{SITE}/range"].tolist() == ["1-2", "3-4"]
    assert outputs[f"{SITE}/committed"].tolist() == [[0, 0], [3, 3]]
    assert outputs[f"{SITE}/specialised"].tolist() == [[0, 0], [1, 1]]
    assert outputs[f"{SITE}/band_herfindahl"] == pytest.approx([np.nan, 0.5], nan_ok=True)


def test_the_range_of_a_neuron_is_that_of_its_activations():
    units = torch.randn(25, 3, generator=torch.Generator().manual_seed(9))
    outputs = FREQUENCIES.compute(toy_snapshot(activations={SITE: units}))
    assert outputs[f"{SITE}/low"] == pytest.approx(units.min(dim=0).values.numpy())
    assert outputs[f"{SITE}/high"] == pytest.approx(units.max(dim=0).values.numpy())


def test_a_neuron_active_at_one_input_has_no_frequency_of_its_own():
    units = torch.zeros(7, 7, 2)
    units[3, 2, 0] = 1.0
    units[..., 1] = torch.cos(2 * torch.pi * torch.arange(7) * 2 / 7)[:, None]
    outputs = FREQUENCIES.compute(
        toy_snapshot(
            probe=Probe(
                name="grid",
                inputs=torch.cartesian_prod(torch.arange(7), torch.arange(7)),
                columns={"a": np.repeat(np.arange(7), 7), "b": np.tile(np.arange(7), 7)},
                grid=("a", "b"),
            ),
            activations={"blocks.0.mlp.hook_post": units.reshape(49, 2)},
            bases={"a": cosines(7), "b": cosines(7)},
        )
    )
    assert outputs["blocks.0.mlp.hook_post/dominant"].tolist() == ["", "2"]
