"""How far apart two results are in the only unit that travels between processors: roundings of their own type."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["roundings"]


def roundings(actual: Any, expected: Any, *, of: str | None = None) -> float:
    """Their largest difference, over the largest value expected and the spacing of floats at 1: a bound for a test.

    Arrays, tensors or numbers of one shape; `of` names the type they were computed in ("float32") where a wider one
    holds them, and is otherwise the coarser of theirs. A sum of n terms in another order is off by sqrt(n) or so, at
    most by n. NaN equals NaN, infinity itself; other shapes, or a difference where all expected is 0, are infinitely
    far apart.
    """
    one, other = (np.asarray(value.detach() if hasattr(value, "detach") else value) for value in (actual, expected))
    if one.shape != other.shape:
        return float("inf")
    step = max(np.finfo(kind).eps for kind in ((of,) if of else (one.dtype, other.dtype)) if np.dtype(kind).kind == "f")
    alike = (one == other) | (np.isnan(one) & np.isnan(other))
    wide, awaited = (value[~alike].astype(np.float64) for value in (one, other))
    if not wide.size:
        return 0.0
    size = np.abs(other[np.isfinite(other)].astype(np.float64)).max(initial=0)
    if not size or not np.isfinite([wide, awaited]).all():
        return float("inf")
    return float(np.abs(wide - awaited).max() / (size * step))
