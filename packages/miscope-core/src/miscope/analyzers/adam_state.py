"""What Adam remembers of each weight, beside the weight and how it was told to train it: one role at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.errors import DoesNotApply
from miscope.maths.adam import Averages, before_update
from miscope.optimizer_group import OptimizerGroup
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["KINDS", "AdamWeight", "adam_weight", "adam_weights"]

KINDS = ("adamw", "adam")
"""Optimizers whose update is Adam's."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class AdamWeight:
    """One weight after an update, in float64, with the averages that the update was made of."""

    role: str
    weight: Tensor
    averages: Averages
    group: OptimizerGroup

    @property
    def decay(self) -> float:
        """By how much a unit of the weight is lowered at a rate of 1, apart from the gradient; 0 where it is part of
        that."""
        return self.group.weight_decay if self.group.decoupled else 0.0

    @property
    def before(self) -> Tensor:
        """The weight before the update, to the rounding of the one after."""
        return before_update(self.weight, self.averages.update, rate=self.group.learning_rate, decay=self.decay)


def adam_weights(snapshot: Snapshot[Any]) -> Iterator[AdamWeight]:
    """Every weight that Adam or AdamW has updated, one in memory at a time; DoesNotApply where there is none."""
    _refuse_others(snapshot)
    group_of = {role: g for g in snapshot.optimizer_groups if g.optimizer in KINDS for role in g.roles}
    for role, weight in snapshot.weights.items():
        group, state = group_of.get(role), snapshot.optimizer_state.get(role, {})
        if group is None or "exp_avg_sq" not in state:
            continue  # of another optimizer, or no gradient has reached it
        yield adam_weight(role, weight, state, group)


def adam_weight(role: str, weight: Tensor, state: Mapping[str, Tensor], group: OptimizerGroup) -> AdamWeight:
    """A weight with what PyTorch's Adam keeps of it ('exp_avg', 'exp_avg_sq', 'step'), in float64."""
    assert group.betas is not None
    assert group.eps is not None
    averages = Averages(
        mean=state["exp_avg"].double(),
        square=state.get("max_exp_avg_sq", state["exp_avg_sq"]).double(),
        updates=int(state["step"]),
        betas=group.betas,
        eps=group.eps,
    )
    return AdamWeight(role=role, weight=weight.double(), averages=averages, group=group)


def _refuse_others(snapshot: Snapshot[Any]) -> None:
    remembered, groups = snapshot.optimizer_state, snapshot.optimizer_groups
    kinds = dict.fromkeys(group.optimizer for group in groups)
    if groups and not set(kinds) & set(KINDS):
        named = " and ".join(kinds)
        reason = f"it looks at what Adam remembers, and the optimizer here is {named}"
        raise DoesNotApply(reason)
    if not any("exp_avg_sq" in state for state in remembered.values()):
        reason = f"at step {snapshot.step} the optimizer has made no update yet, and remembers nothing"
        raise DoesNotApply(reason)
    if not groups:
        reason = "the optimizer's state is there, and not with which rate, decay and averages it was made"
        raise DoesNotApply(reason)
