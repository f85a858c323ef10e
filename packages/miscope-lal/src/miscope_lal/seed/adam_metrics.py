"""The seed's numbers of Adam's state, of any optimizer of PyTorch that is Adam or AdamW."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, final

from miscope.analyzers.adam_state import KINDS, AdamWeight, adam_weight
from miscope.analyzers.optimizer import balance
from miscope.optimizer_group import recorded_groups

if TYPE_CHECKING:
    from torch.optim import Optimizer

__all__ = ["AdamMetrics", "compute_adam_metrics"]


@final
@dataclass(frozen=True, kw_only=True)
class AdamMetrics:
    """After an update, over all numbers that Adam trains."""

    effective_lr_mean: float
    """Of sqrt(v): the larger, the smaller the step that a gradient makes."""
    effective_lr_max: float
    adam_ratio_mean: float
    """Of |m| / (sqrt(v) + eps)."""
    adam_ratio_max: float
    update_decay_ratio: float | None
    """|m_hat / (sqrt(v_hat) + eps)|_2 / |lambda w|_2 of the decayed weights; 1 in balance, None where none is."""


def compute_adam_metrics(optimizer: Optimizer, *, original: bool = False) -> AdamMetrics | None:
    """As `optimizer.moments` has them; None before the first update, and of an optimizer that is not Adam.

    original: the forms that the seed's own code computed, eps inside the root and sqrt(lambda), to compare with.
    """
    adams = list(_adams(optimizer))
    if not adams:
        return None
    found = balance(adams, original=original)
    numbers = {name: float(value) for name, value in found["original" if original else "total"].items()}
    ratio = numbers["update_over_decay"]
    return AdamMetrics(
        effective_lr_mean=numbers["sqrt_v_mean"],
        effective_lr_max=numbers["sqrt_v_max"],
        adam_ratio_mean=numbers["ratio_mean"],
        adam_ratio_max=numbers["ratio_max"],
        update_decay_ratio=None if isnan(ratio) else ratio,
    )


def _adams(optimizer: Optimizer) -> Iterator[AdamWeight]:
    kind = type(optimizer).__name__.lower()
    if kind not in KINDS:
        return
    named = [
        {**group, "optimizer": kind, "roles": [f"{place}/{i}" for i in range(len(group["params"]))]}
        for place, group in enumerate(optimizer.param_groups)
    ]
    for group, own in zip(recorded_groups(named), optimizer.param_groups, strict=True):
        for role, weight in zip(group.roles, own["params"], strict=True):
            state = optimizer.state.get(weight, {})
            if "exp_avg_sq" in state:
                yield adam_weight(role, weight.detach(), state, group)
