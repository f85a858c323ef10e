"""The learning rate a foreign training started from: what its optimizer holds at the end may be scheduled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["learning_rate"]


def learning_rate(group: Mapping[str, Any], scheduler: Mapping[str, Any]) -> tuple[float | None, list[str]]:
    """The first rate, of the optimizer's first group; and a sentence where it is not the group's present one.

    PyTorch's schedules keep the rate they start from as 'initial_lr' in the group and in their own 'base_lrs'.
    """
    now, first = _number(group.get("lr")), _number(group.get("initial_lr"))
    bases = scheduler.get("base_lrs")
    if first is None and isinstance(bases, list | tuple) and bases:
        first = _number(bases[0])
    if not first:
        zero = ["Its optimizer's learning rate is 0 by now, and nothing says what it was at first."] if now == 0 else []
        return now or None, zero
    if now is None or now == first:
        return first, []
    note = f"Its learning rate was scheduled from {first:g}, which the record holds; at the end it was {now:g}."
    return first, [note]


def _number(value: object) -> float | None:
    if getattr(value, "ndim", None) == 0:
        value = value.item()  # pyright: ignore[reportAttributeAccessIssue]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
