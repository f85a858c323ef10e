"""Spectra of weights over tokens, against the paper's models, by hand, and under relabelling of tokens."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.analysis.returned import returned_arrays
from miscope.analyzers.spectra import EMBEDDING, EmbeddingOptions, embedding
from miscope.maths.sparsity import gini
from miscope.maths.spectrum import basis_spectrum, singular_spectrum
from miscope.testing import toy_snapshot
from miscope.testing.toy import cosines

BASIS = cosines(11)


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_embeddings(calibration, computed, name):
    model = calibration(name)
    outputs, known = computed(EMBEDDING, model), model.known["W_E"]
    share = dict(zip(outputs["W_E/label"], outputs["W_E/fraction"], strict=True))
    for k, fraction in known["freq_power_fraction_nonconst_top10"]:
        assert share[str(k)] == pytest.approx(fraction, rel=1e-6)
    strongest = [norm for _, _, norm in known["component_norms_top10"]]
    assert sorted(outputs["W_E/norm"], reverse=True)[:10] == pytest.approx(strongest, rel=1e-6)
    assert outputs["W_E/gini_norm"] == pytest.approx(known["gini_112_component_norms_no_const"], rel=1e-6)
    assert outputs["W_E/gini_power"] == pytest.approx(known["gini_56_freq_power"], rel=1e-6)
    top = [str(k) for k, _ in known["freq_power_fraction_nonconst_top10"][:5]]
    assert list(outputs["W_E/top"]) == top


def test_the_table_of_the_first_model(calibration, computed):
    outputs = computed(EMBEDDING, calibration("wd_10-1_mod_addition_loss_curve"))
    assert list(outputs["W_E/top"]) == ["23", "6", "37", "41", "39"]
    share = dict(zip(outputs["W_E/label"], outputs["W_E/fraction"], strict=True))
    assert [round(share[k], 4) for k in outputs["W_E/top"]] == [0.2380, 0.1685, 0.1523, 0.1442, 0.1271]
    assert sum(share[k] for k in outputs["W_E/top"]) == pytest.approx(0.8300, abs=5e-5)
    assert outputs["W_E/gini_norm"] == pytest.approx(0.5353, abs=5e-5)
    assert outputs["W_E/gini_power"] == pytest.approx(0.8499, abs=5e-5)
    assert list(outputs["W_E/basis"]) == ["fourier"]


def test_one_frequency_is_one_block_and_the_constant_is_left_out():
    x = 2 * np.pi * np.arange(11) / 11
    spectrum = basis_spectrum(np.outer(np.cos(3 * x + 0.7), [3.0, 4.0]) + 100.0, BASIS)
    assert spectrum.fraction == pytest.approx(np.eye(5)[2])
    assert spectrum.power[2] == pytest.approx(25 * 11 / 2)
    assert list(spectrum.label) == ["1", "2", "3", "4", "5"]
    assert spectrum.gini_power == pytest.approx(1 - 1 / 5)


def test_rows_beyond_the_basis_are_not_read():
    rows = np.random.default_rng(0).normal(size=(12, 4))
    assert basis_spectrum(rows, BASIS).norm == pytest.approx(basis_spectrum(rows[:11], BASIS).norm)


def test_without_a_basis_an_embedding_is_read_in_its_own_singular_vectors():
    shown = toy_snapshot(
        weights={"W_E": torch.diag(torch.tensor([3.0, 2.0, 1.0, 0.0, 0.0])), "W_U": torch.ones(8, 5)},
        axes={"W_E": ("token", "d_model"), "W_U": ("d_model", "vocab_out")},
        options=EmbeddingOptions(top=2),
    )
    outputs = returned_arrays("embedding", embedding(shown))
    assert outputs["W_E/norm"] == pytest.approx([3, 2, 1, 0, 0])
    assert list(outputs["W_E/basis"]) == ["singular"]
    assert list(outputs["W_E/top"]) == ["1", "2"]
    assert not [name for name in outputs if name.startswith("W_U")]
    assert singular_spectrum(np.zeros((3, 2))).fraction == pytest.approx([0, 0])


@given(u=st.integers(1, 10), seed=st.integers(0, 2**31))
@settings(deadline=None)
def test_relabelling_tokens_x_to_ux_permutes_the_blocks(u, seed):
    rows = np.random.default_rng(seed).normal(size=(11, 3))
    relabelled = np.empty_like(rows)
    relabelled[u * np.arange(11) % 11] = rows
    plain, moved = basis_spectrum(rows, BASIS), basis_spectrum(relabelled, BASIS)
    inverse = pow(u, -1, 11)
    for k in range(1, 6):
        image = inverse * k % 11
        assert moved.power[min(image, 11 - image) - 1] == pytest.approx(plain.power[k - 1])
    assert moved.gini_power == pytest.approx(plain.gini_power)


@given(seed=st.integers(0, 2**31))
@settings(deadline=None)
def test_rotating_the_residual_stream_changes_nothing(seed):
    random = np.random.default_rng(seed)
    rows, turn = random.normal(size=(11, 6)), np.linalg.qr(random.normal(size=(6, 6)))[0]
    assert basis_spectrum(rows @ turn, BASIS).norm == pytest.approx(basis_spectrum(rows, BASIS).norm)


def test_gini_of_known_vectors():
    assert gini(np.ones(56)) == pytest.approx(0)
    assert gini(np.eye(56)[0]) == pytest.approx(0.98214, abs=1e-5)
    assert gini(np.repeat([1.0, 0.0], [5, 51])) == pytest.approx(0.91071, abs=1e-5)
    assert gini(np.random.default_rng(0).exponential(size=200_000)) == pytest.approx(0.5, abs=0.005)
    assert gini(np.zeros(4)) == 0
