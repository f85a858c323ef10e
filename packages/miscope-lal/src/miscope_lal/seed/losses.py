"""The seed's loss and its penalties as functions of logits and routing weights, over those that trainings descend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from miscope.errors import BadValue
from miscope_lal.jacobian_penalty import jacobian_penalty, projections_at
from miscope_lal.routing_regularisers import regulariser
from miscope_lal.seed.answering import own_questions
from miscope_lal.spectral_loss import spectral_loss

__all__ = ["LeastActionLoss", "jacobian_regularizer", "spectral_smoothness_loss"]


def spectral_smoothness_loss(
    model: nn.Module, p: int, K: int | None = None, *, inputs: Tensor | None = None, exclude_dc: bool = False
) -> Tensor:
    """1 less the share of low frequencies in the expected answer over all pairs; differentiable by the weights.

    K: None for p // 4. inputs: (p^2, ...) all pairs in row-major order, None for the network's own.
    """
    given = own_questions(model) if inputs is None else inputs
    cutoff = max(1, p // 4) if K is None else K
    return spectral_loss(_logits(model, given).unflatten(0, (p, p)), cutoff=cutoff, exclude_constant=exclude_dc)


def jacobian_regularizer(
    model: nn.Module, inputs: Tensor, num_samples: int = 1, *, generator: Generator | None = None
) -> Tensor:
    """Unbiased for the mean of |df/dx|_F^2, differentiable by the weights.

    inputs: (n, ...) that require gradients; of a transformer what `get_embeddings` gave. generator: None for one that
    draws the same at every call.
    """
    drawn = projections_at(0, 0) if generator is None else generator
    return jacobian_penalty(_logits(model, inputs), inputs, generator=drawn, samples=num_samples)


@final
class LeastActionLoss:
    """L = cross-entropy + lambda_routing R + lambda_spectral S, S at every `spectral_interval`-th step alone."""

    def __init__(
        self,
        routing_regularizer: str | None = "entropy",
        lambda_routing: float = 0.01,
        lambda_spectral: float = 0.0,
        spectral_k: int | None = None,
        spectral_interval: int = 100,
    ) -> None:
        """Raises BadValue for a regulariser that there is not."""
        none = routing_regularizer is None or routing_regularizer == "none"
        self._penalty = None if none else regulariser(str(routing_regularizer))
        self._needs_inputs = routing_regularizer == "consistency"
        self.lambda_routing, self.lambda_spectral = lambda_routing, lambda_spectral
        self.spectral_k, self.spectral_interval = spectral_k, spectral_interval

    def __call__(  # noqa: PLR0913 - what each part is of
        self,
        logits: Tensor,
        targets: Tensor,
        layer_weights: Sequence[Tensor] | None = None,
        *,
        inputs: Tensor | None = None,
        model: nn.Module | None = None,
        p: int | None = None,
        step: int = 0,
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss, and its parts without their coefficients: 'task_loss', 'total_loss', and 'routing_loss' and
        'spectral_loss' where they count.

        layer_weights: (n, head) of each layer. inputs: one-hot (n, 2 p), which 'consistency' compares. model, p: for
        the spectral part.
        """
        total = cross_entropy(logits, targets)
        parts = {"task_loss": float(total.detach())}
        if self._penalty is not None and layer_weights and self.lambda_routing > 0:
            routing = torch.stack([self._penalty(w, self._compared(inputs, w)) for w in layer_weights]).mean()
            total = total + self.lambda_routing * routing
            parts["routing_loss"] = float(routing.detach())
        due = self.lambda_spectral > 0 and step % self.spectral_interval == 0
        if due and model is not None and p is not None:
            spectral = spectral_smoothness_loss(model, p, self.spectral_k)
            total = total + self.lambda_spectral * spectral
            parts["spectral_loss"] = float(spectral.detach())
        return total, parts | {"total_loss": float(total.detach())}

    def _compared(self, inputs: Tensor | None, weights: Tensor) -> Tensor:
        if inputs is not None or not self._needs_inputs:
            return weights if inputs is None else inputs
        raise BadValue(
            "The regulariser 'consistency' compares inputs, and was given none.",
            "It is small where inputs that are alike are routed alike.",
            "Say inputs=..., one-hot.",
        )


def _logits(model: Any, inputs: Tensor) -> Tensor:
    given = model(inputs)
    return given[0] if isinstance(given, tuple) else given
