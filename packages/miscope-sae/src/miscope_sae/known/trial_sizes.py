"""How large and how noisy a crosscoder's trial is: as the crosscoder, but for what is cut."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

__all__ = ["TrialSizes"]

_LATENTS_A_FEATURE = 4 / 3
"""As the toy that crosscoders are tried on has it: 64 latents, 48 features."""
_MOST_ACTIVE = 1 / 8
"""Of the features, at an input: with more these are no sparse sums."""
_MOST_UNEXPLAINED = 0.5
"""Of the variance, by noise: with more there is little left to find."""
_THERE_FIRST = 1 / 4
"""Of the features, at the first checkpoint."""
_SQUARED_SIZE = 13 / 12
"""Mean of the square of a feature's size, which is uniform from 0.5 to 1.5."""
_MOST_INPUTS = 20_000
_DIGITS = 3


@final
@dataclass(frozen=True, kw_only=True)
class TrialSizes:
    """What a trained crosscoder has."""

    width: int
    latents: int
    inputs: int
    """Rows that it is trained on and measured on."""
    l0: float
    """Latents active at an input held out."""
    fvu: float
    """Share of the variance that it leaves unexplained there."""

    @property
    def drawn(self) -> dict[str, object]:
        """Sizes of activations as sparse and as noisy as it found its own, by parameters of `sae.known-births`.

        Noise is what it leaves unexplained; with sizes of mean square 13/12, L0 features have a variance of
        13/12 L0 / d a dimension.
        """
        features, active = self._features, min(self.l0, self._most_active)
        unexplained = min(max(self.fvu, 0.0), _MOST_UNEXPLAINED)
        noise = math.sqrt(unexplained / (1 - unexplained) * active * _SQUARED_SIZE / self.width)
        return {
            "width": self.width,
            "inputs": min(_MOST_INPUTS, self.inputs),
            "features": features,
            "present": round(features * _THERE_FIRST),
            "probability": _rounded(active / features),
            "noise": _rounded(noise),
        }

    def cut(self) -> Iterator[str]:
        """A sentence for each that is smaller than the crosscoder's own."""
        if self.inputs > _MOST_INPUTS:
            yield f"The trial has {_MOST_INPUTS:,} inputs, the most that are drawn; the crosscoder has {self.inputs:,}."
        if self.l0 > self._most_active:
            eighth = f"{self._most_active:.3g} of {self._features:,} features on at an input, an eighth"
            yield f"The trial has {eighth}; the crosscoder has {self.l0:.3g} latents active."
        if self.fvu > _MOST_UNEXPLAINED:
            yield f"The trial has half of its variance as noise; the crosscoder leaves {self.fvu:.0%} unexplained."

    @property
    def _features(self) -> int:
        return max(2, round(self.latents / _LATENTS_A_FEATURE))

    @property
    def _most_active(self) -> float:
        return _MOST_ACTIVE * self._features


def _rounded(value: float) -> float:
    """To three digits, which a name can hold."""
    return float(f"{value:.{_DIGITS}g}")
