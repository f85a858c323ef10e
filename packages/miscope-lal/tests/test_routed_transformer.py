"""The transformer that routes: its contract, what decays, and training with every penalty."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from miscope.bound import BoundVariant, open_bound
from miscope.family import make_variant
from miscope.intervention import Intervention
from miscope.optimizers import parameter_groups
from miscope.testing import check_family, tables
from miscope_lal.routed_transformer import RoutedTransformerFamily
from miscope_lal.transformer import TransformerFamily

FAMILY = RoutedTransformerFamily()
SMALL: dict[str, Any] = {"prime": 5, "hidden_dim": 8, "n_heads": 2}


def placed(root: Path, **fields: Any) -> BoundVariant:
    return open_bound(root, tables(FAMILY)).variant(FAMILY.name, **SMALL, **fields)


@pytest.mark.parametrize("params", [{"n_ffn_heads": 3}, {"n_ffn_heads": 1, "operation": "both"}])
def test_it_keeps_the_contract_of_a_family(params: dict[str, Any]) -> None:
    check_family(FAMILY, {**SMALL, **params})


def test_a_block_has_as_many_mlps_as_attention_heads_unless_told_otherwise() -> None:
    default, told = (FAMILY.model(FAMILY.params(**SMALL, **params)).roles for params in ({}, {"n_ffn_heads": 3}))
    assert default["blocks.0.routing.b_gate"].shape == (2,)
    assert default["blocks.0.mlp.W_in"].shape == (8, 2 * 32)
    assert told["blocks.0.routing.b_gate"].shape == (3,)
    assert told["blocks.0.mlp.W_in"].shape == (8, 3 * 32)


def test_no_embedding_bias_norm_or_gate_decays() -> None:
    variant = make_variant(FAMILY, {})
    assert variant.training is not None
    roles = FAMILY.model(variant.params).roles
    decayed, bare = parameter_groups(variant.training, {name: role.shape for name, role in roles.items()})
    matrices = ("attn.W_Q", "attn.W_K", "attn.W_V", "attn.W_O", "mlp.W_in", "mlp.W_out")
    assert set(decayed.roles) == {
        *("W_U", "routing.W_begin", "blocks.0.routing.W_update_state", "blocks.0.routing.W_update_resid"),
        *(f"blocks.{layer}.{name}" for layer in (0, 1) for name in matrices),
    }
    vectors = ("ln1.w", "ln1.b", "ln2.w", "ln2.b", "mlp.b_in", "mlp.b_out")
    gate = ("W_gate_state", "b_gate_state", "W_gate_resid", "b_gate_resid", "W_gate", "b_gate")
    assert set(bare.roles) == {
        *("W_E", "W_pos", "ln_final.w", "ln_final.b", "b_U", "routing.b_begin", "blocks.0.routing.b_update"),
        *(f"blocks.{layer}.{name}" for layer in (0, 1) for name in vectors),
        *(f"blocks.{layer}.routing.{name}" for layer in (0, 1) for name in gate),
    }
    assert (decayed.weight_decay, bare.weight_decay) == (1.0, 0.0)


def test_it_begins_like_the_transformer() -> None:
    routed, plain = (family.task(make_variant(family, {})) for family in (FAMILY, TransformerFamily()))
    one, other = routed.initial_weights(), plain.initial_weights()
    for name in ("W_E", "blocks.0.attn.W_Q", "blocks.1.mlp.W_out", "blocks.0.ln1.w", "b_U"):
        assert float(one[name].std()) == pytest.approx(float(other[name].std()), rel=0.05), name


@pytest.mark.parametrize("regularizer", ["entropy", "sparsity", "gini", "consistency"])
def test_every_penalty_is_recorded_beside_the_loss_of_the_task(tmp_path: Path, regularizer: str) -> None:
    variant = placed(tmp_path, routing_regularizer=regularizer, lambda_spectral=0.1, lambda_jacobian=0.01)
    list(variant.train(steps=3, threads=1))
    terms = ("loss", "total", "cross_entropy", f"routing_{regularizer}", "spectral", "jacobian")
    steps_of = {name: variant.metric(f"train_{name}")[0].tolist() for name in terms}
    assert steps_of.pop("spectral") == [0], "every hundredth"
    assert all(steps == [0, 3] for steps in steps_of.values())
    assert all(np.isfinite(variant.metric(f"train_{name}")[1]).all() for name in terms)


def test_training_by_exact_algebra_is_training_by_the_network(tmp_path: Path) -> None:
    by_algebra, by_network = placed(tmp_path / "algebra"), placed(tmp_path / "network")
    list(by_algebra.train(steps=5, threads=1))
    nothing = Intervention(name="none", start=0, stop=5, hooks=lambda step: [])
    list(by_network.train(steps=5, threads=1, interventions=[nothing]))
    for name in ("test_loss", "test_routing_entropy"):
        assert by_algebra.metric(name)[1] == pytest.approx(by_network.metric(name)[1], rel=1e-5)
