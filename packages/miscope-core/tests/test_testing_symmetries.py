"""What the test kit tells of an analyzer whose numbers change where the model's function does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch

from miscope import Analyzer, Grain, Snapshot, Trajectory
from miscope.analyzer import Symmetry
from miscope.artifact import Arrays
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.needs import Needs
from miscope.testing import ToyFamily, check_analyzer
from miscope.testing.same_function import changed_weights

W_IN = "blocks.0.mlp.W_in"
SAYS = "which leaves what the model computes as it is, and it declares not_invariant_to"


def norms(snapshot: Snapshot) -> Arrays:
    """Length of what is written into each neuron: the same in any order, and in any basis of the stream."""
    return {"length": snapshot.weights[W_IN].double().norm(dim=0).numpy()}


def first(snapshot: Snapshot) -> Arrays:
    """The length of the first neuron's weights alone, and of the embedding of token 1."""
    return {
        "neuron": np.asarray(norms(snapshot)["length"][0]),
        "token": snapshot.weights["W_E"][1].double().norm().numpy(),
    }


def coordinates(snapshot: Snapshot) -> Arrays:
    """Largest entry of the embedding."""
    return {"largest": snapshot.weights["W_E"].double().abs().max().numpy()}


def moved(trajectory: Trajectory) -> Arrays:
    """How far the weights into the neurons went, by every step."""
    weights = trajectory.weights[W_IN]().double()
    return {"moved": (weights - weights[0]).flatten(1).norm(dim=1).numpy()}


LOOK: dict[str, Any] = {
    "name": "check.length",
    "version": 1,
    "needs": Needs(weights=(W_IN, "W_E")),
    "grain": Grain.CHECKPOINT,
}
NORMS = Analyzer(
    compute=norms, not_invariant_to=("relu scaling",), outputs={"length": "(d_mlp,) units of the weights"}, **LOOK
)
FIRST = replace(NORMS, compute=first, outputs={"neuron": "() of neuron 0", "token": "() of token 1"})
LARGEST = replace(NORMS, compute=coordinates, not_invariant_to=(), outputs={"largest": "() units of the weights"})
MOVED = replace(
    NORMS, compute=moved, grain=Grain.TRAJECTORY, not_invariant_to=(), outputs={"moved": "(T,) units of the weights"}
)


def test_an_analyzer_that_declares_all_that_its_numbers_depend_on_passes() -> None:
    check_analyzer(NORMS)
    check_analyzer(replace(FIRST, not_invariant_to=("neuron order", "relu scaling", "token relabelling")))
    check_analyzer(replace(LARGEST, not_invariant_to=("residual rotation",)))
    check_analyzer(replace(MOVED, not_invariant_to=("relu scaling",)))


@pytest.mark.parametrize(
    ("analyzer", "sentence"),
    [
        (
            replace(NORMS, not_invariant_to=()),
            f"check.length: 'length' changes under 'relu scaling', {SAYS}=(); add 'relu scaling' there, or compute "
            "what does not depend on it",
        ),
        (
            FIRST,
            f"check.length: 'neuron' changes under 'neuron order', {SAYS}=('relu scaling',); add 'neuron order' "
            "there, or compute what does not depend on it",
        ),
        (
            replace(FIRST, not_invariant_to=("neuron order", "relu scaling")),
            f"check.length: 'token' changes under 'token relabelling', {SAYS}=('neuron order', 'relu scaling'); add "
            "'token relabelling' there, or compute what does not depend on it",
        ),
        (
            LARGEST,
            f"check.length: 'largest' changes under 'residual rotation', {SAYS}=(); add 'residual rotation' there, or "
            "compute what does not depend on it",
        ),
        (
            MOVED,
            f"check.length: 'moved' changes under 'relu scaling', {SAYS}=(); add 'relu scaling' there, or compute what "
            "does not depend on it",
        ),
    ],
    ids=["scale", "neuron", "token", "basis", "trajectory"],
)
def test_numbers_that_vary_while_the_function_does_not_are_told_with_the_change(analyzer: Analyzer, sentence: str):
    with pytest.raises(AssertionError) as told:
        check_analyzer(analyzer)
    assert str(told.value).partition("\nassert ")[0] == sentence


def toy(of_hidden: Callable[[torch.Tensor], torch.Tensor] | None = None, **params: Any) -> ModelContext:
    """The toy, with something done to its hidden units."""
    family = ToyFamily()
    context = ModelContext(family, make_variant(family, params))
    if of_hidden is not None:
        module: Any = context.model.module  # pyright: ignore[reportAttributeAccessIssue]
        module.hook_post.register_forward_hook(lambda point, given, out: of_hidden(out))
    return context


def weights_of(context: ModelContext) -> dict[str, torch.Tensor]:
    assert context.task is not None
    return context.task.initial_weights()


@pytest.mark.parametrize("symmetry", get_args(Symmetry))
def test_the_toys_have_every_symmetry_but_that_of_heads(symmetry: Symmetry) -> None:
    context = toy()
    made = changed_weights(symmetry, context, weights_of(context))
    assert (made is None) == (symmetry == "head order")
    assert made is None or {name: tuple(w.shape) for name, w in made.items()} == {
        name: role.shape for name, role in context.model.roles.items()
    }


def test_a_change_that_the_model_does_not_survive_is_none_of_its_symmetries() -> None:
    bounded = toy(torch.tanh)
    assert changed_weights("relu scaling", bounded, weights_of(bounded)) is None
    assert changed_weights("neuron order", bounded, weights_of(bounded)) is not None
    uneven = toy(lambda out: out * torch.arange(1, out.shape[-1] + 1))
    assert changed_weights("neuron order", uneven, weights_of(uneven)) is None


def test_tokens_are_renamed_so_that_right_answers_stay_right() -> None:
    context = toy(values=9)
    weights = weights_of(context)
    made = changed_weights("token relabelling", context, weights)
    assert made is not None
    places = [np.flatnonzero((weights["W_E"] == row).all(dim=1).numpy()).tolist() for row in made["W_E"]]
    assert places == [[2 * token % 9] for token in range(9)]
