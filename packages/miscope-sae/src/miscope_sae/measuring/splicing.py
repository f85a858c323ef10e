"""What a network answers when the activation of one site at the answer position is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope.lazily import torch
from miscope.model import LOGITS, at_answer

if TYPE_CHECKING:
    from torch import Tensor

    from miscope import SourceCheckpoint

__all__ = ["CLEAN", "answered", "losses"]

CLEAN = "clean"
_BATCH = 1024
"""Inputs in one forward pass."""


def answered(
    source: SourceCheckpoint, replacements: Mapping[str, Tensor], labels: Tensor, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """By 'NAME/what', for each of some rows of the source's probe; NAME is a replacement's, or 'clean' where nothing is
    replaced.

    replacements: each (N, d), or (d,) the same for all, d counting all heads. labels: (N,) right answers. rows: (n,)
    which inputs. what: 'ce' in nats, 'right' (bool), 'margin' of the right logit over the largest other, and 'kl', the
    divergence of the answers from the clean ones in nats. Softmax in float64.
    """
    parts: dict[str, list[np.ndarray]] = {}
    for chosen in torch.from_numpy(rows).split(_BATCH):
        inputs, right = source.probe.inputs[chosen], labels[chosen]
        if inputs.is_floating_point():
            inputs = inputs.float()
        clean = _log_probabilities(source, inputs, None)
        for name, given in {CLEAN: None, **replacements}.items():
            put = given[chosen] if given is not None and given.ndim > 1 else given
            found = clean if put is None else _log_probabilities(source, inputs, put)
            for what, values in _scores(clean, found, right).items():
                parts.setdefault(f"{name}/{what}", []).append(values.numpy())
    return {name: np.concatenate(values) for name, values in parts.items()}


def losses(source: SourceCheckpoint, labels: Tensor, rows: Tensor, put: Tensor) -> Tensor:
    """(n,) float64 cross-entropy in nats of some rows of the source's probe with (n, d) in the place of its activation.

    labels: (N,) right answers of all. rows: (n,) which inputs.
    """
    inputs = source.probe.inputs[rows]
    found = _log_probabilities(source, inputs.float() if inputs.is_floating_point() else inputs, put)
    return -found.gather(1, labels[rows][:, None])[:, 0]


def _log_probabilities(source: SourceCheckpoint, inputs: Tensor, put: Tensor | None) -> Tensor:
    """(n, vocabulary) float64; put: (n, d) or (d,) in the place of the site's activation, None for that itself."""
    site = source.source.site

    def replaced(there: Tensor) -> Tensor:
        if put is None:
            return there
        changed = there.clone()
        place = at_answer(site, changed)
        place.copy_(put.expand(len(place), -1).reshape(place.shape))
        return changed

    # With a hook that changes nothing the clean answers are rounded on the same way as the others.
    with torch.no_grad():
        logits = source.model.answers(source.weights, inputs, [LOGITS], hooks=[(site, replaced)])[LOGITS]
    return logits.double().log_softmax(-1)


def _scores(clean: Tensor, found: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Each (n,), of (n, vocabulary) log probabilities."""
    of_right = found.gather(1, labels[:, None])[:, 0]
    others = found.scatter(1, labels[:, None], -torch.inf)
    apart = torch.where(clean > -torch.inf, clean.exp() * (clean - found), 0)
    return {
        "ce": -of_right,
        "right": found.argmax(1) == labels,
        "margin": of_right - others.max(1).values,
        "kl": apart.sum(1),
    }
