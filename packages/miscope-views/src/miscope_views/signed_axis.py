"""An axis for many orders of magnitude: logarithmic where everything is positive, else logarithmic to both sides."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

__all__ = ["Magnitudes", "magnitudes_of"]

_DECADES = 3
"""Powers of ten on either side of zero; what is smaller lies about linearly between them."""


@final
@dataclass(frozen=True, kw_only=True)
class Magnitudes:
    """How numbers are laid along an axis."""

    linear: float | None
    """The size below which an axis to both sides is about linear; None: a logarithmic axis, of positive numbers."""

    def laid(self, values: np.ndarray) -> np.ndarray:
        """Where the values stand: as they are, or at sign(v) log10(1 + |v| / linear)."""
        values = np.asarray(values, dtype=np.float64)
        if self.linear is None:
            return values
        return np.sign(values) * np.log10(1 + np.abs(values) / self.linear)

    def below(self, low: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """The lower edge of a band: on a logarithmic axis never further down than a hundredth of its centre."""
        return np.maximum(low, np.asarray(centre) / 100) if self.linear is None else low

    def axis(self, text: str) -> dict[str, Any]:
        """The layout of the axis, whose title says which scale it has where that is unusual."""
        if self.linear is None:
            return {"title": {"text": text}, "type": "log", "exponentformat": "power"}
        first = round(math.log10(self.linear)) + 1
        powers = [10.0**exponent for exponent in range(first, first + _DECADES + 1)]
        ticks = [*(-power for power in reversed(powers)), 0.0, *powers]
        words = [_word(tick) for tick in ticks]
        return {"title": {"text": f"{text} (symmetric log)"}, "tickvals": self.laid(np.array(ticks)), "ticktext": words}


def magnitudes_of(values: Iterable[np.ndarray]) -> Magnitudes:
    """The scale of one axis for all of these values; those that are not finite do not count."""
    parts = [np.ravel(np.asarray(part, dtype=np.float64)) for part in values]
    together = np.concatenate(parts) if parts else np.zeros(0)
    finite = together[np.isfinite(together)]
    if len(finite) and finite.min() > 0:
        return Magnitudes(linear=None)
    largest = float(np.abs(finite).max(initial=0.0)) or 1.0
    return Magnitudes(linear=10.0 ** (math.floor(math.log10(largest)) - _DECADES))


def _word(tick: float) -> str:
    if tick == 0:
        return "0"
    exponent = round(math.log10(abs(tick)))
    return f"{'−' * (tick < 0)}10<sup>{exponent}</sup>".replace("sup>-", "sup>−")
