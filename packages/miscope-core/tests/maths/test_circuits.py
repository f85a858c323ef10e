"""Low-rank algebra of circuits against the full matrices."""

import numpy as np
import pytest
import torch

from miscope.maths.circuits import (
    LowRank,
    composition,
    eigenvalue_positivity,
    expected_composition,
    noise_composition,
)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


CIRCUIT = LowRank(random(3, 20, 4), random(3, 4, 20, seed=1))
FULL = CIRCUIT.left @ CIRCUIT.right


def test_norm_and_singular_values_are_those_of_the_full_matrix():
    torch.testing.assert_close(CIRCUIT.norm, torch.linalg.matrix_norm(FULL))
    torch.testing.assert_close(CIRCUIT.singular, torch.linalg.svdvals(FULL)[:, :4])


def test_eigenvalues_are_those_of_the_full_matrix_that_are_not_zero():
    full = torch.linalg.eigvals(FULL)
    largest = np.sort_complex(torch.stack([v[v.abs().argsort()[-4:]] for v in full]).numpy())
    np.testing.assert_allclose(np.sort_complex(CIRCUIT.eigenvalues.numpy()), largest, atol=1e-9)


def test_a_copying_circuit_is_positive_an_inverting_one_negative_and_a_rotation_neither():
    identity, turn = torch.eye(2, dtype=torch.float64)[None], torch.tensor([[[0.0, -1], [1, 0]]], dtype=torch.float64)
    assert eigenvalue_positivity(LowRank(identity, identity).eigenvalues) == pytest.approx([1])
    assert eigenvalue_positivity(LowRank(identity, -identity).eigenvalues) == pytest.approx([-1])
    assert eigenvalue_positivity(LowRank(identity, turn).eigenvalues) == pytest.approx([0])
    assert np.isnan(eigenvalue_positivity(LowRank(identity, 0 * identity).eigenvalues)).all()


def test_composition_is_the_norm_of_the_product_over_the_product_of_norms():
    reader = LowRank(random(2, 20, 5, seed=2), random(2, 5, 30, seed=3))
    full = torch.stack([torch.stack([w @ r for r in reader.left @ reader.right]) for w in FULL])
    expected = torch.linalg.matrix_norm(full) / (CIRCUIT.norm[:, None] * reader.norm[None])
    np.testing.assert_allclose(composition(CIRCUIT, reader), expected.numpy())


def test_a_head_that_reads_only_what_another_writes_composes_with_it_entirely_and_one_that_reads_the_rest_not_at_all():
    basis = torch.linalg.qr(random(8, 8)).Q
    writer = LowRank(random(1, 8, 1), basis[:1][None])
    same, other = (LowRank(basis[i, :, None][None], random(1, 1, 8, seed=5)) for i in (0, 1))
    assert composition(writer, same) == pytest.approx(np.array([[1.0]]))
    assert composition(writer, other) == pytest.approx(np.array([[0.0]]), abs=1e-9)


def test_random_heads_compose_by_one_over_the_root_of_the_width():
    shapes = LowRank(random(1, 64, 16), random(1, 16, 64))
    assert noise_composition(shapes, shapes, 50, 0).mean() == pytest.approx(expected_composition(64), rel=0.03)
