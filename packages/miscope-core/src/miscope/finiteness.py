"""Whether the weights of a checkpoint are numbers at all: a diverged training leaves some that are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["cure", "not_finite"]

_NAMED = 3


def not_finite(weights: Mapping[str, Tensor]) -> str:
    """Which weights hold NaN or infinity, as a clause: 'W_E holds NaN (1 of 2,304 values)'; "" where none does."""
    clauses = [clause for role, tensor in weights.items() if (clause := _clause(role, tensor))]
    more = f" and {len(clauses) - _NAMED} more" if len(clauses) > _NAMED else ""
    return ", ".join(clauses[:_NAMED]) + more


def cure(finite: list[int], step: int) -> tuple[str, str]:
    """What is known and what to do where a view or an instrument is asked for such a step.

    finite: the steps that can be looked at.
    """
    known = "Instruments look at checkpoints whose weights are all finite: a training that diverged leaves others."
    if not finite:
        return known, "There is no other checkpoint; views of metrics, such as behaviour.losses, can be drawn."
    nearest = max((one for one in finite if one < step), default=finite[0])
    return known, f"Look at another step, the nearest is {nearest}:  --step {nearest}"


def _clause(role: str, tensor: Tensor) -> str:
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return ""
    bad = int((~tensor.isfinite()).sum())
    if not bad:
        return ""
    kind = "NaN" if bool(tensor.isnan().any()) else "infinity"
    return f"{role} holds {kind} ({bad:,} of {tensor.numel():,} values)"
