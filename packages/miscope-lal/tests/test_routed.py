"""The family of routed networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from miscope.bound import open_bound
from miscope.family import make_variant
from miscope.optimizers import parameter_groups
from miscope.testing import check_family, tables
from miscope_lal.routed import RoutedFamily
from miscope_lal.routed_weights import NO_DECAY

FAMILY = RoutedFamily()
SMALL = {"prime": 5, "n_layers": 2, "hidden_dim": 8}


@pytest.mark.parametrize("heads", [1, 3])
def test_it_keeps_the_contract_of_a_family(heads: int) -> None:
    check_family(FAMILY, {**SMALL, "n_heads": heads})


def test_embedding_biases_norms_and_gates_do_not_decay() -> None:
    variant = make_variant(FAMILY, SMALL)
    assert variant.training is not None
    assert variant.training.no_decay == NO_DECAY
    shapes = {role.name: role.shape for role in FAMILY.model(variant.params).roles.values()}
    decayed, bare = parameter_groups(variant.training, shapes)
    assert set(decayed.roles) == {
        "routing.W_begin", "blocks.0.routing.W_update_state", "blocks.0.routing.W_update_resid",
        "blocks.0.mlp.W_in", "blocks.0.mlp.W_out", "blocks.1.mlp.W_in", "blocks.1.mlp.W_out", "W_U",
    }  # fmt: skip
    assert (decayed.weight_decay, bare.weight_decay) == (0.1, 0.0)


def test_it_memorises_what_it_is_trained_on(tmp_path: Path) -> None:
    variant = open_bound(tmp_path, tables(FAMILY)).variant(FAMILY.name, **SMALL, train_fraction=0.6, learning_rate=1e-2)
    list(variant.train(steps=60, threads=1))
    assert variant.metric("train_accuracy")[1][-1] == 1.0
