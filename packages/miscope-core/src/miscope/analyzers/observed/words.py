"""Numbers as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["interval_of", "listed", "number", "share"]

_MOST = 8
"""Names that a sentence lists before it counts the rest."""


def number(value: float) -> str:
    """'1,100', '0.0123', '3.1e-07'."""
    if not np.isfinite(value):
        return "not a number" if np.isnan(value) else "infinite"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def share(value: float) -> str:
    """'99.8 %'; none that is not whole is rounded to 100 %, nor one that is not nothing to 0 %."""
    text = f"{100 * value:.3g}"
    if text == "100" and value < 1:
        return "over 99.9 %"
    return "under 0.1 %" if 0 < value < 1e-3 else f"{text} %"


def interval_of(band: np.ndarray) -> tuple[float, float] | None:
    """The two ends as plain numbers; None where one is not known."""
    low, high = np.ravel(band)
    return (float(low), float(high)) if np.isfinite([low, high]).all() else None


def listed(names: Sequence[str]) -> str:
    """'3, 5 and 7'; of many the first, and how many more there are."""
    if len(names) > _MOST:
        return f"{', '.join(names[:_MOST])} and {len(names) - _MOST} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
