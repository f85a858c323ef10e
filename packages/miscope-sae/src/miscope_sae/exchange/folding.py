"""What training keeps beside the weights, folded into them: a scalar of the inputs, norms of the decoder, a bias."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from miscope.errors import BadValue
from miscope.lazily import torch
from miscope_sae.exchange.plain_autoencoder import PlainAutoencoder

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["scaled", "unit_norm", "without_input_bias"]

_EQUAL = 1e-6
"""Norms this close to each other, in units of themselves, rank latents as no norms do."""


def scaled(coder: PlainAutoencoder, s: float, *, s_out: float | None = None) -> PlainAutoencoder:
    """The coder for raw rows x, of one that was trained on s x and gives s x_hat; of a transcoder, s_out y_hat.

    Latents, their biases and thresholds stay. BadValue where a factor is not positive, where a transcoder has no
    `s_out` or an autoencoder another than s, or where the coder scales each row by itself.
    """
    if s_out is None and coder.is_transcoder:
        raise BadValue(
            "A transcoder was to be scaled by one factor.",
            "Its inputs and its outputs were each scaled by their own.",
            "Give both: scaled(coder, s, s_out=...).",
            field="s_out",
        )
    out = s if s_out is None else s_out
    if not coder.is_transcoder and out != s:
        known = "What an autoencoder takes and what it gives lie in one space."
        raise BadValue(f"An autoencoder was to be scaled by {s} and {out}.", known, "Give s alone.", field="s_out")
    for name, factor in (("s", s), ("s_out", out)):
        if not (math.isfinite(factor) and factor > 0):
            known = "Rows were multiplied by it, and are to be divided by it again."
            raise BadValue(f"{name} = {factor} is no factor.", known, "Give a positive number.", field=name)
    if coder.normalize_activations != "none":
        raise BadValue(
            f"A coder with the normalisation {coder.normalize_activations!r} was to be scaled.",
            "It scales each row by itself, so no one factor can be folded into its weights.",
            "Leave the normalisation in it: other libraries apply it again.",
            field="s",
        )
    factors = {"W_enc": s, "W_dec": 1 / out, "b_dec": 1 / out, "W_skip": s / out}
    return _with(coder, {name: _double(coder, name) * f for name, f in factors.items() if name in coder.tensors})


def unit_norm(coder: PlainAutoencoder, *, ranked_by_norm: bool = False) -> PlainAutoencoder:
    """The coder whose rows of W_dec have norm 1, with latents times the norm they had; rows of zeros stay.

    What comes out stays the same. ranked_by_norm: the k largest were those of the pre-activation times the norm,
    SAELens' `rescale_acts_by_decoder_norm`; without it BadValue where k latents are kept and norms differ.
    """
    norms = _double(coder, "W_dec").norm(dim=1)
    divisors = torch.where(norms > 0, norms, 1.0)
    if coder.k is not None and not ranked_by_norm and float(norms.max() - norms.min()) > _EQUAL * float(norms.max()):
        raise BadValue(
            f"The norms of the decoder of a coder that keeps the {coder.k} largest latents were to be folded.",
            f"They lie between {float(norms.min()):.3g} and {float(norms.max()):.3g}; "
            "latents times their norms are in another order.",
            "Leave the norms; or say ranked_by_norm=True, if it was trained to rank latents by them.",
            field="ranked_by_norm",
        )
    biases = [name for name in ("b_enc", "threshold", "b_gate", "b_mag") if name in coder.tensors]
    # A latent without direction that was ranked by norm was never among the largest.
    factors = norms if ranked_by_norm else divisors
    folded = {name: _double(coder, name) * factors for name in ("W_enc", *biases)}
    return _with(coder, {**folded, "W_dec": _double(coder, "W_dec") / divisors[:, None]})


def without_input_bias(coder: PlainAutoencoder, b_in: Tensor | None = None) -> PlainAutoencoder:
    """The coder that subtracts nothing from its input: what it subtracted, b_dec, b_in (d_in) or both, is in b_enc."""
    if b_in is not None and tuple(b_in.shape) != (coder.d_in,):
        raise BadValue(
            f"A bias of the input has the shape {tuple(b_in.shape)}.",
            f"The coder takes rows of {coder.d_in}.",
            f"Give one of shape ({coder.d_in},).",
            field="b_in",
        )
    bias = torch.zeros(coder.d_in, dtype=torch.float64) if b_in is None else b_in.detach().cpu().double()
    if coder.apply_b_dec_to_input:
        bias = bias + _double(coder, "b_dec")
    shift = bias @ _double(coder, "W_enc")
    moved = {name: _double(coder, name) - shift for name in ("b_enc", "b_gate") if name in coder.tensors}
    if coder.architecture == "gated":
        moved["b_mag"] = _double(coder, "b_mag") - shift * _double(coder, "r_mag").exp()
    return replace(_with(coder, moved), apply_b_dec_to_input=False)


def _double(coder: PlainAutoencoder, name: str) -> Tensor:
    """In float64, so that what is folded is rounded once."""
    return coder.tensors[name].double()


def _with(coder: PlainAutoencoder, tensors: Mapping[str, Tensor]) -> PlainAutoencoder:
    return replace(coder, tensors={**coder.tensors, **tensors})
