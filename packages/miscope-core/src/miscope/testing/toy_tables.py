"""The toy with exact algebra: logits of every pair from one table, as a family gives them that knows its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import final

import torch
from torch import Tensor

from miscope.basis import Basis
from miscope.task import Task
from miscope.testing.toy import ToyVariation
from miscope.variant import Variant

__all__ = ["ToyTables"]


@final
class ToyTables(ToyVariation):
    """Addition of two small numbers, each unordered pair run once."""

    name = "toy.tables"
    title = "Toy: (a + b) mod n, its logits from a table of unordered pairs"
    step_label = "epoch"

    def task(self, variant: Variant) -> Task:
        return replace(super().task(variant), logits=table_logits)

    def bases(self, params: object) -> Mapping[str, Basis]:
        return {}


def table_logits(weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """(n, values): the sum of two embeddings is the same in either order, so half of the pairs need no run."""
    embedding = weights["W_E"]
    values = len(embedding)
    rows, columns = torch.triu_indices(values, values, device=inputs.device)
    stream = embedding[rows] + embedding[columns]
    stream = stream + torch.relu(stream @ weights["blocks.0.mlp.W_in"]) @ weights["blocks.0.mlp.W_out"]
    table = stream @ weights["W_U"]
    low, high = inputs.amin(1), inputs.amax(1)
    return table[low * values - low * (low - 1) // 2 + high - low]
