"""The test kit runs a family's model in both types, has it adopt its own weights, and draws nothing in silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from miscope import HookedModel
from miscope.basis import Basis
from miscope.family import Family
from miscope.testing import ToyFamily, check_family, coverage, tables
from miscope.testing.toy import ToyVariation


class Own(ToyVariation):
    """The toy, around whose network a test puts another module."""

    name, title = "check.toy", "A toy"

    def __init__(self, around: type[nn.Module] | None = None, factor: float = 1.0) -> None:
        self._around, self._factor = around, factor

    def model(self, params: Any) -> HookedModel:
        whole = ToyFamily().model(params)
        if self._around is None:
            return whole
        names = {name.rpartition(".")[2]: name for name in whole.roles}
        return HookedModel(
            self._around(whole.module),
            roles=list(whole.roles.values()),
            sites={},
            place=lambda weights: {f"inner.{short}": weights[name] for short, name in names.items()},
        )

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}

    def adopt(self, state: Mapping[str, Tensor], params: Any) -> dict[str, Tensor] | None:
        return {name: self._factor * tensor for name, tensor in state.items()}


class Unplaced(nn.Module):
    """Logits of the answer alone, without an axis for positions."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, tokens: Tensor) -> Tensor:
        return self.inner(tokens)[:, 0]


class Uncast(Unplaced):
    """Adds numbers that stay float32."""

    def forward(self, tokens: Tensor) -> Tensor:
        return self.inner(tokens) @ torch.ones(5, 5)


@pytest.mark.parametrize(
    ("family", "sentence"),
    [
        (
            Own(Unplaced),
            "check.toy: its logits are (25, 5); they are (batch, position, vocabulary), and a network without "
            "positions has one",
        ),
        (
            Own(Uncast),
            "check.toy: its model does not run with weights of torch.float64 on inputs of torch.int64 (expected m1 "
            "and m2 to have the same dtype, but got: double != float); inputs that are numbers are cast to the type "
            "of the weights",
        ),
        (Own(factor=2), "check.toy: what it adopts of its own weights, by role, is not those weights"),
    ],
    ids=["positions", "types", "adopted"],
)
def test_a_family_that_would_fail_in_pytorchs_words_is_told_in_a_sentence(family: Family, sentence: str) -> None:
    with pytest.raises(AssertionError) as told:
        check_family(family)
    assert str(told.value).partition("\nassert ")[0] == sentence


def test_no_view_is_no_coverage() -> None:
    with pytest.raises(AssertionError) as told:
        coverage(ToyFamily(), tables())
    assert str(told.value).partition("\nassert ")[0] == (
        "the tables hold no view that could be drawn: give them some, as in tables(mine=module, views=miscope_views)"
    )
