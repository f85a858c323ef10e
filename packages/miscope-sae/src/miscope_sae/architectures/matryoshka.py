"""Autoencoders whose first latents reconstruct by themselves, and so the first several (Bussmann et al. 2025)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, final

from miscope import Term
from miscope.errors import BadValue
from miscope.lazily import torch
from miscope_sae.architectures.batch_top_k import KeptByBatchFamily
from miscope_sae.architectures.top_k import auxiliary_of
from miscope_sae.roles import DECODER, DECODER_BIAS
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf, SparsePass
from miscope_sae.terms import over_passes
from miscope_sae.training import MatryoshkaTraining

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MatryoshkaFamily"]


@final
class MatryoshkaFamily(KeptByBatchFamily):
    """The sum of the squared errors of several prefixes of the latents, which are kept by batch."""

    name = "sae.matryoshka"
    title = "Sparse autoencoder: nested prefixes of the latents each reconstruct"
    training_config = MatryoshkaTraining
    held = (5, 6.5)

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        assert isinstance(setting.training, MatryoshkaTraining)
        widths = prefixes(setting.training.matryoshka_widths, setting.latents)
        value = over_passes(pass_of, lambda made: nested_error(made, widths))
        return (Term(name="reconstruction", value=value), *auxiliary_of(pass_of, setting))


def prefixes(asked: Sequence[int] | None, latents: int) -> tuple[int, ...]:
    """How many latents each prefix has, ascending, the last with all; None: an eighth, a quarter, a half and all."""
    if asked is None:
        return tuple(sorted({max(1, latents // part) for part in (8, 4, 2, 1)}))
    if any(less >= more for less, more in pairwise(asked)) or not asked or asked[-1] != latents:
        raise BadValue(
            f"matryoshka_widths={'+'.join(map(str, asked))} are no nested prefixes of {latents} latents.",
            "Each is larger than the one before, and the last has them all.",
            "Give others, or leave them out.",
        )
    return tuple(asked)


def nested_error(made: SparsePass, widths: Sequence[int]) -> Tensor:
    """Mean over inputs of the sum over prefixes of |x - x'|^2."""
    decoder, reached = made.weights[DECODER], made.weights[DECODER_BIAS] - made.target
    total, before = torch.zeros((), dtype=made.x.dtype, device=made.x.device), 0
    for width in widths:
        reached = reached + made.latents[:, before:width] @ decoder[before:width]
        total, before = total + reached.square().sum(-1).mean(), width
    return total
