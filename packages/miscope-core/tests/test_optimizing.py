"""Optimizers, built from a configuration."""

import sys
from typing import Any

import pytest
import torch
from torch.nn import Parameter

from miscope.errors import BadValue
from miscope.training.optimizing import (
    JointOptimizer,
    build_optimizer,
    check_optimizer,
    groups,
    optimizer_state,
    restore,
    update,
)
from miscope.training_config import TrainingConfig


def weights() -> dict[str, Parameter]:
    generator = torch.Generator().manual_seed(0)
    names = ("W_E", "blocks.0.mlp.W_in", "blocks.0.mlp.b_in")
    drawn = {name: Parameter(torch.randn(4, 3, generator=generator)) for name in names}
    return drawn | {"blocks.0.ln.w": Parameter(torch.randn(3, generator=generator))}


def descend(config: TrainingConfig, parameters: dict[str, Parameter], optimizer: JointOptimizer, n: int) -> None:
    for step in range(n):
        optimizer.zero_grad()
        sum((p**2).sum() for p in parameters.values()).backward()
        update(config, optimizer, parameters, step)


def test_excluded_roles_are_not_decayed() -> None:
    config = TrainingConfig(weight_decay=0.5, no_decay=("*.b_*",))
    parameters = weights()
    described = groups(build_optimizer(config, parameters), parameters)
    assert {role: g["weight_decay"] for g in described for role in g["roles"]} == {
        "W_E": 0.5,
        "blocks.0.mlp.W_in": 0.5,
        "blocks.0.mlp.b_in": 0.0,
        "blocks.0.ln.w": 0.5,
    }


SETTINGS: list[dict[str, Any]] = [
    {"optimizer": "adamw"},
    {"optimizer": "adam", "betas": (0.8, 0.9)},
    {"optimizer": "sgd", "momentum": 0.9},
    {"optimizer": "muon", "muon_exclude": ("W_E",), "role_groups": ("*.W_in:lr_factor=0.5",)},
]


@pytest.mark.parametrize("fields", SETTINGS, ids=[each["optimizer"] for each in SETTINGS])
def test_an_optimizer_with_its_state_back_goes_on_as_if_nothing_had_been(fields: dict[str, Any]) -> None:
    config = TrainingConfig(learning_rate=0.1, no_decay=("*.b_*",), **fields)
    straight = weights()
    descend(config, straight, build_optimizer(config, straight), 7)

    first = weights()
    optimizer = build_optimizer(config, first)
    descend(config, first, optimizer, 3)
    kept = optimizer_state(optimizer, first)
    second = {role: Parameter(p.detach().clone()) for role, p in first.items()}
    again = build_optimizer(config, second)
    restore(again, second, kept)
    descend(config, second, again, 4)
    assert all(torch.equal(straight[role], second[role]) for role in straight)


@pytest.mark.parametrize("fields", SETTINGS, ids=[each["optimizer"] for each in SETTINGS])
def test_no_update_needs_pytorchs_compiler(fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing it takes longer than a small training."""
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)  # whoever imports it fails
    config, parameters = TrainingConfig(learning_rate=0.1, **fields), weights()
    optimizer = build_optimizer(config, parameters)
    descend(config, parameters, optimizer, 2)
    restore(optimizer, parameters, optimizer_state(optimizer, parameters))
    descend(config, parameters, optimizer, 1)
    assert all(not torch.equal(parameters[role], before) for role, before in weights().items())


def test_warmup_begins_at_rate_zero_and_ends_at_the_full_rate() -> None:
    config = TrainingConfig(learning_rate=0.2, warmup_steps=4)
    assert [config.rate_at(step) for step in range(6)] == [0.0, 0.05, 0.1, pytest.approx(0.15), 0.2, 0.2]


def test_without_warmup_the_rate_is_constant() -> None:
    assert TrainingConfig(learning_rate=0.2).rate_at(0) == 0.2


def test_clipping_bounds_the_whole_gradient() -> None:
    config = TrainingConfig(optimizer="sgd", learning_rate=1.0, weight_decay=0, clip_norm=0.01)
    parameters = weights()
    before = {role: p.detach().clone() for role, p in parameters.items()}
    descend(config, parameters, build_optimizer(config, parameters), 1)
    moved = torch.cat([(parameters[role] - before[role]).flatten() for role in parameters])
    assert moved.norm().item() == pytest.approx(0.01, rel=1e-3)


def test_muon_takes_the_matrices_and_adamw_the_others_as_pytorch_has_them() -> None:
    config = TrainingConfig(optimizer="muon", learning_rate=0.1, muon_momentum=0.9, muon_exclude=("W_E",))
    mine, theirs = weights(), weights()
    optimizer = build_optimizer(config, mine)
    assert [(g["optimizer"], g["roles"]) for g in groups(optimizer, mine)] == [
        ("muon", ["blocks.0.mlp.W_in", "blocks.0.mlp.b_in"]),
        ("adamw", ["W_E", "blocks.0.ln.w"]),
    ]
    descend(config, mine, optimizer, 3)
    muon = torch.optim.Muon(
        [theirs["blocks.0.mlp.W_in"], theirs["blocks.0.mlp.b_in"]], lr=0.1, momentum=0.9, weight_decay=1.0
    )
    adamw = torch.optim.AdamW(
        [theirs["W_E"], theirs["blocks.0.ln.w"]], lr=0.1, betas=config.betas, eps=config.eps, weight_decay=1.0
    )
    for _ in range(3):
        for each in (muon, adamw):
            each.zero_grad()
        sum((p**2).sum() for p in theirs.values()).backward()
        for each in (muon, adamw):
            each.step()
    assert all(torch.equal(mine[role], theirs[role]) for role in mine)


def test_a_role_has_the_rate_and_the_decay_of_the_first_group_that_it_matches() -> None:
    config = TrainingConfig(
        learning_rate=0.1,
        weight_decay=0.5,
        no_decay=("*.ln.*",),
        role_groups=("W_*:lr_factor=0", "*.W_in|*.ln.*:lr_factor=2:weight_decay=0.25"),  # pyright: ignore
        warmup_steps=4,
    )
    parameters = weights()
    before = {role: p.detach().clone() for role, p in parameters.items()}
    optimizer = build_optimizer(config, parameters)
    described = {role: g for g in groups(optimizer, parameters) for role in g["roles"]}
    assert {role: (g["lr_factor"], g["weight_decay"]) for role, g in described.items()} == {
        "W_E": (0.0, 0.5),
        "blocks.0.mlp.W_in": (2.0, 0.25),
        "blocks.0.mlp.b_in": (1.0, 0.5),
        "blocks.0.ln.w": (2.0, 0.0),
    }
    assert described["blocks.0.ln.w"]["lr"] == 0.2
    descend(config, parameters, optimizer, 3)
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.0, 0.1, 0.1]
    assert torch.equal(parameters["W_E"], before["W_E"])
    assert not torch.equal(parameters["blocks.0.mlp.W_in"], before["blocks.0.mlp.W_in"])


def refused(**fields: Any) -> str:
    with pytest.raises(BadValue) as raised:
        check_optimizer("toy.sum/x", TrainingConfig(**fields), weights)
    return str(raised.value)


ROLES = "Its weights are: W_E, blocks.0.mlp.W_in, blocks.0.mlp.b_in, blocks.0.ln.w."


def test_a_pattern_that_matches_nothing_and_a_group_without_weights_are_refused() -> None:
    assert refused(no_decay=("b_*",)) == (
        f"No weights of toy.sum/x match 'b_*', so none would be left without decay.\n{ROLES}\n"
        "Correct no_decay; a pattern such as *.b_* stands for several."
    )
    assert refused(role_groups=("W_Q:lr_factor=2",)) == (
        f"No weights of toy.sum/x match 'W_Q', so none would be trained in its own way.\n{ROLES}\n"
        "Correct role_groups; a pattern such as *.b_* stands for several."
    )
    assert refused(role_groups=("*:lr_factor=2", "*.W_in:lr_factor=3")) == (
        "No weights of toy.sum/x are left for the group '*.W_in:lr_factor=3'.\n"
        "Those that match it are of an earlier one: blocks.0.mlp.W_in.\n"
        "A role is of the first group that it matches: put narrower patterns first."
    )
    assert refused(optimizer="muon", muon_exclude=("*.ln.*",)) == (
        "No weights of toy.sum/x match '*.ln.*', so none would be left to adamw.\n"
        "Its weights are: W_E, blocks.0.mlp.W_in, blocks.0.mlp.b_in.\n"
        "Correct muon_exclude; a pattern such as *.b_* stands for several."
    )


def test_an_optimizer_that_this_pytorch_has_not_is_refused_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(torch.optim, "Muon")
    assert refused(optimizer="muon") == (
        "This PyTorch has no Muon, with which toy.sum/x is to be trained.\n"
        f"It is version {torch.__version__}.\n"
        "Install a newer PyTorch, or choose another optimizer."
    )
