"""What an autoencoder's training is shown: rows to train on, rows held out, and what its updates draw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

from miscope import Examples
from miscope.lazily import torch

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from miscope_sae.rows.source_stream import SourceStream

__all__ = ["TrainingRows"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingRows:
    """Rows of a source's probe, parted; with a stream none of them is trained on."""

    inputs: Tensor
    """(R, ...) raw."""
    kept: np.ndarray
    """(R,) bool: the rows that are not held out."""
    stream: SourceStream | None
    """What is trained on in their place."""

    @property
    def trained_on(self) -> np.ndarray | None:
        """(R,) bool, as the probe says it; None where updates draw rows of their own."""
        return self.kept if self.stream is None else None

    @cached_property
    def train(self) -> Examples:
        """Those that are not held out: of a stream what the first weights, and latents drawn anew, are made of."""
        return Examples(inputs=self.inputs[torch.from_numpy(self.kept)])

    @cached_property
    def test(self) -> Examples:
        """Those held out."""
        return Examples(inputs=self.inputs[torch.from_numpy(~self.kept)])
