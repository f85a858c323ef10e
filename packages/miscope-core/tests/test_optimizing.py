"""Optimizers, built from a configuration."""

import pytest
import torch
from torch.nn import Parameter

from miscope.optimizing import build_optimizer, groups, learning_rate, moments, restore, update
from miscope.training_config import TrainingConfig


def weights() -> dict[str, Parameter]:
    generator = torch.Generator().manual_seed(0)
    names = ("W_E", "blocks.0.mlp.W_in", "blocks.0.mlp.b_in")
    return {name: Parameter(torch.randn(4, 3, generator=generator)) for name in names}


def descend(config: TrainingConfig, parameters: dict[str, Parameter], optimizer: torch.optim.Optimizer, n: int) -> None:
    for step in range(n):
        optimizer.zero_grad()
        sum((p**2).sum() for p in parameters.values()).backward()
        update(config, optimizer, step)


def test_excluded_roles_are_not_decayed() -> None:
    config = TrainingConfig(weight_decay=0.5, no_decay=("*.b_*",))
    parameters = weights()
    described = groups(build_optimizer(config, parameters), parameters)
    assert {role: g["weight_decay"] for g in described for role in g["roles"]} == {
        "W_E": 0.5,
        "blocks.0.mlp.W_in": 0.5,
        "blocks.0.mlp.b_in": 0.0,
    }


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_an_optimizer_with_its_moments_back_goes_on_as_if_nothing_had_been(name: str) -> None:
    config = TrainingConfig(optimizer=name, momentum=0.9, learning_rate=0.1, no_decay=("*.b_*",))  # pyright: ignore
    straight = weights()
    descend(config, straight, build_optimizer(config, straight), 7)

    first = weights()
    optimizer = build_optimizer(config, first)
    descend(config, first, optimizer, 3)
    kept = moments(optimizer, first)
    second = {role: Parameter(p.detach().clone()) for role, p in first.items()}
    again = build_optimizer(config, second)
    restore(again, second, kept)
    descend(config, second, again, 4)
    assert all(torch.equal(straight[role], second[role]) for role in straight)


def test_warmup_begins_at_rate_zero_and_ends_at_the_full_rate() -> None:
    config = TrainingConfig(learning_rate=0.2, warmup_steps=4)
    assert [learning_rate(config, step) for step in range(6)] == [0.0, 0.05, 0.1, pytest.approx(0.15), 0.2, 0.2]


def test_without_warmup_the_rate_is_constant() -> None:
    assert learning_rate(TrainingConfig(learning_rate=0.2), 0) == 0.2


def test_clipping_bounds_the_whole_gradient() -> None:
    config = TrainingConfig(optimizer="sgd", learning_rate=1.0, weight_decay=0, clip_norm=0.01)
    parameters = weights()
    before = {role: p.detach().clone() for role, p in parameters.items()}
    descend(config, parameters, build_optimizer(config, parameters), 1)
    moved = torch.cat([(parameters[role] - before[role]).flatten() for role in parameters])
    assert moved.norm().item() == pytest.approx(0.01, rel=1e-3)
