"""The activations an autoencoder is trained on: those of its source at every input of that one's probe."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.errors import BadValue
from miscope.lazily import torch
from miscope_sae.normalisation import constant_scale

if TYPE_CHECKING:
    from torch import Tensor

    from miscope import SourceCheckpoint

__all__ = ["SourceRows", "trained_on"]

_VARIES = 1e-12
"""Share of the mean squared norm that a site's variance must exceed, for there to be something to reconstruct."""


@final
class SourceRows:
    """(N, d) activations of one source, a row for each input of its probe, and which of them are held out."""

    def __init__(self, source: SourceCheckpoint) -> None:
        self.source = source

    @cached_property
    def width(self) -> int:
        """Numbers in a row; of a site with heads, those of all of them."""
        return self.source.activations(self.source.probe.inputs[:1]).flatten(1).shape[1]

    @cached_property
    def all(self) -> Tensor:
        """(N, d) float32. Raises BadValue where a number is missing or all rows are the same."""
        rows = self.source.activations().flatten(1).contiguous()
        where = self.source.source
        bad = (~torch.isfinite(rows)).any(1)
        if bool(bad.any()):
            raise BadValue(
                f"Activations of {where} are no numbers.",
                f"NaN or infinite at {int(bad.sum())} of {len(rows)} inputs.",
                "Build on an earlier step.",
            )
        varies = float((rows - rows.mean(0)).square().sum()) > _VARIES * float(rows.square().sum())
        if not varies:
            raise BadValue(
                f"There is nothing to reconstruct at {where}.",
                f"All of its {len(rows)} inputs have the same activation.",
                "Choose another site.",
            )
        return rows

    @cached_property
    def scale(self) -> float:
        """What 'constant_norm' multiplies by: one number for the source, the same for every autoencoder of it."""
        return constant_scale(self.all)


def trained_on(count: int, share: float, seed: int) -> np.ndarray:
    """(N,) bool, which of so many rows are trained on, drawn from the seed; the others are held out."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).numpy()
    mask = np.zeros(count, dtype=bool)
    mask[order[: max(1, min(count - 1, round(share * count)))]] = True
    return mask
