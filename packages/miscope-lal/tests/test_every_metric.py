"""Every model of Least Action Learning with every number it records: finite, alone as together, disturbing nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

import miscope_lal
from miscope.bound import BoundVariant, open_bound
from miscope.testing import tables
from miscope_lal.seed.history import history_table
from miscope_lal.seed.trainer_config import TrainerConfig

Model = Literal["baseline", "routed", "single_head", "transformer", "routed_transformer"]
MODELS: tuple[Model, ...] = ("baseline", "routed", "single_head", "transformer", "routed_transformer")
SMALL: dict[str, Any] = {
    **{"p": 5, "hidden_dim": 8, "n_layers": 2, "n_heads": 2, "train_frac": 0.6, "warmup_epochs": 2},
    **{"epochs": 3, "log_every": 1, "weight_curvature_interval": 1, "checkpoint_every": 1, "weight_decay": 1.0},
}
UNDEFINED = re.compile(
    r".*/(within|alike|p|p_floor|(shuffled_)?without_constant)|optimizer\.moments/.+/update_over_decay"
)
"""Of answers or gates that are the same for all inputs, and of a weight that does not decay."""


def asked(model: Model, **fields: Any) -> TrainerConfig:
    return TrainerConfig(model_type=model, **{**SMALL, **fields})


def variant_of(place: Path, config: TrainerConfig) -> BoundVariant:
    return open_bound(place, tables(lal=miscope_lal)).variant(config.family, **config.fields)


def numbers(variant: BoundVariant) -> dict[str, dict[int, float]]:
    """Every recorded number that is one, by name and step."""
    return {
        name: {int(step): value for step, value in zip(each.steps, each.values, strict=True) if np.isfinite(value)}
        for name, each in variant.metrics().items()
    }


def same_weights(one: BoundVariant, other: BoundVariant) -> bool:
    return one.steps == other.steps and all(
        torch.equal(weight, other.at(step).checkpoint.weights[role])
        for step in one.steps
        for role, weight in one.at(step).checkpoint.weights.items()
    )


@pytest.mark.parametrize("model", MODELS)
def test_every_model_trains_three_epochs_and_every_number_of_them_is_finite(model: Model, tmp_path: Path) -> None:
    config = asked(model)
    variant = variant_of(tmp_path, config)
    told = [one.log for one in variant.train(threads=1, watch=config.watch, log_every=1) if one.log]
    assert [line[:13] for line in told] == [f"Epoch {epoch:7d}" for epoch in range(4)]
    assert not [line for line in told if "nan" in line]
    routes = model not in ("baseline", "transformer")
    assert all((", entropy=" in line) == routes for line in told)
    for name, series in variant.metrics().items():
        assert np.isfinite(series.values).all() or UNDEFINED.fullmatch(name), name
    assert np.isfinite(variant.metric("optimizer.moments/total/update_over_decay")[1]).all()


@pytest.mark.parametrize("model", ["baseline", "transformer", "routed"])
def test_each_number_is_the_same_whatever_else_is_recorded_and_no_weight_is_another(
    model: Model, tmp_path: Path
) -> None:
    config = asked(model, n_layers=1)
    plain, together = (variant_of(tmp_path / name, config) for name in ("plain", "together"))
    list(plain.train(threads=1))
    list(together.train(threads=1, watch=config.watch, log_every=1))
    assert same_weights(plain, together)
    watched = (*config.watch, *(f"{name}:1" for name in together.workspace.value.context(together.value).family.logged))
    of_all = numbers(together)
    seen = set(numbers(plain))
    for name in watched:
        alone = variant_of(tmp_path / name.partition(":")[0], config)
        list(alone.train(threads=1, watch=[name]))
        assert same_weights(plain, alone), name
        found = numbers(alone)
        for key, values in found.items():  # equal but for the order in which float64 sums
            assert values == pytest.approx(of_all[key], rel=1e-9, abs=1e-12), key
        seen |= set(found)
    assert seen == set(of_all)


@pytest.mark.parametrize("model", ["baseline", "transformer", "routed_transformer"])
def test_a_run_in_two_parts_leaves_the_weights_and_the_table_of_one_in_one_go(model: Model, tmp_path: Path) -> None:
    config = asked(model, n_layers=1)
    whole, parts = (variant_of(tmp_path / name, config) for name in ("whole", "parts"))
    watch = config.watch
    list(whole.train(threads=1, watch=watch, log_every=1))
    for steps in (2, 3):
        list(parts.train(threads=1, watch=watch, log_every=1, steps=steps, resume=True))
    assert same_weights(whole, parts)
    assert numbers(whole) == numbers(parts)
    one, other = (history_table(variant.workspace.value, variant.value) for variant in (whole, parts))
    assert one["epoch"].to_pylist() == [0, 1, 2, 3]
    assert one.drop_columns(["wall_s"]).equals(other.drop_columns(["wall_s"]))


def test_the_rate_rises_from_nothing_to_the_whole_over_the_warmup(tmp_path: Path) -> None:
    config = asked("transformer", lr=1e-3, warmup_epochs=500, epochs=600)
    training = variant_of(tmp_path, config).value.training
    assert training is not None
    assert [training.rate_at(epoch) for epoch in (0, 250, 499, 500, 599)] == pytest.approx(
        [0, 5e-4, 998e-6, 1e-3, 1e-3]
    )
