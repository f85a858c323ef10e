"""A perceptron with one hidden layer is shown two numbers and says which value is the larger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, final

import torch
from miscope import (
    Basis,
    Examples,
    Family,
    HookedModel,
    Params,
    Probe,
    Role,
    Task,
    TrainingConfig,
    Variant,
    classification,
)
from pydantic import Field
from torch import Tensor, nn

__all__ = ["LargerFamily", "LargerParams"]

_WIDTH, _NEURONS = 16, 64


class LargerParams(Params):
    """How many values a number can have, and the seed."""

    values: Annotated[int, Field(ge=2, le=200, json_schema_extra={"slug": "v"})] = 10
    seed: Annotated[int, Field(ge=0)] = 0


class _Net(nn.Module):
    """Two numbers embedded and added, one hidden layer of ReLUs; what is to be seen passes an Identity."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.W_E = nn.Parameter(torch.zeros(values, _WIDTH))
        self.W_in = nn.Parameter(torch.zeros(_WIDTH, _NEURONS))
        self.W_out = nn.Parameter(torch.zeros(_NEURONS, _WIDTH))
        self.W_U = nn.Parameter(torch.zeros(_WIDTH, values))
        self.hook_embed, self.hook_pre, self.hook_post, self.hook_resid_post = (nn.Identity() for _ in range(4))

    def forward(self, numbers: Tensor) -> Tensor:
        embed = self.hook_embed(self.W_E[numbers].sum(1, keepdim=True))
        post = self.hook_post(torch.relu(self.hook_pre(embed @ self.W_in)))
        return self.hook_resid_post(embed + post @ self.W_out) @ self.W_U


@final
class LargerFamily(Family):
    """The larger of two numbers."""

    name = "myplugin.larger"
    title = "The larger of two numbers: perceptron"
    params = LargerParams
    step_label = "epoch"
    fixed = {"activation": ("relu",)}

    def model(self, params: Any) -> HookedModel:
        net = _Net(params.values)
        # Weights by role -> the network's own names. These words decide which instruments look at it.
        own = {"W_E": "W_E", "blocks.0.mlp.W_in": "W_in", "blocks.0.mlp.W_out": "W_out", "W_U": "W_U"}
        axes = {
            "W_E": ("token", "d_model"),
            "blocks.0.mlp.W_in": ("d_model", "d_mlp"),
            "blocks.0.mlp.W_out": ("d_mlp", "d_model"),
            "W_U": ("d_model", "vocab_out"),
        }
        return HookedModel(
            net,
            roles=[Role(name=r, axes=axes[r], shape=tuple(getattr(net, name).shape)) for r, name in own.items()],
            sites={
                "hook_embed": net.hook_embed,
                "blocks.0.mlp.hook_pre": net.hook_pre,
                "blocks.0.mlp.hook_post": net.hook_post,
                "blocks.0.hook_resid_post": net.hook_resid_post,
            },
            place=lambda weights: {own[role]: tensor for role, tensor in weights.items()},
        )

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        inputs, larger, train = _pairs(variant)
        a, b = inputs.numpy().T
        params: Any = variant.params
        every_pair = Probe(
            name="grid",
            inputs=inputs,
            labels=larger,
            columns={"a": a, "b": b, "larger": larger.numpy()},
            grid=("a", "b"),
            train=train.numpy(),
            symmetries={"swap": b * params.values + a},
        )
        return {"grid": every_pair}

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(steps=1000, train_fraction=0.6, learning_rate=1e-2, weight_decay=0.1)

    def task(self, variant: Variant) -> Task:
        inputs, larger, train = _pairs(variant)
        params: Any = variant.params

        def initial_weights() -> dict[str, Tensor]:
            generator = torch.Generator().manual_seed(params.seed)
            roles = self.model(params).roles.values()
            return {r.name: torch.randn(r.shape, generator=generator) / r.shape[0] ** 0.5 for r in roles}

        return Task(
            train=Examples(inputs=inputs[train], labels=larger[train]),
            test=Examples(inputs=inputs[~train], labels=larger[~train]),
            initial_weights=initial_weights,
            objective=classification(),
        )

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


def _pairs(variant: Variant) -> tuple[Tensor, Tensor, Tensor]:
    """Every pair in row-major order, the larger of each, and whether it is trained on."""
    params: Any = variant.params
    assert variant.training is not None, "this family is trained here"
    inputs = torch.cartesian_prod(torch.arange(params.values), torch.arange(params.values))
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(params.seed))
    train = torch.zeros(len(inputs), dtype=torch.bool)
    train[order[: int(len(inputs) * variant.training.train_fraction)]] = True
    return inputs, inputs.max(1).values, train
