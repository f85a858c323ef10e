"""How the optimizer treated some weights in the last update: its kind, rate, decay and averages. Loads no PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

from miscope.field_docs import documented
from miscope.optimizers import OPTIMIZERS, parameter_groups
from miscope.training_config import TrainingConfig

__all__ = ["OptimizerGroup", "configured_groups", "groups_of_roles", "recorded_groups"]


@final
@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerGroup:
    """Weights that one optimizer updated in the same way, and its settings in that update."""

    optimizer: str
    """'adamw', 'adam', 'sgd', 'muon'; of a recorded training what PyTorch calls it, in lower case."""
    roles: tuple[str, ...]
    """Which weights."""
    learning_rate: float
    """Of the last update. Of a recorded training, the one the optimizer held when its checkpoint was kept: the next
    update's, if a scheduler had gone on by then."""
    lr_factor: float = 1.0
    """The rate over that of weights in no group of their own; of a recorded training, over the largest of its groups'.
    """
    weight_decay: float = 0.0
    """Coefficient."""
    decoupled: bool = False
    """Whether a weight is shrunk by rate times the coefficient, apart from the gradient, to which it is else added."""
    betas: tuple[float, float] | None = None
    """Adam's decay rates of the averaged gradient and squared gradient; None of what keeps no such averages."""
    eps: float | None = None
    """Adam's term in the denominator."""


def configured_groups(
    config: TrainingConfig, shapes: Mapping[str, Sequence[int]], step: int
) -> tuple[OptimizerGroup, ...]:
    """As the configuration has them in the update that led to the step; shapes: of all weights by role."""
    rate = config.rate_at(max(step - 1, 0))
    made = []
    for group in parameter_groups(config, shapes):
        kind = OPTIMIZERS[group.optimizer]
        adam = "betas" in kind.settings
        made.append(
            OptimizerGroup(
                optimizer=group.optimizer,
                roles=group.roles,
                learning_rate=rate * group.lr_factor,
                lr_factor=group.lr_factor,
                weight_decay=group.weight_decay,
                decoupled=kind.decoupled,
                betas=config.betas if adam else None,
                eps=config.eps if adam else None,
            )
        )
    return tuple(made)


def recorded_groups(groups: Iterable[Mapping[str, Any]]) -> tuple[OptimizerGroup, ...]:
    """As PyTorch's optimizer itself had them, each with its 'roles' and the name of its 'optimizer'."""
    listed = list(groups)
    largest = max((float(group.get("lr", 0.0)) for group in listed), default=0.0)
    made = []
    for group in listed:
        rate, kind = float(group.get("lr", 0.0)), str(group["optimizer"])
        apart = kind in OPTIMIZERS and OPTIMIZERS[kind].decoupled
        betas = group.get("betas")
        made.append(
            OptimizerGroup(
                optimizer=kind,
                roles=tuple(group["roles"]),
                learning_rate=rate,
                lr_factor=rate / largest if largest > 0 else 1.0,
                weight_decay=float(group.get("weight_decay", 0.0)),
                decoupled=bool(group.get("decoupled_weight_decay", apart)),
                betas=None if betas is None else (float(betas[0]), float(betas[1])),
                eps=None if group.get("eps") is None else float(group["eps"]),
            )
        )
    return tuple(made)


def groups_of_roles(groups: Iterable[OptimizerGroup], roles: Iterable[str]) -> tuple[OptimizerGroup, ...]:
    """The groups with these roles alone; without those of which there is none."""
    wanted = set(roles)
    kept = (replace(group, roles=tuple(role for role in group.roles if role in wanted)) for group in groups)
    return tuple(group for group in kept if group.roles)
