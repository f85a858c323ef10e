"""A toy family: learn (a + b) mod 5 with a few dozen weights, in milliseconds. Real training, real sites, no mocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, final

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from miscope.basis import Basis, Block
from miscope.cross_entropy import classification
from miscope.examples import Examples
from miscope.family import Family, Params
from miscope.field_docs import documented
from miscope.hookspecs import hookimpl
from miscope.model import HookedModel, Role
from miscope.probe import Probe
from miscope.schedule import Every
from miscope.task import Task
from miscope.testing.toy_network import drawn_weights
from miscope.training_config import TrainingConfig
from miscope.variant import Variant

__all__ = ["ToyFamily", "ToyFourierFamily", "ToyParams", "ToyVariation"]


@documented
class ToyParams(Params):
    """How many values a factor has, and the seed."""

    values: Annotated[int, Field(ge=3, le=31, json_schema_extra={"slug": "v"})] = 5
    """That each of the two numbers can have; their sum is taken modulo this."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the first weights and of the split."""
    width: Annotated[int, Field(ge=1, le=256)] = 16
    """Units of the hidden layer."""


class _Net(nn.Module):
    """Sum of two embeddings, one hidden layer; every activation passes an Identity that can be hooked."""

    def __init__(self, values: int, width: int) -> None:
        super().__init__()
        self.W_E = nn.Parameter(torch.zeros(values, 8))
        self.W_in = nn.Parameter(torch.zeros(8, width))
        self.W_out = nn.Parameter(torch.zeros(width, 8))
        self.W_U = nn.Parameter(torch.zeros(8, values))
        self.hook_embed, self.hook_pre, self.hook_post, self.hook_resid_post = (nn.Identity() for _ in range(4))

    def forward(self, tokens: Tensor) -> Tensor:
        embed = self.hook_embed(self.W_E[tokens].sum(1, keepdim=True))
        post = self.hook_post(torch.relu(self.hook_pre(embed @ self.W_in)))
        return self.hook_resid_post(embed + post @ self.W_out) @ self.W_U


@final
class ToyFamily(Family):
    """Addition of two small numbers, modulo their number."""

    name = "toy.sum"
    title = "Toy: (a + b) mod n with a small MLP"
    params = ToyParams
    step_label = "epoch"
    fixed: ClassVar[Mapping[str, tuple[str, ...]]] = {"activation": ("relu",), "operation": ("add",)}

    def model(self, params: Any) -> HookedModel:
        net = _Net(params.values, params.width)
        axes = {
            "W_E": ("token", "d_model"),
            "W_in": ("d_model", "d_mlp"),
            "W_out": ("d_mlp", "d_model"),
            "W_U": ("d_model", "vocab_out"),
        }
        place = {"W_E": "W_E", "blocks.0.mlp.W_in": "W_in", "blocks.0.mlp.W_out": "W_out", "W_U": "W_U"}
        return HookedModel(
            net,
            roles=[Role(name=r, axes=axes[p], shape=tuple(getattr(net, p).shape)) for r, p in place.items()],
            sites={
                "hook_embed": net.hook_embed,
                "blocks.0.mlp.hook_pre": net.hook_pre,
                "blocks.0.mlp.hook_post": net.hook_post,
                "blocks.0.hook_resid_post": net.hook_resid_post,
            },
            place=lambda weights: {place[name]: tensor for name, tensor in weights.items()},
        )

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(steps=30, train_fraction=0.6, learning_rate=1e-2, checkpoints=Every(n=10))

    def task(self, variant: Variant) -> Task:
        params: Any = variant.params
        inputs, labels = _everything(variant)
        train = torch.from_numpy(_train_mask(variant))

        return Task(
            train=Examples(inputs=inputs[train], labels=labels[train]),
            test=Examples(inputs=inputs[~train], labels=labels[~train]),
            initial_weights=lambda: drawn_weights(self.model(params), params.seed),
            objective=classification(),
        )

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        inputs, labels = _everything(variant)
        a, b = inputs.numpy().T
        params: Any = variant.params
        grid = Probe(
            name="grid",
            inputs=inputs,
            labels=labels,
            columns={"a": a, "b": b, "sum": labels.numpy()},
            grid=("a", "b"),
            train=_train_mask(variant),
            symmetries={"swap": b * params.values + a},
        )
        return {"grid": grid}

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


class ToyVariation(Family):
    """The toy, of which a family changes a part; it says its name, its title and its bases."""

    params = ToyParams

    def model(self, params: Any) -> HookedModel:
        return ToyFamily().model(params)

    def training(self, params: Any) -> TrainingConfig:
        return ToyFamily().training(params)

    def task(self, variant: Variant) -> Task:
        return ToyFamily().task(variant)

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        return ToyFamily().probes(variant)


@final
class ToyFourierFamily(ToyVariation):
    """The toy with a task basis, to test what a basis changes."""

    name = "toy.fourier"
    title = "Toy: (a + b) mod n, with a Fourier basis"
    step_label = "epoch"

    def bases(self, params: Any) -> Mapping[str, Basis]:
        basis = cosines(params.values)
        return {"token": basis, "a": basis, "b": basis, "sum": basis}


def cosines(n: int) -> Basis:
    """The real Fourier basis over n values (n odd): constant, then cos and sin of each frequency k = 1, 2, ..."""
    x = 2 * np.pi * np.arange(n) / n
    rows = [np.full(n, n**-0.5)]
    for k in range(1, n // 2 + 1):
        rows += [np.cos(k * x) * (2 / n) ** 0.5, np.sin(k * x) * (2 / n) ** 0.5]
    blocks = [Block("const", (0,)), *(Block(str(k), (2 * k - 1, 2 * k)) for k in range(1, n // 2 + 1))]
    return Basis(name="fourier", unit="frequency k", rows=np.stack(rows[:n]), blocks=tuple(blocks))


def _everything(variant: Variant) -> tuple[Tensor, Tensor]:
    params: Any = variant.params
    inputs = torch.cartesian_prod(torch.arange(params.values), torch.arange(params.values))
    return inputs, inputs.sum(1) % params.values


def _train_mask(variant: Variant) -> np.ndarray:
    params: Any = variant.params
    assert variant.training is not None, "the toys are trained here"
    total, fraction = params.values**2, variant.training.train_fraction
    order = np.random.default_rng(params.seed).permutation(total)
    mask = np.zeros(total, dtype=bool)
    mask[order[: int(fraction * total)]] = True
    return mask


@hookimpl
def miscope_families() -> Iterable[Family]:
    return (ToyFamily(), ToyFourierFamily())
