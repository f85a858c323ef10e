"""Distances between heads that are known."""

import numpy as np
import pytest
import torch

from miscope.maths.head_distance import (
    circuit_distance,
    distinct_heads,
    mean_distance,
    output_distance,
    pattern_divergence,
)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_heads_that_never_share_a_key_differ_by_ln_2_and_alike_ones_by_nothing():
    pattern = torch.tensor([[1.0, 0], [0, 1], [1, 0]]).expand(7, 3, 2)
    expected = np.log(2) * np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    np.testing.assert_allclose(pattern_divergence(pattern).numpy(), expected, atol=1e-12)


def test_heads_that_mirror_each_other_are_told_apart_though_their_means_agree():
    pattern = torch.tensor([[[0.9, 0.1], [0.1, 0.9]], [[0.1, 0.9], [0.9, 0.1]]])
    assert float(pattern_divergence(pattern)[0, 1]) > 0.3


def test_outputs_are_compared_as_by_cka_of_what_is_written():
    z, out = random(50, 3, 4), random(3, 4, 9, seed=1)
    written = torch.einsum("nhe,hed->hnd", z, out)
    written = written - written.mean(dim=1, keepdim=True)
    cross = torch.stack([torch.stack([(a.T @ b).norm() ** 2 for b in written]) for a in written])
    size = cross.diagonal().sqrt()
    expected = 1 - cross / (size[:, None] * size[None])
    torch.testing.assert_close(output_distance(z, out), expected)


def test_scaling_and_turning_an_output_does_not_move_it():
    z = random(50, 1, 4).expand(50, 2, 4)
    turn = torch.linalg.qr(random(9, 9)).Q
    out = random(4, 9, seed=1)
    assert float(output_distance(z, torch.stack([out, 3 * out @ turn]))[0, 1]) == pytest.approx(0, abs=1e-12)


def test_a_silent_head_has_no_distance():
    assert torch.isnan(output_distance(random(5, 2, 3), torch.stack([random(3, 4), torch.zeros(3, 4)]))[0, 1])


def test_circuits_are_compared_by_their_products_whatever_basis_their_factors_are_in():
    left, right, turn = random(3, 8, 4), random(3, 4, 6, seed=1), random(4, 4, seed=2)
    flat = (left @ right).flatten(1)
    flat = flat / flat.norm(dim=1, keepdim=True)
    torch.testing.assert_close(circuit_distance(left, right), 1 - flat @ flat.T)
    torch.testing.assert_close(circuit_distance(left @ turn, turn.inverse() @ right), 1 - flat @ flat.T)


def test_alike_heads_count_as_one_and_unlike_ones_each():
    assert distinct_heads(np.ones((4, 4))) == pytest.approx(1)
    assert distinct_heads(np.eye(4)) == pytest.approx(4)
    assert distinct_heads(np.kron(np.eye(2), np.ones((2, 2)))) == pytest.approx(2)
    assert np.isnan(distinct_heads(np.array([[1, np.nan], [np.nan, 1]])))


def test_the_mean_is_over_pairs_and_one_head_has_none():
    assert mean_distance(np.array([[0, 1.0, 2], [1, 0, 3], [2, 3, 0]])) == 2
    assert np.isnan(mean_distance(np.zeros((1, 1))))
