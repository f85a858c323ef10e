"""A toy language: count on by the stride that the first two tokens show; asked at every position from the third on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from miscope.basis import Basis
from miscope.cross_entropy import next_token
from miscope.examples import Examples
from miscope.family import Family
from miscope.model import HookedModel
from miscope.objective import IGNORED
from miscope.probe import Probe
from miscope.schedule import Every
from miscope.task import Task
from miscope.testing.toy import ToyParams
from miscope.testing.toy_network import drawn_weights, hooked_by_role, register_by_role
from miscope.training_config import TrainingConfig
from miscope.variant import Variant

__all__ = ["ToySequences"]

_LENGTH = 6

_AXES = {
    "W_E": ("token", "d_model"),
    "W_prev": ("token", "d_model"),
    "blocks.0.mlp.W_in": ("d_model", "d_mlp"),
    "W_U": ("d_mlp", "vocab_out"),
}


class _Net(nn.Module):
    """Each position sees its own token and the one before; one hidden layer."""

    W_E: nn.Parameter
    W_prev: nn.Parameter

    def __init__(self, values: int, width: int) -> None:
        super().__init__()
        sizes = {"token": values, "vocab_out": values, "d_model": 8, "d_mlp": width}
        register_by_role(self, _AXES, sizes)
        self.hook_embed, self.hook_pre, self.hook_post = (nn.Identity() for _ in range(3))

    def forward(self, tokens: Tensor) -> Tensor:
        before = torch.cat([tokens[:, :1], tokens[:, :-1]], dim=1)
        embed = self.hook_embed(self.W_E[tokens] + self.W_prev[before])
        return self.hook_post(torch.relu(self.hook_pre(embed @ self.W_in))) @ self.W_U


@final
class ToySequences(Family):
    """Sequences a, a + d, a + 2 d, ... modulo n: every first token and stride is one."""

    name = "toy.sequences"
    title = "Toy: go on counting modulo n by a stride, asked at every position"
    params = ToyParams

    def model(self, params: Any) -> HookedModel:
        net = _Net(params.values, params.width)
        sites = {
            "hook_embed": net.hook_embed,
            "blocks.0.mlp.hook_pre": net.hook_pre,
            "blocks.0.mlp.hook_post": net.hook_post,
        }
        return hooked_by_role(net, _AXES, sites)

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(steps=20, train_fraction=0.6, learning_rate=1e-2, batch_size=4, checkpoints=Every(n=10))

    def task(self, variant: Variant) -> Task:
        params: Any = variant.params
        tokens, labels, train = _data(variant)

        return Task(
            train=Examples(inputs=tokens[train], labels=labels[train]),
            test=Examples(inputs=tokens[~train], labels=labels[~train]),
            initial_weights=lambda: drawn_weights(self.model(params), params.seed),
            objective=next_token(),
        )

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        tokens, labels, train = _data(variant)
        first, stride = np.indices((variant.params.values,) * 2).reshape(2, -1)  # pyright: ignore[reportAttributeAccessIssue]
        columns = {"first": first, "stride": stride, "next": labels[:, -1].numpy()}
        grid = Probe(
            name="grid",
            inputs=tokens,
            labels=labels[:, -1],
            columns=columns,
            grid=("first", "stride"),
            train=train.numpy(),
        )
        return {"grid": grid}

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


def _data(variant: Variant) -> tuple[Tensor, Tensor, Tensor]:
    """Every sequence, the next token where two have been seen, and which sequences are trained on."""
    params: Any = variant.params
    assert variant.training is not None, "the toys are trained here"
    values = params.values
    first, stride = torch.cartesian_prod(torch.arange(values), torch.arange(values)).T
    place = torch.arange(_LENGTH + 1)
    tokens = (first[:, None] + stride[:, None] * place) % values
    labels = tokens[:, 1:].where(place[:-1] > 0, IGNORED)
    order = torch.randperm(values**2, generator=torch.Generator().manual_seed(params.seed))
    train = torch.zeros(values**2, dtype=torch.bool)
    train[order[: int(variant.training.train_fraction * values**2)]] = True
    return tokens[:, :-1].contiguous(), labels, train
