"""Coarseness of maps whose spectrum is known, and the numbers computed from the stored calibration."""

import json

import numpy as np
import pytest
import torch

from miscope.basis import Basis, Block
from miscope.maths.coarseness import automorphisms, is_cyclic, low_share_of_noise, preserved_variance, scales
from miscope.testing.toy import cosines

P = 113
X = 2 * np.pi * torch.arange(P, dtype=torch.float64) / P
ALL = tuple(range(1, 57))


@pytest.fixture
def known(calibration_file):
    return json.loads(calibration_file("analytic_calibration.json").read_text())


def unit(k):
    """relu(cos k a + cos k b), (P, P, 1)."""
    return (torch.cos(k * X)[:, None] + torch.cos(k * X)[None]).relu()[..., None]


def test_an_ideal_neurons_coarse_share_is_that_of_the_file(known):
    for k, expected in known["fft_nodc_of_relu(cos k a + cos k b)_p113"].items():
        assert scales(unit(int(k))).low[0] == pytest.approx(expected, rel=1e-6)


def test_unwrapped_it_is_coarse_at_every_frequency(known):
    for k, expected in known["fft_nodc_after_automorphism_unwrap"].items():
        measured = scales(unit(int(k)), units=ALL)
        assert measured.unwrapped[0] == pytest.approx(expected, rel=1e-6)
        # Under x -> u x frequency k becomes u k, so the unit that makes it 1 is the inverse of k, up to sign.
        assert int(measured.unit[0]) * int(k) % P in (1, P - 1)


def test_the_gradient_of_a_cosine_is_its_closed_form(known):
    for k, expected in known["cosine_gradient_p113"].items():
        measured = scales(torch.cos(int(k) * X)[:, None, None].expand(P, P, 1).contiguous())
        # Along b nothing changes, so the mean over both factors is half of it.
        assert 2 * measured.gradient[0] == pytest.approx(expected["measured"], rel=1e-9)
        assert 2 * measured.gradient[0] == pytest.approx(4 / np.pi * np.sin(np.pi * int(k) / P), rel=0.01)


def test_a_function_of_one_factor_is_stripes_along_the_other():
    measured = scales(torch.cos(9 * X)[:, None, None].expand(P, P, 1).contiguous())
    assert measured.stripes[:, 0] == pytest.approx([1, 0], abs=1e-12)
    assert measured.centroid[0] == pytest.approx(9 / P)
    assert measured.bandwidth[0] == pytest.approx(0, abs=1e-3)


def test_white_noise_has_the_share_of_its_coefficients():
    noise = torch.randn(31, 31, 400, generator=torch.Generator().manual_seed(0))
    measured = scales(noise)
    assert measured.low.mean() == pytest.approx(low_share_of_noise((31, 31)), rel=0.05)
    assert measured.radial.sum(axis=0) == pytest.approx(np.ones(400), abs=1e-5)


def test_a_constant_map_has_no_scale():
    measured = scales(torch.full((5, 5, 1), 0.3), units=(1, 2))
    assert measured.variance.tolist() == [0]
    assert measured.gradient.tolist() == [0]
    assert np.isnan([measured.low[0], measured.unwrapped[0], measured.roughness[0]]).all()


def test_moving_a_map_around_leaves_its_spectrum_alone():
    maps = torch.randn(12, 9, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    plain, moved = scales(maps), scales(maps.roll((3, 5), (0, 1)))
    for name in ("low", "centroid", "bandwidth", "stripes", "variance"):
        np.testing.assert_allclose(getattr(moved, name), getattr(plain, name), atol=1e-6)


def test_relabelling_by_an_automorphism_leaves_the_unwrapped_share_alone():
    maps = torch.randn(13, 13, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    order = torch.arange(13) * 5 % 13
    units = automorphisms(cosines(13), cosines(13))
    plain, moved = scales(maps, radius=0.2, units=units), scales(maps[order][:, order], radius=0.2, units=units)
    assert moved.unwrapped == pytest.approx(plain.unwrapped)


def test_shrinking_keeps_what_is_coarse_and_loses_what_is_fine():
    coarse, fine = torch.cos(X)[:, None, None], torch.cos(40 * X)[:, None, None]
    kept = preserved_variance(torch.cat([coarse, fine], dim=2).expand(P, P, 2).contiguous())
    assert kept[0] > 0.9
    assert kept[1] < 0.02


def test_sampling_is_what_torch_calls_bilinear():
    maps = torch.randn(P, P, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    stacked = maps.permute(2, 0, 1)[None]
    small = torch.nn.functional.interpolate(stacked, size=(14, 14), mode="bilinear", align_corners=False)
    large = torch.nn.functional.interpolate(small, size=(P, P), mode="bilinear", align_corners=False)[0]
    theirs = large.var(dim=(1, 2)) / maps.var(dim=(0, 1))
    torch.testing.assert_close(preserved_variance(maps, area=False), theirs)


def test_only_a_fourier_basis_has_automorphisms():
    own = Basis(name="own", unit="", rows=np.eye(4), blocks=tuple(Block(str(i), (i,)) for i in range(4)), constant=None)
    assert is_cyclic(cosines(7))
    assert not is_cyclic(own)
    assert automorphisms(cosines(7), cosines(7)) == (1, 2, 3)
    assert automorphisms(cosines(15), cosines(15)) == (1, 2, 4, 7)
    assert automorphisms(cosines(7), cosines(9)) == automorphisms(None, cosines(7)) == automorphisms(own, own) == ()
