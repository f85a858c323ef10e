"""Interventions on a training: one frequency of the token embedding made stronger or weaker for a while."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from miscope import BoundVariant, Variant
from miscope.errors import BadValue
from miscope.fourier import fourier_basis

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.intervention import Intervention

__all__ = ["FrequencyGain", "amplified", "frequency_gain", "gain_intervention", "gains_of", "powers"]

_SITE = "hook_embed"
_NAME = re.compile(r"gain-k(\d{1,9})-x(\d{1,9}(?:\.\d{1,17})?)-from(\d{1,18})-to(\d{1,18})")


@final
@dataclass(frozen=True, kw_only=True)
class FrequencyGain:
    """Power of frequency k of the token embedding times `gain`, in the updates from steps start <= step < stop."""

    k: int
    gain: float
    start: int
    stop: int

    @property
    def name(self) -> str:
        """'gain-k14-x2-from500-to1000': part of the variant's name."""
        return f"gain-k{self.k}-x{self.gain:g}-from{self.start}-to{self.stop}"


def frequency_gain(parent: BoundVariant, *, k: int, gain: float, start: int, stop: int) -> BoundVariant:
    """The parent trained under this intervention: a variant of its own, beside it; `.train()` starts it.

    It begins from the same weights and is the parent, bit for bit, up to `start`. BadValue on values out of range.
    """
    training = parent.value.training
    name = FrequencyGain(k=k, gain=gain, start=start, stop=stop).name
    assert training is not None, "families of modular addition are trained here"
    _checked(name, parent.value)
    fields = {**parent.value.params.model_dump(), **training.model_dump(exclude={"interventions"})}
    return parent.workspace.variant(parent.value.family, **fields, interventions=(*training.interventions, name))


def gains_of(variant: Variant) -> tuple[FrequencyGain, ...]:
    """The frequency gains that a variant is trained under."""
    names = variant.training.interventions if variant.training is not None else ()
    return tuple(gain for name in names if (gain := _parsed(name)) is not None)


def gain_intervention(name: str, variant: Variant, inputs: Callable[[], Tensor]) -> Intervention | None:
    """The hooks that the name stands for; None where it is no frequency gain's.

    inputs: all that the variant is trained on, (N, position).
    """
    from miscope.intervention import Intervention

    if _parsed(name) is None:
        return None
    gain = _checked(name, variant)
    made: list[Callable[[Tensor], Tensor]] = []

    def hooks(step: int) -> list[tuple[str, Callable[[Tensor], Tensor]]]:
        if not made:
            made.append(amplified(inputs(), _prime(variant), gain))
        return [(_SITE, made[0])]

    return Intervention(name=name, start=gain.start, stop=gain.stop, hooks=hooks)


def amplified(inputs: Tensor, prime: int, gain: FrequencyGain) -> Callable[[Tensor], Tensor]:
    """A function of the embeddings (N, position, d_model) of these inputs (N, position): frequency k times sqrt(gain).

    Exact at every step, with no other frequency touched: the embedding E of the tokens is read off the activation
    itself, and each token's own row of (sqrt(gain) - 1) B_k^T B_k E added wherever it stands. Differentiable.
    BadValue where a token is nowhere among the inputs.
    """
    import torch

    tokens = inputs.flatten()
    first = torch.full((prime,), -1)
    inside = torch.nonzero(tokens < prime)[:, 0]
    first[tokens[inside].flip(0)] = inside.flip(0)
    if (first < 0).any():
        missing = int(torch.nonzero(first < 0)[0, 0])
        raise BadValue(
            f"Token {missing} is nowhere in the training inputs, so its embedding cannot be seen.",
            "A frequency is a function of all tokens, and a gain of one needs each of them in every batch.",
            "Raise train_fraction.",
        )
    rows = fourier_basis(prime).rows[[2 * gain.k - 1, 2 * gain.k]]
    kernel = torch.from_numpy((gain.gain**0.5 - 1) * rows.T @ rows)
    outside = (inputs >= prime)[..., None]

    def changed(embedded: Tensor) -> Tensor:
        weights = embedded.flatten(0, 1)[first.to(embedded.device)]
        added = kernel.to(embedded) @ weights
        at = inputs.clamp(max=prime - 1).to(embedded.device)
        return embedded + added[at].masked_fill(outside.to(embedded.device), 0.0)

    return changed


def _parsed(name: str) -> FrequencyGain | None:
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    k, gain, start, stop = match.groups()
    return FrequencyGain(k=int(k), gain=float(gain), start=int(start), stop=int(stop))


def _checked(name: str, variant: Variant) -> FrequencyGain:
    """The gain, if this variant can be trained under it."""
    gain, prime = _parsed(name), _prime(variant)
    problem = None
    if gain is None:
        problem = "A gain reads like gain-k14-x2-from500-to1000, with a power factor x from 0 up."
    elif not 1 <= gain.k <= (prime - 1) // 2:
        problem = f"The frequencies of {prime} tokens are 1 to {(prime - 1) // 2}."
    elif gain.stop <= gain.start:
        problem = "It would end before it begins."
    elif variant.training is not None and variant.training.batch_size is not None:
        problem = "It needs every token in every batch, and this training takes mini-batches."
    if gain is None or problem is not None:
        raise BadValue(f"{variant.family} cannot be trained under {name!r}.", problem or "", "Correct the name.")
    return gain


def _prime(variant: Variant) -> int:
    params: Any = variant.params
    return int(params.prime)


def powers(embedding: np.ndarray) -> np.ndarray:
    """(K,) power of each frequency of the tokens' embedding (prime, d_model)."""
    coefficients = fourier_basis(len(embedding)).rows[1:] @ embedding
    return (coefficients**2).sum(axis=1).reshape(-1, 2).sum(axis=1)
