"""What the units of a hidden layer write straight to the outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


__all__ = ["output_map"]

_OUTPUTS = "vocab_out"


def output_map(
    site: str, width: int, weights: Mapping[str, Tensor], axes: Mapping[str, tuple[str, ...]]
) -> tuple[str, Tensor] | None:
    """Name and (width, outputs) float64 map from a site's units to the logits; None where no weights lead there.

    Either one matrix to the outputs, or what the site's own layer writes times the unembedding: for an MLP W_out W_U,
    the neuron-logit map of Nanda et al. 2023, section 4.3. Later layers in between are passed over.
    """
    prefix = site.rpartition(".")[0]
    own = [r for r in weights if r.rpartition(".")[0] == prefix and weights[r].shape[:1] == (width,)]
    others = [r for r in weights if r not in own and weights[r].shape[:1] == (width,)]
    for writer in (r for r in (*own, *others) if weights[r].ndim == 2):
        if axes[writer][1] == _OUTPUTS:
            return writer, weights[writer].double()
        for reader in weights:
            if axes[reader] == (axes[writer][1], _OUTPUTS):
                return f"{writer} @ {reader}", weights[writer].double() @ weights[reader].double()
    return None
