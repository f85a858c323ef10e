"""One update's way through an autoencoder, made once for all terms and counts that look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

from miscope import ForwardPass
from miscope_sae.architecture import Architecture, Weights
from miscope_sae.sites import BEFORE

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PassOf", "SparsePass"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SparsePass:
    """Inputs, latents and reconstructions of a batch, in the normalised space, as an update has them."""

    architecture: Architecture
    weights: Weights
    x: Tensor
    """(B, d)."""
    target: Tensor
    """(B, d_out) what is to be reconstructed: of an autoencoder x itself."""
    before: Tensor
    """(B, m) pre-activations."""

    @cached_property
    def latents(self) -> Tensor:
        """(B, m)."""
        return self.architecture.latents_in_training(self.weights, self.before)

    @cached_property
    def reconstruction(self) -> Tensor:
        """(B, d_out)."""
        return self.architecture.reconstructed(self.weights, self.latents, self.x)

    @cached_property
    def norms(self) -> Tensor:
        """(m,) of the decoder's rows, as the architecture has them."""
        return self.architecture.norms(self.weights)


@final
class PassOf:
    """The pass that a ForwardPass stands for; the last one is kept, so that each term finds what the others made."""

    def __init__(self, architecture: Architecture, normalise: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
        """normalise: raw inputs as they are encoded, and what is to be reconstructed of them."""
        self.architecture, self._normalise = architecture, normalise
        self._last: SparsePass | None = None

    def __call__(self, seen: ForwardPass) -> SparsePass:
        before, last = seen.activations[BEFORE], self._last
        # What is detached of a pass shares its memory, which is not given to others while the pass is kept.
        if last is not None and _is_part_of(before, last.before):
            return last
        x, target = self._normalise(seen.examples.inputs)
        made = SparsePass(architecture=self.architecture, weights=seen.weights, x=x, target=target, before=before)
        self._last = made
        return made


def _is_part_of(given: Tensor, kept: Tensor) -> bool:
    """Whether it is the same tensor, or that without its graph."""
    same = given.data_ptr() == kept.data_ptr() and given.shape == kept.shape
    return same and (kept.requires_grad or not given.requires_grad)
