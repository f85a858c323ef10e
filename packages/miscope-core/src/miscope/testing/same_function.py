"""Weights changed so that the model computes what it did: hidden units in another order, another basis of a stream.

Made from the names of axes alone, so for any family; and only where the model's logits say that it holds there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from miscope.model import LOGITS, cast

if TYPE_CHECKING:
    from miscope.analyzer import Symmetry
    from miscope.model_context import ModelContext

__all__ = ["CHANGES", "changed_weights"]

Weights: TypeAlias = "Mapping[str, Tensor]"
Axes: TypeAlias = "Mapping[str, Sequence[str]]"
_UNITS = (3, 2, 5, 7)
"""Factors to multiply tokens by; of these the first that has none in common with their number."""


def changed_weights(symmetry: Symmetry, context: ModelContext, weights: Weights) -> dict[str, Tensor] | None:
    """The weights of one checkpoint under that change; None where the model has nothing to change, or does not keep
    its logits, or has none: a LayerNorm does not commute with a rotation, nor a GELU with a scale.

    A relabelling of the tokens multiplies them modulo their number; it is one only where that maps right answers to
    right answers.
    """
    if LOGITS not in context.model.sites:
        return None
    axes = {name: role.axes for name, role in context.model.roles.items()}
    renamed = _renaming(context) if symmetry == "token relabelling" else None
    if symmetry == "token relabelling" and renamed is None:
        return None
    made = CHANGES[symmetry](weights, axes)
    if all(torch.equal(made[name], weights[name]) for name in weights):
        return None
    before, after = _logits(context, weights), _logits(context, made)
    if renamed is not None:
        rows, image = renamed
        before = before[rows][..., image]
    loose = 1e-4 * float(before.abs().max())
    return made if torch.allclose(after, before, rtol=0, atol=loose) else None


def neuron_order(weights: Weights, axes: Axes) -> dict[str, Tensor]:
    def shuffled(weight: Tensor, axis: int) -> Tensor:
        order = torch.randperm(weight.shape[axis], generator=torch.Generator().manual_seed(1))
        return weight.index_select(axis, order)

    return _along("d_mlp", weights, axes, shuffled)


def relu_scaling(weights: Weights, axes: Axes) -> dict[str, Tensor]:
    def scaled(weight: Tensor, axis: int) -> Tensor:
        scale = torch.rand(weight.shape[axis], generator=torch.Generator().manual_seed(2)) * 3 + 0.3
        along = scale.reshape([-1 if place == axis else 1 for place in range(weight.ndim)])
        # What is written into a neuron has it as its last axis.
        return weight * along if axis == weight.ndim - 1 else weight / along

    return _along("d_mlp", weights, axes, scaled)


def head_order(weights: Weights, axes: Axes) -> dict[str, Tensor]:
    return _along("head", weights, axes, lambda weight, axis: weight.flip(axis))


def residual_rotation(weights: Weights, axes: Axes) -> dict[str, Tensor]:
    def rotated(weight: Tensor, axis: int) -> Tensor:
        width = weight.shape[axis]
        rotation, _ = torch.linalg.qr(torch.randn(width, width, generator=torch.Generator().manual_seed(3)).double())
        turned = weight.double().movedim(axis, -1) @ rotation
        return turned.movedim(-1, axis).to(weight.dtype)

    return _along("d_model", weights, axes, rotated)


def token_relabelling(weights: Weights, axes: Axes) -> dict[str, Tensor]:
    answers = next(weights[name].shape[-1] for name, named in axes.items() if named[-1] == "vocab_out")

    def renamed(weight: Tensor, axis: int) -> Tensor:
        return weight.index_select(axis, _image(answers, weight.shape[axis]))

    return _along("vocab_out", _along("token", weights, axes, renamed), axes, renamed)


CHANGES: Mapping[Symmetry, Callable[[Weights, Axes], dict[str, Tensor]]] = {
    "neuron order": neuron_order,
    "head order": head_order,
    "residual rotation": residual_rotation,
    "relu scaling": relu_scaling,
    "token relabelling": token_relabelling,
}


def _along(axis: str, weights: Weights, axes: Axes, change: Callable[[Tensor, int], Tensor]) -> dict[str, Tensor]:
    """The weights, changed along every axis of that name."""
    made = dict(weights)
    for name, named in axes.items():
        for place, each in enumerate(named):
            if each == axis:
                made[name] = change(made[name], place)
    return {name: weight.contiguous() for name, weight in made.items()}


def _image(answers: int, tokens: int) -> Tensor:
    """(tokens,) what each becomes: multiplied modulo the number of answers; those that are no answer stay."""
    unit = next(each for each in _UNITS if math.gcd(each, answers) == 1)
    return torch.cat([torch.arange(answers) * unit % answers, torch.arange(answers, tokens)])[:tokens]


def _renaming(context: ModelContext) -> tuple[Tensor, Tensor] | None:
    """(N,) the row of the probe that each becomes when its tokens are renamed, and (answers,) what an answer is called
    then; None where that is no symmetry of the task."""
    sizes = {
        axis: size for role in context.model.roles.values() for axis, size in zip(role.axes, role.shape, strict=True)
    }
    inputs, labels = context.probe().inputs, context.probe().labels
    if not {"token", "vocab_out"} <= set(sizes) or inputs.dtype != torch.int64 or labels is None or labels.min() < 0:
        return None
    image = _image(sizes["vocab_out"], sizes["token"])
    rows = {tuple(row.tolist()): at for at, row in enumerate(inputs)}
    renamed = [rows.get(tuple(row.tolist())) for row in image[inputs]]
    answers = image[: sizes["vocab_out"]]
    if None in renamed or not torch.equal(labels[renamed], answers[labels]):
        return None
    return torch.tensor(renamed), answers


def _logits(context: ModelContext, weights: Weights) -> Tensor:
    with torch.no_grad():
        return context.model.answers(cast(weights, torch.float64), context.probe().inputs, [LOGITS])[LOGITS]
