"""Optimizers as PyTorch has them, built from a training configuration and taken apart for the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer

from miscope.errors import BadValue
from miscope.model import matching
from miscope.training_config import TrainingConfig

__all__ = ["build_optimizer", "check_patterns", "groups", "learning_rate", "moments", "restore", "update"]


def build_optimizer(config: TrainingConfig, parameters: Mapping[str, Parameter]) -> Optimizer:
    """The optimizer of these weights by role; roles that match `no_decay` are not decayed."""
    bare = matching(config.no_decay, parameters)
    decayed = [p for role, p in parameters.items() if role not in bare]
    split = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": [parameters[role] for role in bare], "weight_decay": 0.0},
    ]
    chosen = [group for group in split if group["params"]]
    # Fused only where it saves kernel launches: on the CPU it saves nothing and rounds differently.
    common: dict[str, Any] = {"lr": config.learning_rate, "fused": next(iter(parameters.values())).is_cuda}
    if config.optimizer == "sgd":
        return SGD(chosen, momentum=config.momentum, **common)
    kind = AdamW if config.optimizer == "adamw" else Adam
    return kind(chosen, betas=config.betas, eps=config.eps, **common)


def learning_rate(config: TrainingConfig, step: int) -> float:
    """The rate of the update from `step`: linear warmup from 0, then constant."""
    return config.learning_rate * (min(step / config.warmup_steps, 1.0) if config.warmup_steps else 1.0)


def update(config: TrainingConfig, optimizer: Optimizer, step: int) -> None:
    """Clip the gradients that are there, and step."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if config.clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(parameters, config.clip_norm)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(config, step)
    optimizer.step()


def groups(optimizer: Optimizer, parameters: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    """The resolved parameter groups with the roles in each: what was really used, whatever a config says."""
    role_of = {id(p): role for role, p in parameters.items()}
    plain = (str, int, float, bool, list, tuple, type(None))
    return [
        {
            **{key: value for key, value in group.items() if key != "params" and isinstance(value, plain)},
            "roles": [role_of[id(p)] for p in group["params"]],
        }
        for group in optimizer.param_groups
    ]


def moments(optimizer: Optimizer, parameters: Mapping[str, Parameter]) -> dict[str, dict[str, Tensor]]:
    """What the optimizer remembers, by role and its own names, as copies on the CPU."""
    return {
        role: {
            name: value.detach().to("cpu", copy=True)
            for name, value in optimizer.state[parameter].items()
            if isinstance(value, Tensor)
        }
        for role, parameter in parameters.items()
        if parameter in optimizer.state
    }


def restore(
    optimizer: Optimizer, parameters: Mapping[str, Parameter], remembered: Mapping[str, Mapping[str, Tensor]]
) -> None:
    """Give the optimizer back what `moments` took."""
    role_of = {id(p): role for role, p in parameters.items()}
    order = [role_of[id(p)] for group in optimizer.param_groups for p in group["params"]]
    state = optimizer.state_dict()
    state["state"] = {i: dict(remembered[role]) for i, role in enumerate(order) if role in remembered}
    optimizer.load_state_dict(state)


def check_patterns(variant: str, patterns: Sequence[str], roles: Sequence[str]) -> None:
    """BadValue for a pattern of weights without decay that none of the variant's weights matches."""
    for pattern in patterns:
        if not matching([pattern], roles):
            raise BadValue(
                f"No weights of {variant} match {pattern!r}, so none would be left without decay.",
                f"Its weights are: {', '.join(roles)}.",
                "Correct no_decay; a pattern such as *.b_* stands for several.",
            )
