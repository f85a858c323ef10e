"""Values as JSON has them, which knows no NaN, no infinity and no NumPy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

__all__ = ["jsonable"]


def jsonable(value: object) -> object:
    """The value of plain types: numbers that are not finite become null, NumPy's become Python's, keys become text."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item) for item in value]
    if hasattr(value, "item") and not getattr(value, "ndim", 0):
        value = value.item()  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
