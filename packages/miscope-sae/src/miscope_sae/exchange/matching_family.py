"""Of which family here an autoencoder of another library is, with which parameters and weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.errors import BadValue
from miscope_sae.exchange.plain_autoencoder import Architecture, PlainAutoencoder

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MatchingFamily", "matching_family"]

_FAMILIES: Mapping[Architecture, str] = {
    "standard": "sae.standard",
    "jumprelu": "sae.jumprelu",
    "topk": "sae.topk",
    "gated": "sae.gated",
    "transcoder": "sae.transcoder",
    "skip_transcoder": "sae.transcoder",
}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class MatchingFamily:
    """What gives the same latents and the same reconstructions here."""

    family: str
    params: Mapping[str, object]
    """Without those that say what it is built on."""
    weights: Mapping[str, Tensor]
    """By role."""


def matching_family(coder: PlainAutoencoder) -> MatchingFamily:
    """The family, parameters and weights of a coder.

    One that BatchTopK or a Matryoshka trained is of 'sae.jumprelu': its thresholds are what is left of the training.
    BadValue of transcoders with thresholds, with k, or with a normalisation of their inputs, which no family has.
    """
    _refuse(coder)
    params: dict[str, object] = {
        "latents": str(coder.d_sae),
        "normalize_activations": coder.normalize_activations,
        "apply_b_dec_to_input": coder.apply_b_dec_to_input,
    }
    if coder.architecture == "topk":
        params["k"] = coder.k
    if coder.architecture == "skip_transcoder":
        params["linear_skip"] = True
    weights = dict(coder.tensors)
    if "threshold" in weights:
        # Where it is below 0, the positive part is taken there all the same.
        weights["threshold"] = weights["threshold"].clamp(min=0)
    return MatchingFamily(family=_FAMILIES[coder.architecture], params=params, weights=weights)


def _refuse(coder: PlainAutoencoder) -> None:
    lacking = None
    if coder.architecture not in _FAMILIES:
        lacking = f"the architecture {coder.architecture!r}"
    elif coder.is_transcoder and coder.k is not None:
        lacking = f"transcoders that keep the {coder.k} largest latents"
    elif coder.is_transcoder and coder.normalize_activations != "none":
        lacking = f"transcoders with the normalisation {coder.normalize_activations!r}"
    if lacking is not None:
        raise BadValue(
            f"No family here has {lacking}.",
            f"What can be imported is: {', '.join(_FAMILIES)}; transcoders with a plain ReLU.",
            "Read it in Python, with the readers of miscope_sae.exchange.",
            field="architecture",
        )
