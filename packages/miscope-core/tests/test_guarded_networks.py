"""What one instrument leaves on the network that it runs reaches no other: it fails alone, and it is taken off."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from miscope import Analyzer, Grain, Needs, Snapshot, Trajectory
from miscope.analysis.input_guard import InputGuard
from miscope.artifact import Arrays
from miscope.bound import BoundWorkspace, open_bound
from miscope.hookspecs import hookimpl
from miscope.outcome import State
from miscope.testing import ToyFamily, ToyParams, check_analyzer, toy_snapshot

Make = Callable[..., BoundWorkspace]


def logits(shown: Any) -> Arrays:
    """What the model answers to three inputs."""
    weights = {name: w if isinstance(w, torch.Tensor) else w()[-1] for name, w in shown.weights.items()}
    return {
        "logits": shown.model.answers(weights, torch.tensor([[0, 1], [2, 3], [4, 4]]), ["logits"])["logits"].numpy()
    }


def innocent(module: Any) -> None:
    module.hook_post.register_forward_hook(lambda *given: None).remove()


def a_hook(module: Any) -> None:
    module.hook_post.register_forward_hook(lambda point, given, out: 2 * out)


def a_hook_before(module: Any) -> None:
    module.hook_post.register_forward_pre_hook(lambda point, given: (given[0] - 1,))


def training_mode(module: Any) -> None:
    module.train()


def a_parameter(module: Any) -> None:
    module.W_E[0] += 1


def past_autograd(module: Any) -> None:
    module.W_E.data = torch.ones(3, 3)


def another_parameter(module: Any) -> None:
    module.W_E = nn.Parameter(torch.zeros(5, 8))


def another_part(module: Any) -> None:
    module.hook_post = nn.Tanh()


def flags(module: Any) -> None:
    module.requires_grad_(True)


def a_gradient(module: Any) -> None:
    module.W_U.requires_grad_(True).grad = torch.ones_like(module.W_U)
    module.W_U.requires_grad_(False)


def then_fails(module: Any) -> None:
    a_hook(module)
    raise ArithmeticError("it went wrong after that")


def plugin(leave: Callable[[Any], None], grain: Grain) -> ModuleType:
    """A plug-in whose first of two analyzers leaves something on the network."""

    def spoil(shown: Snapshot | Trajectory) -> Arrays:
        model: Any = shown.model
        leave(model.module)
        return {"value": np.zeros(1)}

    look: dict[str, Any] = {"version": 1, "grain": grain, "needs": Needs(weights=("*",), model=True)}
    module: Any = ModuleType("leaving")
    module.miscope_analyzers = hookimpl(
        lambda: (
            Analyzer(name="leave.first", compute=spoil, **look),
            Analyzer(name="leave.second", compute=logits, **look),
        )
    )
    return module


def outcomes(place: BoundWorkspace, grain: Grain) -> tuple[dict[str, Any], np.ndarray]:
    """What became of each analyzer at the end, and what the second saw there."""
    variant = place.variant("toy.fourier", steps=2)
    list(variant.train(threads=1))
    analyzed = variant.analyze("leave.first", "leave.second")
    at = None if grain is Grain.TRAJECTORY else 2
    last = {name: one for one in analyzed for name in one.analyzers if one.step == at}
    return last, variant.arrays("leave.second", at)["logits"]


@pytest.mark.parametrize("grain", [Grain.CHECKPOINT, Grain.TRAJECTORY])
@pytest.mark.parametrize(
    ("leave", "what"),
    [
        (a_hook, "hooks of the model's 'hook_post'"),
        (a_hook_before, "hooks of the model's 'hook_post'"),
        (training_mode, "the model's training mode"),
        (a_parameter, "the model's own 'W_E'"),
        (past_autograd, "the model's own 'W_E'"),
        (another_parameter, "parts of the model"),
        (another_part, "parts of the model"),
        (flags, "the model's requires_grad flags"),
        (a_gradient, "the model's gradients"),
    ],
)
def test_an_analyzer_that_leaves_something_on_the_network_fails_alone(
    workspace: Make, tmp_path: Any, leave: Callable[[Any], None], what: str, grain: Grain
):
    clean = open_bound(tmp_path / "clean", workspace(leaving=plugin(innocent, grain)).plugins)
    before, expected = outcomes(clean, grain)
    assert before["leave.first"].state is State.SAVED
    place = workspace(leaving=plugin(leave, grain))
    became, second = outcomes(place, grain)
    assert became["leave.second"].state is State.SAVED
    assert became["leave.first"].error == (
        f"'leave.first' changed what it was shown: {what}.\n"
        "Others are shown the same: it was put back as it was for them, and this result was not kept.\n"
        "Run the model on weights and hooks given to `model.run`, or change a copy: `copy.deepcopy(model.module)`."
    )
    assert np.array_equal(second, expected)
    variant = place.variant("toy.fourier", steps=2).value
    model: Any = place.value.context(variant).model
    assert as_made(model.module), "and it is as a network is that nobody ran"


def as_made(module: Any) -> bool:
    """Whether a toy's network is as its constructor leaves it."""
    hooks = [hook for part in module.modules() for hook in (*part._forward_hooks, *part._forward_pre_hooks)]
    parameters = dict(module.named_parameters())
    flat = [
        not parameter.any() and not parameter.requires_grad and parameter.grad is None
        for parameter in module.parameters()
    ]
    quiet = not any(part.training for part in module.modules())
    return all(flat) and quiet and not hooks and len(parameters) == 4 and type(module.hook_post) is nn.Identity


def test_what_is_left_before_a_failure_is_taken_off_too(workspace: Make, tmp_path: Any):
    grain = Grain.CHECKPOINT
    clean = open_bound(tmp_path / "clean", workspace(leaving=plugin(innocent, grain)).plugins)
    _, expected = outcomes(clean, grain)
    became, second = outcomes(workspace(leaving=plugin(then_fails, grain)), grain)
    assert became["leave.first"].error == "ArithmeticError: it went wrong after that"
    assert np.array_equal(second, expected)


def a_state() -> tuple[Any, ...]:
    state: Any = np.random.get_state()
    return torch.get_rng_state().tolist(), state[1].tolist(), state[2], random.getstate()


def draws(module: Any) -> None:
    nn.Linear(3, 3)
    np.random.random(3)
    random.random()


def test_generators_of_the_process_are_put_back_without_a_word(workspace: Make):
    place = workspace(leaving=plugin(draws, Grain.CHECKPOINT))
    variant = place.variant("toy.fourier", steps=2)
    list(variant.train(threads=1))
    place.value.context(variant.value).model.sites  # noqa: B018 - building the network draws from them
    before = a_state()
    analyzed = variant.analyze("leave.first")
    assert [outcome.state for outcome in analyzed] == [State.SAVED] * len(analyzed)
    assert a_state() == before


def unseeded(snapshot: Snapshot) -> Arrays:
    """Numbers from the generator that the process shares."""
    return {"drawn": torch.rand(3).numpy()}


def test_numbers_from_a_shared_generator_are_noticed_by_the_test_kit():
    analyzer = Analyzer(
        name="leave.drawn",
        version=1,
        grain=Grain.CHECKPOINT,
        compute=unseeded,
        needs=Needs(weights=("W_E",)),
        outputs={"drawn": "(3,) numbers"},
    )
    with pytest.raises(AssertionError, match="'drawn' differs between two computations at the same checkpoint"):
        check_analyzer(analyzer)


class Wrapping:
    """A model that runs another, as those with a faster algebra do."""

    def __init__(self) -> None:
        self.hooked = ToyFamily().model(ToyParams())


def test_a_network_inside_of_a_model_is_watched_too():
    model, watch = Wrapping(), InputGuard()
    snapshot = toy_snapshot(model=model)
    watch.remember(snapshot)
    assert watch.changed(snapshot) == []
    training_mode(model.hooked.module)
    assert watch.changed(snapshot) == ["the model's training mode"]
    assert watch.changed(snapshot) == []
