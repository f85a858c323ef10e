"""Dead latents are drawn anew, towards what is badly reconstructed, and fire again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from miscope import Examples
from miscope.bound import BoundVariant
from miscope.callbacks import Changes, UpdatePoint
from miscope.training.trainer import Trainer, TrainingSetup
from miscope_sae.architecture import AXES
from miscope_sae.architectures.standard import ReLU
from miscope_sae.setting import Setting
from miscope_sae.training import SparseTraining
from miscope_sae.updates.dead_latents import IDLE
from miscope_sae.updates.resampling import resampled, resamples_at

WIDTH, COUNT = 3, 5
OWN_AXES = {"between": ("latent", "latent"), "read_too": ("input", "latent"), "turn": ("input", "input")}
"""Of weights that only an architecture of somebody else has."""
GONE = torch.tensor([False, True, False, True, False])


def setting(**training: Any) -> Setting:
    plain = {"dead_window_steps": 10, "resample_steps": 100, "allow_out_of_range": True}
    return Setting(
        name="sae.standard/some",
        width=WIDTH,
        width_out=WIDTH,
        latents=COUNT,
        shapes={},
        axes=AXES | OWN_AXES,
        training=SparseTraining.model_validate({**plain, **training}),
        seed=0,
        normalise=doubled,
        rows=lambda: torch.zeros(1, WIDTH),
    )


def doubled(inputs: Tensor) -> tuple[Tensor, Tensor]:
    return (2 * inputs,) * 2


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def point(rows: Tensor, *, seed: int = 0) -> UpdatePoint:
    """At step 100; two of five latents are dead, with a bias that keeps them silent."""
    shapes = {"W_enc": (WIDTH, COUNT), "b_enc": (COUNT,), "W_dec": (COUNT, WIDTH), "b_dec": (WIDTH,)}
    shapes["threshold"] = (COUNT,)
    weights = {name: drawn(i, *shape) for i, (name, shape) in enumerate(shapes.items())}
    weights["b_enc"][GONE] = -10.0
    state = {
        role: {"exp_avg": drawn(10, *shape), "exp_avg_sq": drawn(11, *shape).square(), "step": torch.tensor(100.0)}
        for role, shape in shapes.items()
        if role != "threshold"
    }
    return UpdatePoint(
        step=100,
        weights=weights,
        optimizer_state=state,
        buffers={IDLE: torch.where(GONE, 50, 3)},
        train=Examples(inputs=rows),
        generator=torch.Generator().manual_seed(seed),
    )


def changed(at: UpdatePoint, **training: Any) -> Changes:
    return resampled(at, ReLU(centred=True), setting(**training), {"threshold": 0.7})


def test_a_latent_drawn_anew_looks_at_an_input_and_has_nothing_of_its_past() -> None:
    rows = drawn(20, 40, WIDTH)
    at = point(rows)
    found = changed(at)
    towards = 2 * rows - at.weights["b_dec"]
    towards = towards / towards.norm(dim=1, keepdim=True)
    mean = float(at.weights["W_enc"][:, ~GONE].norm(dim=0).mean())
    for latent in GONE.nonzero()[:, 0].tolist():
        row = found.weights["W_dec"][latent]
        near = int((towards @ row).argmax())
        torch.testing.assert_close(row, 0.1 * towards[near])
        torch.testing.assert_close(found.weights["W_enc"][:, latent], 0.2 * mean * towards[near])
    assert found.weights["b_enc"][GONE].tolist() == [0, 0]
    assert found.weights["threshold"][GONE].tolist() == pytest.approx([0.7, 0.7])
    assert found.buffers[IDLE].tolist() == [3, 0, 3, 0, 3]


def test_its_row_has_norm_1_where_all_have() -> None:
    found = changed(point(drawn(20, 40, WIDTH)), decoder_norm="unit")
    assert found.weights["W_dec"][GONE].norm(dim=1).tolist() == pytest.approx([1, 1])


def test_the_others_keep_their_weights_and_what_the_optimizer_knows_of_them_to_the_bit() -> None:
    at = point(drawn(20, 40, WIDTH))
    found = changed(at)
    assert set(found.weights) == {"W_enc", "b_enc", "W_dec", "threshold"}
    for role, tensor in found.weights.items():
        axis = 1 if role == "W_enc" else 0
        before, after = at.weights[role].movedim(axis, 0), tensor.movedim(axis, 0)
        assert torch.equal(before[~GONE], after[~GONE]), role
    for role in ("W_enc", "b_enc", "W_dec"):
        axis = 1 if role == "W_enc" else 0
        assert set(found.optimizer_state[role]) == {"exp_avg", "exp_avg_sq"}
        for name, tensor in found.optimizer_state[role].items():
            before, after = at.optimizer_state[role][name].movedim(axis, 0), tensor.movedim(axis, 0)
            assert torch.equal(before[~GONE], after[~GONE]), (role, name)
            assert not after[GONE].any(), (role, name)
    assert "threshold" not in found.optimizer_state, "it has no gradient"


def test_a_weight_of_somebody_elses_is_set_where_its_axes_count_latents_and_stays_where_none_does() -> None:
    sizes = {"input": WIDTH, "latent": COUNT}
    own = {name: drawn(30, *(sizes[axis] for axis in axes)) for name, axes in OWN_AXES.items()}
    plain = point(drawn(20, 40, WIDTH))
    state = {name: {"exp_avg": torch.ones_like(tensor)} for name, tensor in own.items()}
    found = changed(replace(plain, weights={**plain.weights, **own}, optimizer_state=state))
    between, read_too = found.weights["between"], found.weights["read_too"]
    assert not between[GONE].any()
    assert not between[:, GONE].any()
    assert torch.equal(between[~GONE][:, ~GONE], own["between"][~GONE][:, ~GONE])
    assert not read_too[:, GONE].any()
    assert torch.equal(read_too[:, ~GONE], own["read_too"][:, ~GONE])
    assert "turn" not in found.weights
    assert set(found.optimizer_state) == {"between", "read_too"}
    assert found.optimizer_state["read_too"]["exp_avg"].sum(0).tolist() == [3, 0, 3, 0, 3]


def test_inputs_are_drawn_by_the_square_of_their_loss() -> None:
    """One of three losses twice that of another is drawn four times as often, one without any never."""
    at = point(torch.zeros(1, WIDTH))
    silent = {name: torch.zeros_like(tensor) for name, tensor in at.weights.items()}
    silent["W_enc"][:, ~GONE] = 1e-9
    # |2 x|^2 is 4, 8 and 0.
    rows = torch.tensor([[1.0, 0, 0], [0, 2**0.5, 0], [0, 0, 0]])
    counts = torch.zeros(3)
    for seed in range(1000):
        one = point(rows, seed=seed)
        one = UpdatePoint(
            step=100,
            weights=silent,
            buffers={IDLE: torch.tensor([3, 50, 3, 3, 3])},
            train=one.train,
            generator=one.generator,
        )
        direction = changed(one).weights["W_dec"][1]
        counts[int(direction.argmax())] += 1
    assert counts[2] == 0
    # 200 of 1000 in the mean, with a standard deviation of 13.
    assert int(counts[0]) == pytest.approx(200, abs=60)


def test_more_dead_latents_than_inputs_share_them() -> None:
    found = changed(point(drawn(20, 1, WIDTH)))
    assert torch.equal(found.weights["W_dec"][1], found.weights["W_dec"][3])


def test_inputs_without_any_loss_can_be_drawn_too() -> None:
    at = point(torch.zeros(4, WIDTH))
    at.weights["b_dec"].zero_()
    at.weights["b_enc"].fill_(-1.0)
    assert changed(at).buffers[IDLE].tolist() == [3, 0, 3, 0, 3]


def test_nothing_is_changed_while_all_fire() -> None:
    at = point(drawn(20, 40, WIDTH))
    at.buffers[IDLE].zero_()  # pyright: ignore[reportAttributeAccessIssue]
    assert not changed(at).weights


def test_latents_are_drawn_anew_at_every_so_many_updates_of_the_first_four_fifths() -> None:
    asked = setting(lr_schedule_steps=500)
    assert [step for step in range(501) if resamples_at(step, asked)] == [100, 200, 300]
    assert not any(resamples_at(step, setting(resample_steps=None)) for step in range(501))


@pytest.mark.parametrize("family", ["sae.standard", "sae.jumprelu", "sae.gated", "sae.batchtopk"])
def test_half_of_the_latents_silenced_fire_again_and_no_more_is_unexplained(
    family: str, few: Callable[..., BoundVariant]
) -> None:
    fields = {"k": 2} if family == "sae.batchtopk" else {"expected_l0": 1.2}
    variant = few(
        family, dead_window_steps=100, resample_steps=500, learning_rate=3e-3, sparsity_warmup_steps=100, **fields
    )
    context = variant.workspace.value.context(variant.value)
    assert context.task is not None
    assert variant.value.training is not None
    setup = TrainingSetup(task=context.task, model=lambda: context.model, config=variant.value.training, seed=0)
    trainer = Trainer(setup, context.task.initial_weights(), device=torch.device("cpu"), compiled=False)

    def until(step: int, begin: int) -> float:
        for at in range(begin, step):
            trainer.update(at, trainer.loss(at))
        return float(trainer.metrics(step)["test_fvu"])

    before = until(400, 0)
    half = torch.arange(12) % 2 == 0
    bias = trainer.weights["b_gate" if family == "sae.gated" else "b_enc"]
    with torch.no_grad():
        bias[half] = -10.0
        trainer.buffers[IDLE][half] = 0
    until(499, 400)
    assert not (trainer.buffers[IDLE] < 90)[half].any(), "none of them fired while it was silenced"
    until(501, 499)
    after = until(1000, 501)
    assert float((trainer.buffers[IDLE] < 100)[half].double().mean()) >= 0.9
    assert after <= 1.1 * before
