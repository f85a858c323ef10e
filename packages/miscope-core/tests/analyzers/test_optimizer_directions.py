"""The last update of real trainings, taken back and taken apart, beside the checkpoints before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope.analysis.losses import probe_losses
from miscope.analysis.returned import returned_arrays
from miscope.analyzer import Analyzer
from miscope.analyzers.adam_state import AdamWeight, adam_weights
from miscope.analyzers.optimizer import MOMENTS
from miscope.analyzers.optimizer_directions import LAST_UPDATE
from miscope.bound import BoundVariant, open_bound
from miscope.model import Model
from miscope.optimizer_group import configured_groups, recorded_groups
from miscope.outcome import State
from miscope.snapshot import Snapshot
from miscope.testing import tables, toy_snapshot
from miscope.testing import toy_modules as own

LAST, ALIGNED = "optimizer.last_update", "optimizer.alignment"
STEPS = 6
CLIP = 0.05
"""A norm that some of its gradients exceed."""
SHORT = {"steps": STEPS, "checkpoints": "every:1", "save_optimizer": True, "warmup_steps": 3, "weight_decay": 0.5}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """toy(optimizer="adam"): a toy trained for a few updates and looked at, with every checkpoint kept."""
    place = open_bound(tmp_path_factory.mktemp("directions"), tables())

    def looked_at(**fields: Any) -> BoundVariant:
        variant = place.variant("toy.sum", **{**SHORT, **fields})
        for _ in variant.train(threads=1):
            pass
        for name in (LAST, ALIGNED):
            assert {one.state for one in variant.analyze(name, steps=range(1, STEPS + 1))} == {State.SAVED}
        return variant

    return looked_at


@pytest.fixture(scope="module")
def run(toy: Any) -> BoundVariant:
    return toy(no_decay=("W_U",), role_groups="W_E:lr_factor=0.5:weight_decay=2")


def weights(variant: BoundVariant, step: int) -> dict[str, Tensor]:
    return {role: w.double() for role, w in variant.at(step).checkpoint.weights.items()}


def remembered(variant: BoundVariant, step: int) -> dict[str, AdamWeight]:
    state = variant.workspace.store.load_training_state(variant.name, step=step)
    assert state is not None
    held, config = weights(variant, step), variant.value.training
    assert config is not None
    groups = configured_groups(config, {role: tuple(w.shape) for role, w in held.items()}, step)
    fields = {"weights": held, "optimizer_state": state.optimizer_state, "optimizer_groups": groups, "step": step}
    return {adam.role: adam for adam in adam_weights(toy_snapshot(**fields))}


@pytest.mark.parametrize("step", [2, STEPS])
def test_the_weights_before_an_update_are_those_of_the_checkpoint_before(run: BoundVariant, step: int) -> None:
    for role, adam in remembered(run, step).items():
        true = weights(run, step - 1)[role]
        rounding = torch.finfo(torch.float32).eps * float(true.abs().max())
        assert float((adam.before - true).abs().max()) < 4 * rounding, role
        found = run.arrays(LAST, step)[f"{role}/move_length"]
        assert float(found) == pytest.approx(float((adam.weight - true).norm()), abs=4 * rounding * true.numel() ** 0.5)


def test_the_parts_of_a_move_are_the_gradient_the_memory_and_the_decay_that_made_it(run: BoundVariant) -> None:
    now, then = remembered(run, STEPS), remembered(run, STEPS - 1)
    arrays = run.arrays(LAST, STEPS)
    for role, adam in now.items():
        kept = adam.averages.betas[0] * then[role].averages.mean
        scale = adam.group.learning_rate / (adam.averages.corrections[0] * (adam.averages.root_hat + adam.averages.eps))
        memory = float((scale * kept).norm())
        assert float(arrays[f"{role}/memory_length"]) == pytest.approx(memory, rel=1e-3), role
        newest = float((scale * (adam.averages.mean - kept)).norm())
        assert float(arrays[f"{role}/gradient_length"]) == pytest.approx(newest, rel=1e-3), role
    shares = [
        sum(float(arrays[f"{name}/{p}_share"]) for p in ("gradient", "memory", "decay")) for name in (*now, "total")
    ]
    assert shares == pytest.approx([1] * len(shares), rel=1e-12)
    assert float(arrays["W_U/decay_length"]) == 0
    steps, losses = run.metric("train_loss")
    assert float(arrays["total/loss_before"]) == pytest.approx(losses[steps == STEPS - 1][0], rel=1e-6)
    assert (float(arrays["total/clip_factor"]), float(arrays["total/implausible"])) == (1, 0)


def test_the_first_update_of_a_warmup_moves_nothing(run: BoundVariant) -> None:
    arrays = run.arrays(LAST, 1)
    assert float(arrays["total/move_length"]) == 0
    assert np.isnan(arrays["total/gradient_share"])


@pytest.mark.parametrize("optimizer", ["adamw", "adam"])
def test_a_clipped_gradient_is_the_one_that_the_averages_took_in(toy: Any, optimizer: str) -> None:
    variant = toy(clip_norm=CLIP, optimizer=optimizer, seed=2)
    now, then = remembered(variant, STEPS), remembered(variant, STEPS - 1)
    arrays = variant.arrays(LAST, STEPS)
    assert float(arrays["total/clip_factor"]) < 1
    assert float(arrays["total/implausible"]) == 0
    for role, adam in now.items():
        kept = adam.averages.betas[0] * then[role].averages.mean
        scale = adam.group.learning_rate / (adam.averages.corrections[0] * (adam.averages.root_hat + adam.averages.eps))
        newest = float((scale * (adam.averages.mean - kept)).norm())
        assert float(arrays[f"{role}/gradient_length"]) == pytest.approx(newest, rel=1e-3), role


def test_of_small_batches_nobody_knows_the_gradient_and_the_decay_is_told_all_the_same(toy: Any) -> None:
    arrays = toy(batch_size=4, seed=3).arrays(LAST, STEPS)
    assert np.isnan(arrays["total/gradient_length"])
    assert np.isnan(arrays["total/memory_share"])
    assert np.isnan(arrays["total/clip_factor"])
    assert float(arrays["total/decay_length"]) > 0
    assert np.isfinite(arrays["total/scaling_cosine"])


def test_where_another_optimizer_has_some_weights_nobody_knows_what_was_before(toy: Any) -> None:
    arrays = toy(optimizer="muon", muon_exclude=("W_E",), seed=4).arrays(LAST, STEPS)
    assert np.isnan(arrays["total/loss_before"])
    assert np.isnan(arrays["total/gradient_length"])
    assert float(arrays["W_E/move_length"]) > 0


class Paper(Model):
    roles, sites = {}, frozenset({"logits"})

    def __init__(self, forward: Any) -> None:
        self.forward = forward

    def run(self, *given: Any, **more: Any) -> Any:
        raise NotImplementedError

    def answers(self, weights: Any, inputs: Tensor, sites: Any, **more: Any) -> Any:
        return {"logits": self.forward(weights, inputs)[0]}


def test_the_papers_last_update_is_taken_back_to_the_loss_that_was_recorded_before_it(
    calibration: Any, calibration_file: Any, paper_forward: Any, paper_layout: Any
) -> None:
    """Its optimizer says a decay of 0.1 and its configuration 1, which misses that loss by a tenth."""
    name = "wd_10-1_mod_addition_loss_curve"
    stored = torch.load(calibration_file(f"{name}.pth"), map_location="cpu", weights_only=True)
    names = [each for each in stored["model"] if not each.endswith("mask")]
    kept = {each: stored["optimizer"]["state"][i] for i, each in enumerate(names)}
    parts = {which: paper_layout({each: kept[each][which] for each in names}) for which in ("exp_avg", "exp_avg_sq")}
    steps = torch.tensor(float(stored["optimizer"]["state"][0]["step"]))
    states = {role: {which: part[role] for which, part in parts.items()} | {"step": steps} for role in parts["exp_avg"]}
    (group,) = stored["optimizer"]["param_groups"]
    shown = calibration(name).shown | {"activations": {}, "optimizer_state": states, "step": 107_791}
    shown |= {"variant": replace(toy_snapshot().variant, training=None), "options": None}
    losses = probe_losses(shown["probe"], lambda: Paper(paper_forward))

    def looked_at(analyzer: Analyzer, **options: Any) -> dict[str, Any]:
        (made,) = recorded_groups([{**group, "optimizer": "adamw", "roles": list(states)}])
        given = {"optimizer_groups": (replace(made, **options),), "losses": losses, "options": analyzer.options()}
        return returned_arrays(analyzer.name, analyzer.compute(Snapshot(**shown | given)))

    right = float(looked_at(LAST_UPDATE)["total/loss_before"])
    assert right == pytest.approx(float(stored["train_losses"][-1]), rel=1e-5)
    assert float(looked_at(LAST_UPDATE, weight_decay=1.0)["total/loss_before"]) != pytest.approx(right, rel=0.05)
    # After a hundred thousand updates they are in balance with the decay.
    assert float(looked_at(MOMENTS)["total/update_over_decay"]) == pytest.approx(1, abs=0.1)


def test_cosines_are_those_of_the_directions_themselves(run: BoundVariant) -> None:
    arrays, adams = run.arrays(ALIGNED, STEPS), remembered(run, STEPS)
    context = run.workspace.context(run.value)
    held = {role: w.requires_grad_() for role, w in weights(run, STEPS).items()}
    logits = context.model.run(held, context.task.train.inputs, ["logits"])["logits"][:, -1]
    torch.nn.functional.cross_entropy(logits, context.task.train.labels).backward()

    def cosine(one: list[Tensor], other: list[Tensor]) -> float:
        a, b = (torch.cat([part.ravel() for part in parts]) for parts in (one, other))
        return float(a @ b / a.norm() / b.norm())

    gradients = [-held[role].grad for role in adams]
    updates = [-adam.group.lr_factor * adam.averages.update for adam in adams.values()]
    means = [-adam.averages.mean for adam in adams.values()]
    here = [w.detach() for w in (held[role] for role in adams)]
    pairs = {
        "update_gradient": (updates, gradients),
        "update_weights": (updates, here),
        "gradient_momentum": (gradients, means),
        "momentum_weights": (means, here),
    }
    for name, (one, other) in pairs.items():
        assert float(arrays[f"total/{name}"]) == pytest.approx(cosine(one, other), abs=1e-11), name
        assert float(arrays[f"W_E/{name}"]) == pytest.approx(cosine(one[:1], other[:1]), abs=1e-11), name
    assert float(arrays["W_E/null"]) == pytest.approx(2 / held["W_E"].numel() ** 0.5)


def test_random_directions_lie_within_the_null() -> None:
    random = torch.Generator().manual_seed(0)
    a, b = (torch.randn(2000, 50, generator=random) for _ in range(2))
    inside = (torch.nn.functional.cosine_similarity(a, b).abs() < 2 / 50**0.5).double().mean()
    assert float(inside) == pytest.approx(0.955, abs=0.02)


def test_a_recorded_module_has_directions_and_an_update_of_which_the_gradient_is_not_known(tmp_path: Path) -> None:
    place, model = open_bound(tmp_path, tables()), own.seeded()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
    with place.record("one", model, probe=own.pairs(), build="miscope.testing.toy_modules:adder") as recorder:
        own.learn(model, optimizer)
        recorder.checkpoint(1, model, optimizer=optimizer)
    variant = place.find("pytorch.module/one")
    for name in (LAST, ALIGNED):
        assert {one.state for one in variant.analyze(name)} == {State.SAVED}
    last = variant.arrays(LAST, 1)
    assert np.isnan(last["total/gradient_share"])
    assert float(last["total/move_length"]) > 0
    # After one update it is the sign of the gradient, which is then all that the average holds.
    mean = torch.cat([state["exp_avg"].double().ravel() for state in optimizer.state.values()])
    cosine = float(mean.abs().sum() / mean.norm() / (mean != 0).sum() ** 0.5)
    assert float(variant.arrays(ALIGNED, 1)["total/update_momentum"]) == pytest.approx(cosine, rel=1e-3)
