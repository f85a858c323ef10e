"""Latents that no longer fire: how they are counted, how they learn, and what is said when none is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from miscope import Examples, ForwardPass
from miscope.bound import BoundVariant
from miscope.errors import Diverged
from miscope_sae.architectures.standard import ReLU
from miscope_sae.setting import Setting
from miscope_sae.sites import BEFORE
from miscope_sae.sparse_pass import PassOf, SparsePass
from miscope_sae.terms import auxiliary
from miscope_sae.training import SparseTraining
from miscope_sae.updates.dead_latents import IDLE, AllLatentsDead, dead, idle_after

WIDTH, COUNT = 6, 8


def setting(**training: Any) -> Setting:
    return Setting(
        name="sae.standard/some",
        width=WIDTH,
        width_out=WIDTH,
        latents=COUNT,
        shapes={},
        axes={},
        training=SparseTraining(allow_out_of_range=True, **training),
        seed=0,
        normalise=lambda inputs: (inputs, inputs),
        rows=lambda: torch.zeros(1, WIDTH),
    )


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_latent_is_dead_once_it_was_silent_for_the_window_and_no_more_when_it_fires() -> None:
    asked = setting(dead_window_steps=3)
    # Of three latents, at six updates of two inputs each: always, at the third update alone, never.
    batches = [[[1, 0, 0], [0, 0, 0]]] * 2 + [[[0, 0.1, 0], [1, 0, -1]]] + [[[1, -1, 0], [0, 0, 0]]] * 3
    idle, counts, gone = torch.zeros(3, dtype=torch.int64), [], []
    for step, batch in enumerate(batches):
        values = torch.tensor(batch, dtype=torch.float32)
        made = SparsePass(architecture=ReLU(centred=False), weights={}, x=values, target=values, before=values)
        idle = idle_after(made, idle, asked)
        counts.append(idle.tolist())
        gone.append(dead(idle, step + 1, asked).tolist())
    assert counts == [[0, 1, 1], [0, 2, 2], [0, 0, 3], [0, 1, 4], [0, 2, 5], [0, 3, 6]]
    assert gone == [[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 1, 1]]


def test_what_is_not_above_the_threshold_of_activity_did_not_fire() -> None:
    values = torch.tensor([[0.0, 1e-7, 1e-6]])
    made = SparsePass(architecture=ReLU(centred=False), weights={}, x=values, target=values, before=values)
    zeros = torch.zeros(3, dtype=torch.int64)
    assert idle_after(made, zeros, setting()).tolist() == [1, 0, 0]
    assert idle_after(made, zeros, setting(dead_neuron_threshold=1e-6)).tolist() == [1, 1, 1]


def test_before_the_first_window_is_over_none_is_dead() -> None:
    idle = torch.tensor([7, 0])
    assert dead(idle, 4, setting(dead_window_steps=5)).tolist() == [False, False]
    assert dead(idle, 5, setting(dead_window_steps=5)).tolist() == [True, False]


def seen_with(silent: list[int]) -> tuple[ForwardPass, dict[str, Tensor]]:
    """A forward pass over 30 inputs, at which these latents have been silent for long."""
    shapes = {"W_enc": (WIDTH, COUNT), "b_enc": (COUNT,), "W_dec": (COUNT, WIDTH), "b_dec": (WIDTH,)}
    weights = {name: drawn(i, *shape).requires_grad_() for i, (name, shape) in enumerate(shapes.items())}
    x = drawn(9, 30, WIDTH)
    before = ReLU(centred=False).before(weights, x)
    idle = torch.zeros(COUNT, dtype=torch.int64)
    idle[silent] = 100
    seen = ForwardPass(
        examples=Examples(inputs=x), activations={BEFORE: before}, weights=weights, step=100, buffers={IDLE: idle}
    )
    return seen, weights


def auxiliary_value(seen: ForwardPass, aux_k: int | None) -> Tensor:
    term = auxiliary(PassOf(ReLU(centred=False), lambda x: (x, x)), setting(dead_window_steps=50), 1.0, aux_k)
    return term.value(seen)


@pytest.mark.parametrize(("silent", "aux_k"), [([1, 4, 5, 7], 2), ([1, 4], 3), ([2], None), ([0, 1, 2, 3, 4], None)])
def test_dead_latents_reconstruct_what_the_others_leave_over(silent: list[int], aux_k: int | None) -> None:
    """By a loop: of each input the largest few of the dead ones, without the bias, times dead over wanted."""
    seen, weights = seen_with(silent)
    values = {name: tensor.detach() for name, tensor in weights.items()}
    most = WIDTH // 2 if aux_k is None else aux_k
    expected = 0.0
    for x in seen.examples.inputs:
        latents = torch.relu(x @ values["W_enc"] + values["b_enc"])
        left = x - latents @ values["W_dec"] - values["b_dec"]
        largest = sorted(silent, key=lambda i, latents=latents: -float(latents[i]))[:most]
        guess = sum((latents[i] * values["W_dec"][i] for i in largest), torch.zeros(WIDTH, dtype=torch.float64))
        expected += float((left - guess).square().sum()) / 30
    assert auxiliary_value(seen, aux_k).item() == pytest.approx(expected * min(1, len(silent) / most), rel=1e-9)


def test_only_dead_latents_learn_of_what_is_left_over() -> None:
    """It is detached: neither the others nor the decoder's bias learn of it."""
    seen, weights = seen_with([1, 4, 5, 7])
    auxiliary_value(seen, 2).backward()
    assert weights["b_dec"].grad is None
    for name, axis in (("W_enc", 1), ("b_enc", 0), ("W_dec", 0)):
        gradient = weights[name].grad
        assert gradient is not None
        moved = gradient.abs().movedim(axis, 0).flatten(1).sum(1) if gradient.ndim > 1 else gradient.abs()
        assert (moved > 0).nonzero()[:, 0].tolist() == [1, 4, 5, 7], name


def test_latents_that_are_silent_in_one_batch_alone_are_not_dead() -> None:
    seen, weights = seen_with([])
    found = auxiliary_value(seen, 2)
    assert found.item() == 0
    assert not found.requires_grad
    # Some were silent in it.
    silent = seen.examples.inputs[:1] @ weights["W_enc"] + weights["b_enc"] <= 0
    assert bool(silent.any())


def lines(training: BoundVariant, event: str) -> list[Any]:
    return [line for line in training.workspace.ledger.lines() if line["event"] == event]


def test_a_training_in_which_none_is_left_ends_and_keeps_what_it_had(few: Callable[..., BoundVariant]) -> None:
    training = few("sae.jumprelu", threshold_init=50.0, dead_window_steps=5, checkpoints="every:2")
    with pytest.raises(AllLatentsDead) as told:
        list(training.train(threads=1))
    assert str(told.value) == (
        f"No latent of {training.name} fires any more at step 5.\n"
        "None was active in the last 5 updates: its reconstructions are the decoder's bias alone.\n"
        "Lower the coefficient of sparsity (or its thresholds), or raise sparsity_warmup_steps; then train again "
        "with --no-resume."
    )
    assert training.steps == [0, 2, 4]
    assert all(bool(tensor.isfinite().all()) for tensor in training.at(4).checkpoint.weights.values())
    assert len(lines(training, "failed")) == 1
    assert not lines(training, "finished")


def test_a_training_that_is_no_number_any_more_ends_and_keeps_what_it_had(few: Callable[..., BoundVariant]) -> None:
    training = few("sae.standard", learning_rate=1e30, clip_norm=None, lr_decay_steps=0, checkpoints="every:1")
    with pytest.raises(Diverged) as told:
        list(training.train(threads=1))
    assert str(told.value) == (
        f"The loss of {training.name} is not finite at step {told.value.step}.\n"
        f"The last checkpoint is at step {told.value.last_good}; nothing was written after it.\n"
        "Lower learning_rate or set clip_norm or raise loss_dtype to float64; then train again."
    )
    assert training.steps[-1] == told.value.last_good < told.value.step
    assert len(lines(training, "failed")) == 1
