"""Purity of maps over two factors, calibrated on maps whose spectra are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope import Basis, Block, Probe
from miscope.fourier import fourier_basis
from miscope.maths.factor_spectrum import block_fractions
from miscope.testing import toy_snapshot
from miscope_sae.analyzers.purity import PURITY, PurityOptions
from miscope_sae.measuring.map_purity import harmonic_blocks, purities

P = 23
FOURIER = fourier_basis(P)
A, B = np.meshgrid(np.arange(P), np.arange(P), indexing="ij")


def wave(k: int, phase: float = 0.0) -> np.ndarray:
    """cos(2 pi k (a + b) / p + phase)."""
    return np.cos(2 * np.pi * k * (A + B) / P + phase)


def share(map_: np.ndarray) -> tuple[float, float]:
    """H1 and H4."""
    first, fourth = purities(map_[..., None], FOURIER, FOURIER, (1, 4))
    return float(first.share[0]), float(fourth.share[0])


@settings(max_examples=20, deadline=None)
@given(k=st.integers(1, (P - 1) // 2), phase=st.floats(0, 6), height=st.floats(-5, 5))
def test_a_wave_of_the_sum_is_pure_whatever_its_phase_and_height(k: int, phase: float, height: float) -> None:
    found, with_harmonics = purities((wave(k, phase) + height)[..., None], FOURIER, FOURIER, (1, 4))
    assert found.share[0] == pytest.approx(1, abs=1e-9)
    assert found.label[0] == str(k)
    assert with_harmonics.share[0] == pytest.approx(1, abs=1e-9)


def test_harmonics_of_a_wave_count_for_the_fourth_degree_alone() -> None:
    assert share(wave(3) + wave(6) / 2) == pytest.approx((1 / 1.25, 1), abs=1e-9)
    assert share(wave(3) + wave(12) / 2) == pytest.approx((1 / 1.25, 1), abs=1e-9)
    assert share(wave(3) + wave(8)) == pytest.approx((0.5, 1), abs=1e-9)  # of 5, as 3 * 5 = 23 - 8, 4 * 5 = 23 - 3


def test_one_input_has_as_much_of_every_frequency() -> None:
    """Each of the p^2 coefficients holds as much: of those without the mean 3^2 - 1, or 9^2 - 1, are in a block."""
    spot = np.zeros((P, P))
    spot[4, 9] = 1
    found, with_harmonics = purities(spot[..., None], FOURIER, FOURIER, (1, 4))
    assert found.share[0] == pytest.approx(8 / (P**2 - 1))
    assert with_harmonics.share[0] == pytest.approx(80 / (P**2 - 1))
    assert (found.label[0], with_harmonics.label[0]) == ("", "")


def test_noise_holds_a_little_more_than_its_share_since_the_best_of_all_is_taken() -> None:
    noise = np.random.default_rng(1).standard_normal((P, P, 60))
    first, fourth = purities(noise, FOURIER, FOURIER, (1, 4))
    assert 8 / (P**2 - 1) < first.share.mean() < 3 * 8 / (P**2 - 1)
    assert 80 / (P**2 - 1) < fourth.share.mean() < 1.5 * 80 / (P**2 - 1)


def test_a_map_that_is_the_same_everywhere_has_no_purity() -> None:
    found = purities(np.full((P, P, 1), 0.3), FOURIER, FOURIER, (1,))[0]
    assert np.isnan(found.share[0])
    assert found.label[0] == ""


def test_the_share_of_a_frequency_alone_is_what_the_instrument_of_neurons_measures() -> None:
    maps = np.random.default_rng(4).random((P, P, 5)) + np.stack([wave(k) for k in range(1, 6)], axis=-1)
    fractions = block_fractions(torch.from_numpy(maps), FOURIER, FOURIER)[0].numpy()
    found = purities(maps, FOURIER, FOURIER, (1,))[0]
    assert found.share == pytest.approx(fractions.max(axis=0))
    assert found.label.tolist() == [str(k + 1) for k in fractions.argmax(axis=0)]


def test_harmonics_fold_at_half_the_prime() -> None:
    blocks = harmonic_blocks(fourier_basis(11), 4)
    assert blocks[2].nonzero()[0].tolist() == [0, 1, 2, 3, 5]  # 0, 3, 6 = 5, 9 = 2, 12 = 1
    assert harmonic_blocks(fourier_basis(11), 1)[2].nonzero()[0].tolist() == [0, 3]


def test_harmonics_that_meet_again_are_counted_once() -> None:
    assert harmonic_blocks(fourier_basis(12), 4)[3].nonzero()[0].tolist() == [0, 4]


def test_signs_have_no_harmonics() -> None:
    """The square of a function of values 1 and -1 is the constant."""
    rows = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 2
    blocks = (Block("const", (0,)), *(Block(str(i), (i,)) for i in (1, 2, 3)))
    walsh = Basis(name="walsh", unit="set", rows=rows, blocks=blocks)
    assert np.array_equal(harmonic_blocks(walsh, 4), harmonic_blocks(walsh, 1))


def shown(latents: np.ndarray, channels: np.ndarray, bases: dict[str, Basis] | None = None) -> dict[str, Any]:
    """What the instrument says of maps (p, p, M)."""
    columns = {"a": A.ravel().astype(np.int64), "b": B.ravel().astype(np.int64)}
    probe = Probe(name="grid", inputs=torch.zeros(P * P, 1), columns=columns, grid=("a", "b"))
    flat = [torch.from_numpy(each.reshape(P * P, -1)).float() for each in (latents, channels)]
    sites = dict(zip(("hook_sae_acts_post", "hook_sae_input"), flat, strict=True))
    given = {"probe": probe, "activations": sites, "bases": bases or {}, "options": PurityOptions()}
    return dict(PURITY.compute(toy_snapshot(**given)))


def test_latents_stand_beside_channels_and_beside_themselves_with_inputs_permuted() -> None:
    waves = np.stack([wave(k) for k in (1, 5, 7)], axis=-1)
    mixed = np.stack([wave(1) + wave(5), wave(5) + wave(7)], axis=-1)
    dead = np.zeros((P, P, 1))
    found = shown(np.concatenate([waves, dead], axis=-1), mixed)
    assert found["latents/h1_mean"] == pytest.approx(1, abs=1e-5)
    assert found["latents/h1_label"].tolist() == ["1", "5", "7", ""]
    assert np.isnan(found["latents/h1"][3])
    assert found["channels/h1_mean"] == pytest.approx(0.5, abs=1e-5)
    assert found["latents/h1_null_mean"] < 0.06
    assert found["latents/h4_null_mean"] < 0.25
    assert (len(found["latents/h1_null"]), len(found["channels/h1_null"])) == (4, 2)


def test_a_grid_without_bases_is_looked_at_by_fouriers() -> None:
    maps = np.stack([wave(2), wave(9)], axis=-1)
    without, with_bases = shown(maps, maps), shown(maps, maps, {"a": FOURIER, "b": FOURIER})
    assert without["basis"].tolist() == ["fourier"]
    for name in without:
        assert np.array_equal(without[name], with_bases[name], equal_nan=without[name].dtype.kind == "f")
