"""The toy with gates: its loss reads a hidden site, and is regularised by terms of a schedule of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from miscope.basis import Basis
from miscope.cross_entropy import CROSS_ENTROPY, accuracy
from miscope.examples import Examples
from miscope.model import HookedModel
from miscope.objective import ForwardPass, Objective, Term
from miscope.task import Task
from miscope.testing.toy import ToyVariation
from miscope.testing.toy_network import drawn_weights, hooked_by_role, register_by_role
from miscope.variant import Variant

__all__ = ["EMBED", "GATE", "SPARSE_EVERY", "ToyGated"]

EMBED, GATE = "hook_embed", "blocks.0.mlp.hook_gate"
SPARSE_EVERY = 5
"""Steps from one at which gates are pushed down to the next."""

_AXES = {
    "W_E": ("token", "d_model"),
    "blocks.0.mlp.W_in": ("d_model", "d_mlp"),
    "blocks.0.mlp.W_gate": ("d_model", "d_mlp"),
    "blocks.0.mlp.W_out": ("d_mlp", "d_model"),
    "W_U": ("d_model", "vocab_out"),
}


class _Net(nn.Module):
    """Sum of two embeddings; a hidden layer whose units are let through by gates; the unembedding."""

    W_E: nn.Parameter

    def __init__(self, values: int, width: int) -> None:
        super().__init__()
        sizes = {"token": values, "vocab_out": values, "d_model": 8, "d_mlp": width}
        register_by_role(self, _AXES, sizes)
        self.hook_embed, self.hook_gate, self.hook_post, self.hook_resid_post = (nn.Identity() for _ in range(4))

    def forward(self, tokens: Tensor) -> Tensor:
        embed = self.hook_embed(self.W_E[tokens].sum(1, keepdim=True))
        gate = self.hook_gate(torch.sigmoid(embed @ self.W_gate))
        post = self.hook_post(torch.tanh(embed @ self.W_in) * gate)
        return self.hook_resid_post(embed + post @ self.W_out) @ self.W_U


def sparsity(seen: ForwardPass) -> Tensor:
    """How far the gates are open, on average."""
    return seen.activations[GATE].mean()


def jacobian(seen: ForwardPass) -> Tensor:
    """Mean square of the gradient of the right logit by what the embedding gives."""
    right = seen.logits.gather(-1, seen.labels[..., None]).sum()
    (slope,) = torch.autograd.grad(right, seen.activations[EMBED], create_graph=True)
    return slope.square().sum(-1).mean()


def metrics(seen: ForwardPass) -> Mapping[str, Tensor]:
    """Loss of the task alone, and accuracy."""
    return {"loss": cross_entropy(seen.logits[:, -1], seen.labels[:, -1]), **accuracy(seen)}


OBJECTIVE = Objective(
    terms=(
        CROSS_ENTROPY,
        Term(name="sparsity", value=sparsity, coefficient=lambda step: 0.0 if step % SPARSE_EVERY else 0.3),
        Term(name="jacobian", value=jacobian, coefficient=lambda step: 0.02 * min(step, 10) / 10, differentiates=True),
    ),
    metrics=metrics,
    sites=("logits", EMBED, GATE),
    positions="all",
)


@final
class ToyGated(ToyVariation):
    """Addition of two small numbers with gates that are to stay shut and a Jacobian that is to stay small."""

    name = "toy.gated"
    title = "Toy: (a + b) mod n with gates, and a loss that reads them"
    step_label = "epoch"

    def model(self, params: Any) -> HookedModel:
        net = _Net(params.values, params.width)
        sites = {
            EMBED: net.hook_embed,
            GATE: net.hook_gate,
            "blocks.0.mlp.hook_post": net.hook_post,
            "blocks.0.hook_resid_post": net.hook_resid_post,
        }
        return hooked_by_role(net, _AXES, sites)

    def task(self, variant: Variant) -> Task:
        params: Any = variant.params
        plain = super().task(variant)

        return replace(
            plain,
            train=_asked_everywhere(plain.train),
            test=_asked_everywhere(plain.test),
            initial_weights=lambda: drawn_weights(self.model(params), params.seed),
            objective=OBJECTIVE,
        )

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


def _asked_everywhere(part: Examples) -> Examples:
    """The network has one position, and an objective over all positions has labels for each."""
    assert part.labels is not None
    return Examples(inputs=part.inputs, labels=part.labels[:, None])
