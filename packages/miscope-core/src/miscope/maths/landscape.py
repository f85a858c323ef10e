"""The loss as a function of all the weights: its value at a point, and the points around one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

import numpy as np

from miscope.lazily import torch
from miscope.model import LOGITS, Model
from miscope.probe import Probe

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["KINDS", "Landscape", "add", "drawn", "mix", "parts_of", "scaled"]

KINDS = ("relative", "filter", "isotropic")
"""How a direction is scaled: each tensor as long as the weights it moves, each unit of it, or all of it of length 1."""

_UNITS = ("d_mlp", "head", "token", "vocab_out", "position")
"""Axes whose entries are filters in the sense of Li et al. 2018, the first of these that a tensor has."""

_BATCH = 8192

Weights: TypeAlias = "Mapping[str, Tensor]"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Landscape:
    """Mean cross-entropy of some inputs' right answers at the answer (last) position, in float64, in nats."""

    model: Model
    inputs: Tensor
    labels: Tensor

    def __call__(self, weights: Weights) -> tuple[float, float]:
        """(loss, accuracy) at these weights."""
        loss, right = 0.0, 0
        for inputs, labels in zip(self.inputs.split(_BATCH), self.labels.split(_BATCH), strict=True):
            logits = self.model.answers(weights, inputs, [LOGITS])[LOGITS].double()
            loss += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
            right += int((logits.argmax(dim=-1) == labels).sum())
        return loss / len(self.labels), right / len(self.labels)


def parts_of(model: Model | None, probe: Probe, entries: int | None, seed: int) -> dict[str, Landscape]:
    """The loss on the training set and on the others, or on all inputs where the training set is not known.

    entries: so many entries of inputs (tokens of all sequences together) at most in each; the same at every call.
    """
    assert model is not None
    assert probe.labels is not None
    most = None if entries is None else max(1, entries // max(1, probe.inputs[0].numel()))
    train = probe.train
    if train is None or train.all() or not train.any():
        rows = {"all": np.arange(len(probe.inputs))}
    else:
        rows = {"train": np.flatnonzero(train), "test": np.flatnonzero(~train)}
    found = {}
    for part, members in rows.items():
        if most is not None and len(members) > most:
            members = np.sort(np.random.default_rng(seed).choice(members, most, replace=False))
        chosen = torch.from_numpy(members)
        inputs = probe.inputs[chosen]
        inputs = inputs.double() if inputs.is_floating_point() else inputs
        found[part] = Landscape(model=model, inputs=inputs, labels=probe.labels[chosen])
    return found


def drawn(weights: Weights, seed: int, index: int) -> dict[str, Tensor]:
    """Independent Gaussian entries in the shape of the weights: the same at every checkpoint for a seed and index."""
    random = torch.Generator().manual_seed((seed << 16) + index)
    return {role: torch.randn(tensor.shape, generator=random, dtype=torch.float64) for role, tensor in weights.items()}


def scaled(noise: Weights, weights: Weights, kind: str, axes: Mapping[str, tuple[str, ...]]) -> dict[str, Tensor]:
    """The noise as a direction of the kind: |u| = 1, |u_W| = |W| for each tensor, or the same for each unit of it."""
    if kind == "isotropic":
        length = float(sum(float(tensor.square().sum()) for tensor in noise.values())) ** 0.5
        return {role: tensor / length for role, tensor in noise.items()}
    kept = {role: _kept(axes.get(role, ())) if kind == "filter" else None for role in noise}
    return {role: u * _lengths(weights[role], kept[role]) / _lengths(u, kept[role]) for role, u in noise.items()}


def _kept(axes: tuple[str, ...]) -> int | None:
    """The axis along which units are told apart; None for a vector, which is one unit as a whole."""
    units = [unit for unit in _UNITS if unit in axes] if len(axes) > 1 else []
    return axes.index(units[0]) if units else None


def _lengths(tensor: Tensor, kept: int | None) -> Tensor:
    over = [axis for axis in range(tensor.ndim) if axis != kept]
    return tensor.square().sum(dim=over, keepdim=True).sqrt().clamp(min=torch.finfo(tensor.dtype).tiny)


def add(weights: Weights, along: Weights, distance: float) -> dict[str, Tensor]:
    """weights + distance * along."""
    return {role: tensor + distance * along[role] for role, tensor in weights.items()}


def mix(first: Weights, second: Weights, alpha: float) -> dict[str, Tensor]:
    """(1 - alpha) first + alpha second."""
    return {role: (1 - alpha) * tensor + alpha * second[role] for role, tensor in first.items()}
