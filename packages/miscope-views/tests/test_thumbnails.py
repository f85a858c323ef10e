from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope_views.thumbnails import area_average, sheet


def wave(k: int, q: int = 113) -> np.ndarray:
    a, b = np.indices((q, q))
    return np.cos(2 * np.pi * k * (a + b) / q)[:, :, None].astype(np.float32)


@settings(deadline=None)
@given(rows=st.integers(1, 40), columns=st.integers(1, 40), size=st.integers(1, 30), seed=st.integers(0, 9))
def test_a_thumbnail_keeps_the_mean(rows: int, columns: int, size: int, seed: int):
    maps = np.random.default_rng(seed).normal(size=(rows, columns, 2)).astype(np.float32)

    small = area_average(maps, size)

    assert small.shape == (min(rows, size), min(columns, size), 2)
    np.testing.assert_allclose(small.mean(axis=(0, 1)), maps.mean(axis=(0, 1)), atol=1e-4)


def test_a_map_that_fits_is_left_as_it_is():
    maps = wave(3, 12)
    np.testing.assert_allclose(area_average(maps, 28), maps, atol=1e-6)


def test_a_wave_too_fine_to_show_fades_and_does_not_come_back_as_a_coarse_one():
    coarse, fine = area_average(wave(3), 28), area_average(wave(31), 28)

    assert coarse.std() > 0.6
    assert fine.std() < 0.05


def test_pictures_are_laid_out_row_by_row_with_gutters_between():
    thumbnails = np.arange(3, dtype=np.float32)[None, None, :] * np.ones((2, 2, 1), dtype=np.float32)

    image, places = sheet(thumbnails, across=2, gutter=1)

    assert image.shape == places.shape == (5, 5)
    assert places.tolist() == [
        [0, 0, -1, 1, 1],
        [0, 0, -1, 1, 1],
        [-1, -1, -1, -1, -1],
        [2, 2, -1, -1, -1],
        [2, 2, -1, -1, -1],
    ]
    assert np.isnan(image[places < 0]).all()
    assert image[3, 0] == pytest.approx(2)
