"""The objective of least action: cross-entropy, and penalties on routing, on rough answers and on a steep Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.cross_entropy import CROSS_ENTROPY, accuracy, classification
from miscope.lazily import torch
from miscope.model import LOGITS
from miscope.objective import ForwardPass, Objective, Term
from miscope_lal.jacobian_penalty import jacobian_penalty, projections_at
from miscope_lal.routing_regularisers import regulariser
from miscope_lal.spectral_loss import spectral_loss
from miscope_lal.training import ArithmeticTraining, RoutedTraining

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model
    from miscope.task import Forward

__all__ = ["Network", "least_action"]

_EMBED = "hook_embed"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """What penalties know of a network beside the forward pass they are given."""

    logits: Forward
    """Its algebra at the answer."""
    model: Callable[[], Model]
    """Needed where inputs are tokens, whose embedding is what a Jacobian is taken by."""
    questions: Callable[[], Tensor]
    """Every input there is, in row-major order of its factors."""
    factors: tuple[int, ...]
    """How many values each has; the last two are the operands."""
    seed: int
    """Of the projections of the Jacobian."""
    routing: tuple[str, ...] = ()
    """Sites of the routing weights, by layer."""


def least_action(training: ArithmeticTraining, network: Network) -> Objective:
    """Cross-entropy and the penalties of a training, each with its coefficient, and each recorded without it.

    'loss' is the cross-entropy alone. The spectral penalty is of all questions, whatever the batch; it, the consistency
    of routing and the Jacobian's projections are no means over examples, so that the loss is then taken in one piece.
    """
    routed = isinstance(training, RoutedTraining) and training.routing_regularizer != "none" and training.lambda_routing
    penalties = [
        *([_routing(training, network)] if routed and isinstance(training, RoutedTraining) else []),
        *([_spectral(training, network)] if training.lambda_spectral else []),
        *([_jacobian(training, network)] if training.lambda_jacobian else []),
    ]
    if not penalties:
        return classification()
    whole = {"routing_consistency", "spectral", "jacobian"}
    return Objective(
        terms=(CROSS_ENTROPY, *penalties),
        metrics=_of_the_task,
        sites=(LOGITS, *(network.routing if routed else ())),
        additive=whole.isdisjoint(term.name for term in penalties),
    )


def _of_the_task(seen: ForwardPass) -> Mapping[str, Tensor]:
    return {"loss": CROSS_ENTROPY.value(seen), **accuracy(seen)}


def _routing(training: RoutedTraining, network: Network) -> Term:
    name, strength = training.routing_regularizer, training.lambda_routing
    penalty = regulariser(name, gini_normalised=training.gini_normalised)

    def value(seen: ForwardPass) -> Tensor:
        """Mean over layers."""
        operands = _operands(seen.examples.inputs)
        return torch.stack([penalty(seen.activations[site], operands) for site in network.routing]).mean()

    return Term(name=f"routing_{name}", value=value, coefficient=lambda step: strength)


def _operands(inputs: Tensor) -> Tensor:
    """One-hot a and b, of tokens [a, operation, b, =] too."""
    if inputs.is_floating_point():
        return inputs
    return torch.nn.functional.one_hot(inputs[:, ::2][:, :2]).flatten(1)


def _spectral(training: ArithmeticTraining, network: Network) -> Term:
    strength, interval = training.lambda_spectral, training.spectral_interval
    kick = strength * interval if training.spectral_keep_mean else strength
    cutoff = max(1, max(network.factors[-2:]) // 4) if training.spectral_k is None else training.spectral_k

    def value(seen: ForwardPass) -> Tensor:
        weight = next(iter(seen.weights.values()))
        answers = network.logits(seen.weights, _like(network.questions(), weight)).to(seen.logits)
        grids = answers.unflatten(0, network.factors)
        return spectral_loss(grids, cutoff=cutoff, exclude_constant=training.spectral_exclude_constant)

    return Term(name="spectral", value=value, coefficient=lambda step: 0.0 if step % interval else kick)


def _like(inputs: Tensor, weight: Tensor) -> Tensor:
    """On the device of the weights, and of their type where they are no tokens."""
    return inputs.to(weight) if inputs.is_floating_point() else inputs.to(weight.device)


def _jacobian(training: ArithmeticTraining, network: Network) -> Term:
    strength = training.lambda_jacobian

    def value(seen: ForwardPass) -> Tensor:
        weight = next(iter(seen.weights.values()))
        logits, shift = _shifted(network, seen.weights, _like(seen.examples.inputs, weight))
        return jacobian_penalty(logits, shift, generator=projections_at(network.seed, seen.step)).to(seen.logits)

    return Term(name="jacobian", value=value, coefficient=lambda step: strength, differentiates=True)


def _shifted(network: Network, weights: Mapping[str, Tensor], inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (n, classes), and what is added, 0 everywhere, to the inputs, or to the embedding of tokens.

    A shift and no cut, so that the penalty has a slope in the embedding too.
    """
    if inputs.is_floating_point():
        shift = torch.zeros_like(inputs).requires_grad_()
        return network.logits(weights, inputs + shift), shift
    shifts: list[Tensor] = []

    def add(embedding: Tensor) -> Tensor:
        shifts.append(torch.zeros_like(embedding).requires_grad_())
        return embedding + shifts[-1]

    logits = network.model().run(weights, inputs, [LOGITS], hooks=[(_EMBED, add)])[LOGITS][:, -1]
    return logits, shifts[-1]
