"""A module's answers as a function of its weights and inputs, in float64: what the seed's measurements are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from miscope.cross_entropy import classification
from miscope.errors import BadValue
from miscope.examples import Examples
from miscope.loss_function import LossFunction
from miscope.model import LOGITS

__all__ = ["answers", "loss_of_examples", "own_embeddings", "own_questions", "weights_of"]


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """Its parameters in float64, by name; without a way back to the module's own."""
    return {name: weight.detach().double() for name, weight in model.named_parameters()}


def answers(model: nn.Module, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """(n, classes): what the module gives with these weights, of a pair its first."""
    given = torch.func.functional_call(model, dict(weights), (inputs,))
    return given[0] if isinstance(given, tuple) else given


def loss_of_examples(model: nn.Module, inputs: Tensor, targets: Tensor) -> LossFunction:
    """The mean cross-entropy in nats of these examples as a function of the weights."""
    return LossFunction(
        objective=classification(),
        run=lambda weights, given: {LOGITS: answers(model, weights, given)},
        examples=Examples(inputs=inputs, labels=targets),
        step=0,
    )


def own_questions(model: Any) -> Tensor:
    """Every input of a network of `create_model`, in row-major order of the pairs; BadValue of another module."""
    if not hasattr(model, "questions"):
        raise BadValue(
            f"Nobody knows all inputs of a {type(model).__name__}.",
            "Networks of create_model know theirs.",
            "Say inputs=..., (p^2, ...) in row-major order of the pairs.",
        )
    return model.questions()


def own_embeddings(model: Any, tokens: Tensor) -> Tensor:
    """What a module's `get_embeddings` makes of tokens; BadValue of one that has no such method."""
    if not hasattr(model, "get_embeddings"):
        raise BadValue(
            f"A {type(model).__name__} cannot be differentiated by tokens.",
            "Derivatives are by numbers: of tokens by their embedding, and it has no get_embeddings().",
            "Give inputs as numbers.",
        )
    return model.get_embeddings(tokens)
