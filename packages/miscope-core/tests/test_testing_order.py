"""Which of two sites of a block comes first, in a network that runs position after position."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, final

import pytest
import torch

from miscope.model import Model
from miscope.testing.vocabulary_checks import check_order

PRE, POST = "blocks.0.mlp.hook_pre", "blocks.0.mlp.hook_post"
INPUTS = torch.tensor([[0.5, -1.0, 2.0], [1.0, 1.0, -3.0]])


@final
class Recurrent(Model):
    """One unit: pre = input + state, post = relu(pre), which is the next state; hooks are passed at every position."""

    roles: Any = MappingProxyType({})
    sites = frozenset({PRE, POST})

    def __init__(self, first: str, second: str) -> None:
        """What the two places are called, in the order in which they are passed."""
        self.called = first, second

    def run(self, weights: Any, inputs: Any, sites: Any, *, hooks: Any = ()) -> dict[str, torch.Tensor]:
        changes, state, seen = dict(hooks), torch.zeros(len(inputs), 1), {PRE: [], POST: []}
        first, second = self.called
        for column in inputs.T:
            before = changes.get(first, torch.clone)(column[:, None] + state)
            state = changes.get(second, torch.clone)(torch.relu(before))
            seen[first].append(before)
            seen[second].append(state)
        return {site: torch.stack(seen[site], dim=1) for site in sites}

    def answers(self, *given: Any, **named: Any) -> dict[str, torch.Tensor]:
        return {site: activations[:, -1] for site, activations in self.run(*given, **named).items()}


def test_a_network_that_passes_its_hooks_at_every_position_is_in_order() -> None:
    model = Recurrent(PRE, POST)
    moved = model.run({}, INPUTS, [PRE], hooks=[(POST, lambda given: given + 1)])[PRE]
    assert not torch.equal(moved[:, 1:], model.run({}, INPUTS, [PRE])[PRE][:, 1:]), "later positions do depend on it"
    check_order("test.recurrent", model, {}, INPUTS)


def test_one_whose_sites_are_swapped_is_still_found() -> None:
    with pytest.raises(AssertionError) as error:
        check_order("test.recurrent", Recurrent(POST, PRE), {}, INPUTS)
    assert str(error.value).splitlines()[0] == (
        f"test.recurrent: what replaces {POST!r} changes {PRE!r}, which comes before it; are the two swapped?"
    )


class RoundedOtherwise(Recurrent):
    """Where something is replaced it sums in another order."""

    def run(self, weights: Any, inputs: Any, sites: Any, *, hooks: Any = ()) -> dict[str, torch.Tensor]:
        activations = super().run(weights, inputs, sites, hooks=hooks)
        return {site: seen * (1 + 3e-7) if hooks else seen for site, seen in activations.items()}


def test_a_network_that_rounds_otherwise_where_something_is_replaced_is_in_order() -> None:
    model = RoundedOtherwise(PRE, POST)
    moved = model.run({}, INPUTS, [PRE], hooks=[(POST, lambda given: given + 1)])[PRE]
    assert not torch.equal(moved[:, :1], model.run({}, INPUTS, [PRE])[PRE][:, :1])
    check_order("test.recurrent", model, {}, INPUTS)
