"""Energy of gradients by tensor and by component, of gradients made by hand and at random."""

import numpy as np
import pytest
import torch

from miscope.analyzers.gradients import ENERGY
from miscope.testing import ToyFamily, check_analyzer, toy_snapshot
from miscope.testing.toy import cosines

AXES = {"W_E": ("token", "d_model"), "W_in": ("d_model", "d_mlp"), "W_U": ("d_model", "vocab_out"), "b": ("d_mlp",)}


def test_gradient_energy_keeps_the_contract_without_a_basis():
    check_analyzer(ENERGY, ToyFamily())


def of(gradients, weights=None, bases=("token", "sum")):
    return ENERGY.compute(
        toy_snapshot(
            gradients=gradients,
            weights=weights or {"W_E": torch.eye(5, 4)},
            axes={role: AXES[role] for role in gradients},
            bases={name: cosines(5) for name in bases},
        )
    )


def test_energies_are_sums_of_squares_and_add_up():
    outputs = of({"W_E": torch.full((5, 4), 2.0).double(), "b": torch.tensor([3.0, 4.0]).double()})
    assert (outputs["W_E/energy"], outputs["b/energy"], outputs["total/energy"]) == (80, 25, 105)
    assert outputs["b/share"] == pytest.approx(25 / 105)
    assert outputs["total/norm"] == pytest.approx(105**0.5)


def test_of_no_gradient_at_all_no_tensor_has_a_share():
    outputs = of({"W_E": torch.zeros(5, 4).double(), "b": torch.zeros(2).double()})
    assert outputs["total/energy"] == 0
    assert np.isnan([outputs["W_E/share"], outputs["b/share"]]).all()


def test_a_gradient_of_one_frequency_has_all_its_energy_there():
    wave = torch.from_numpy(np.outer(cosines(5).rows[3], np.ones(4)))
    outputs = of({"W_E": wave + 7})
    assert outputs["W_E/fraction"] == pytest.approx([0, 1])
    assert outputs["W_E/expected"] == pytest.approx([0.5, 0.5])
    assert outputs["W_E/excess"] == pytest.approx(2)
    assert outputs["W_E/p_adjusted"] == pytest.approx([1, 0], abs=1e-9)
    assert outputs["W_E/significant_count"] == 1


def test_an_unembedding_is_read_over_the_answers_and_through_the_embedding_over_tokens():
    answers = torch.from_numpy(np.outer(np.ones(4), cosines(5).rows[1]))
    embedding = torch.from_numpy(np.outer(cosines(5).rows[3], np.ones(4)))
    outputs = of({"W_U": answers, "W_E": torch.zeros(5, 4).double()}, {"W_E": embedding})
    assert outputs["W_U/fraction"] == pytest.approx([1, 0])
    assert outputs["W_E @ W_U/fraction"] == pytest.approx([0, 1])
    assert outputs["W_E/fraction"].tolist() == [0, 0]


def test_isotropic_gradients_stay_below_the_edge_as_often_as_it_says():
    random = torch.Generator().manual_seed(0)
    seen = [of({"W_E": torch.randn(5, 4, generator=random).double()}) for _ in range(400)]
    below = np.array([outputs["W_E/fraction"] < outputs["W_E/high"] for outputs in seen])
    assert np.mean([outputs["W_E/significant_count"] > 0 for outputs in seen]) < 0.08
    assert below.mean(axis=0) == pytest.approx([0.975, 0.975], abs=0.02)
    assert np.mean([outputs["W_E/fraction"] for outputs in seen], axis=0) == pytest.approx([0.5, 0.5], abs=0.02)


def test_without_a_basis_there_are_energies_alone():
    outputs = of({"W_E": torch.ones(5, 4).double()}, bases=())
    assert set(outputs) == {"W_E/energy", "W_E/share", "total/energy", "total/norm"}
