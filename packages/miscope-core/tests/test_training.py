"""Training on the toy family: real updates, real files."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue, Diverged
from miscope.family import Family
from miscope.objective import ForwardPass
from miscope.testing import tables
from miscope.testing.toy import ToyFamily, ToyParams
from miscope.training.train import Intervention, Progress

Toy = Callable[..., BoundVariant]


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """toy("name", field=...): an untrained toy variant in a workspace of that name."""
    return lambda where="one", **fields: open_bound(tmp_path / where, tables()).variant("toy.sum", **fields)


def trained(variant: BoundVariant, **options: Any) -> list[Progress]:
    return list(variant.train(**{"threads": 1, **options}))


def weights(variant: BoundVariant, step: int) -> Mapping[str, Tensor]:
    return variant.at(step).checkpoint.weights


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return set(one) == set(other) and all(torch.equal(one[role], other[role]) for role in one)


def history(variant: BoundVariant) -> dict[str, tuple[list[int], list[float]]]:
    return {name: (s.steps.tolist(), s.values.tolist()) for name, s in variant.metrics().items()}


def events(workspace: BoundWorkspace, event: str) -> list[Mapping[str, object]]:
    return [line for line in workspace.ledger.lines() if line["event"] == event]


def task_of(variant: BoundVariant) -> Any:
    return variant.workspace.value.context(variant.value).task


# --- what a training leaves behind ---------------------------------------------------------------------------------


def test_step_0_is_the_initialisation(toy: Toy) -> None:
    variant = toy()
    trained(variant)
    assert same(weights(variant, 0), task_of(variant).initial_weights())


def test_checkpoints_are_those_of_the_schedule_and_the_last_step(toy: Toy) -> None:
    variant = toy(checkpoints="every:10")
    trained(variant, steps=25)
    assert variant.steps == [0, 10, 20, 25]


def test_the_first_update_is_pytorchs_own(toy: Toy) -> None:
    variant = toy(checkpoints="every:1")
    trained(variant, steps=1)
    task, config = task_of(variant), variant.value.training
    assert config is not None
    net = {role: torch.nn.Parameter(w) for role, w in task.initial_weights().items()}
    logits = (net["W_E"][task.train.inputs].sum(1)).double()
    double = {role: w.double() for role, w in net.items()}
    hidden = torch.relu(logits @ double["blocks.0.mlp.W_in"])
    logits = (logits + hidden @ double["blocks.0.mlp.W_out"]) @ double["W_U"]
    optimizer = torch.optim.AdamW(net.values(), lr=config.learning_rate, betas=config.betas, weight_decay=1.0)
    torch.nn.functional.cross_entropy(logits, task.train.labels).backward()
    optimizer.step()
    trained_weights = weights(variant, 1)
    assert all(torch.allclose(trained_weights[role], net[role], atol=1e-6) for role in net)


def test_metrics_of_a_step_are_those_of_its_weights(toy: Toy) -> None:
    variant = toy(checkpoints="every:7")
    trained(variant)
    task, model = task_of(variant), variant.workspace.value.context(variant.value).model
    for step in variant.steps:
        checkpoint = variant.at(step).checkpoint
        for name, examples in (("train", task.train), ("test", task.test)):
            logits = model.answers(checkpoint.weights, examples.inputs, ["logits"])["logits"].double()
            loss = float(torch.nn.functional.cross_entropy(logits, examples.labels))
            steps, values = variant.metric(f"{name}_loss")
            assert values[steps == step] == pytest.approx(loss, rel=1e-6)
            assert checkpoint.metrics[f"{name}_loss"] == pytest.approx(loss, rel=1e-6)


def test_every_evaluated_step_has_one_row_of_every_metric(toy: Toy) -> None:
    variant = toy(evaluate_every=4, checkpoints="every:10")
    trained(variant, steps=22)
    expected = [0, 4, 8, 10, 12, 16, 20, 22]
    recorded = history(variant)
    assert set(recorded) == {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    assert all(steps == expected for steps, _ in recorded.values())


def test_the_record_says_how_it_was_really_trained(toy: Toy) -> None:
    variant = toy(weight_decay=0.25, no_decay=("W_E",))
    trained(variant, steps=3)
    facts = variant.workspace.store.variant_record(variant.name).facts
    decay = {role: g["weight_decay"] for g in facts["optimizer_groups"] for role in g["roles"]}  # pyright: ignore
    assert decay == {"W_E": 0.0, "blocks.0.mlp.W_in": 0.25, "blocks.0.mlp.W_out": 0.25, "W_U": 0.25}
    assert (facts["device"], facts["threads"]) == ("cpu", 1)


def test_the_optimizer_state_is_kept_beside_every_checkpoint_on_request(toy: Toy) -> None:
    variant = toy(save_optimizer=True)
    trained(variant)
    state = variant.workspace.store.load_training_state(variant.name, step=10)
    assert state is not None
    assert state.optimizer_state["W_E"]["exp_avg"].shape == (5, 8)


def test_progress_tells_every_checkpoint_and_the_end(toy: Toy) -> None:
    seen = trained(toy())
    assert [p.step for p in seen if p.checkpoint] == [0, 10, 20, 30]
    assert (seen[-1].step, seen[-1].total, seen[-1].eta) == (30, 30, 0.0)
    assert set(seen[-1].metrics) == {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}


def test_settings_of_pytorch_are_as_before(toy: Toy) -> None:
    before = torch.get_num_threads(), torch.random.get_rng_state()
    trained(toy(), interventions=[Intervention(name="noise", start=0, stop=5, hooks=lambda step: [])])
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.random.get_rng_state(), before[1])


# --- going on -----------------------------------------------------------------------------------------------------


COSINE = {"lr_schedule": "cosine", "lr_schedule_steps": 25, "lr_decay_steps": 5, "lr_min_ratio": 0.2}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adamw": {"role_groups": "blocks.*:lr_factor=0.5:weight_decay=0"},
    "adam": {},
    "sgd": {"momentum": 0.5},
    "muon": {"muon_exclude": "W_E", **COSINE},
}


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_training_in_pieces_equals_one_in_one_go(toy: Toy, optimizer: str, batch_size: int | None) -> None:
    fields = {"optimizer": optimizer, "batch_size": batch_size, "warmup_steps": 15, **OPTIMIZERS[optimizer]}
    straight, pieces = toy("straight", **fields), toy("pieces", **fields)
    trained(straight, steps=30)
    for steps in (7, 20, 30):
        trained(pieces, steps=steps)
    assert same(weights(straight, 30), weights(pieces, 30))
    assert history(straight) == history(pieces)


def test_a_finished_training_is_extended_by_more_steps(toy: Toy) -> None:
    variant = toy()
    trained(variant)
    trained(variant, steps=45)
    assert variant.steps == [0, 10, 20, 30, 40, 45]
    assert variant.workspace.find(variant.name).value.training.steps == 45  # pyright: ignore


def test_a_finished_training_says_that_there_is_nothing_to_do(toy: Toy) -> None:
    variant = toy()
    trained(variant)
    runs = variant.workspace.ledger.runs()
    (only,) = trained(variant)
    assert only.message == f"{variant.name} is already trained to step 30; nothing to do."
    assert (only.step, only.metrics["train_loss"]) == (30, history(variant)["train_loss"][1][-1])
    assert variant.workspace.ledger.runs() == runs


def test_beginning_again_gives_the_same_weights(toy: Toy) -> None:
    variant = toy()
    trained(variant)
    before = weights(variant, 30)
    assert len(trained(variant, resume=False)) > 1
    assert same(before, weights(variant, 30))
    assert history(variant)["train_loss"][0] == list(range(31))


def test_a_kept_state_without_a_checkpoint_is_enough_to_go_on(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    straight, cut = toy("straight", checkpoints="every:100"), toy("cut", checkpoints="every:100")
    trained(straight)
    monkeypatch.setattr("miscope.training.train._SAVE_EVERY", 0.0)
    monkeypatch.setattr("miscope.training.train._REPORT_EVERY", 0.0)
    for progress in cut.train(threads=1):
        if progress.step == 13:
            break
    state = cut.workspace.store.load_training_state(cut.name)
    assert state is not None
    assert (state.step, cut.steps) == (13, [0])
    trained(cut)
    assert same(weights(straight, 30), weights(cut, 30))
    assert history(straight) == history(cut)


@pytest.mark.parametrize(("optimizer", "rounds", "watch"), [("adamw", 16, []), ("muon", 4, ["parameters.norms:3"])])
def test_a_training_killed_at_random_moments_ends_in_the_same_weights(
    toy: Toy, tmp_path: Path, optimizer: str, rounds: int, watch: list[str]
) -> None:
    chosen = {"optimizer": optimizer, **OPTIMIZERS[optimizer]}
    script = Path(__file__).with_name("killed_trainings.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(script), str(tmp_path / "killed"), str(rounds), json.dumps([chosen]), *watch]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (steps,), fields = json.loads(done.stdout), {"checkpoints": "adaptive:3-20", "batch_size": 4, **chosen}
    assert steps > 25, "the trainings were killed before they did anything"
    killed, straight = toy("killed", **fields), toy("straight", **fields)
    trained(straight, steps=steps, watch=watch)
    assert killed.steps == straight.steps
    assert all(same(weights(straight, step), weights(killed, step)) for step in straight.steps)
    assert history(killed) == history(straight)
    assert history(killed)["train_loss"][0] == list(range(steps + 1))
    assert not list((tmp_path / "killed").rglob(".*")), "what the killed ones left is swept"


# --- stopping -----------------------------------------------------------------------------------------------------


def test_a_wish_to_stop_leaves_a_checkpoint_to_go_on_from(toy: Toy) -> None:
    straight, stopped = toy("straight"), toy("stopped")
    trained(straight)
    asked = iter([False] * 13 + [True] * 100)
    last = trained(stopped, should_stop=lambda: next(asked))[-1]
    assert (last.step, stopped.steps) == (13, [0, 10, 13])
    (line,) = events(stopped.workspace, "stopped")
    assert line["step"] == 13
    trained(stopped)
    assert same(weights(straight, 30), weights(stopped, 30))
    assert history(straight) == history(stopped)


def test_a_stop_request_beside_the_ledger_is_heard(toy: Toy) -> None:
    variant = toy(steps=10**9, checkpoints="0")
    for progress in variant.train(threads=1):
        if progress.step == 0:
            (run,) = variant.workspace.ledger.runs()
            variant.workspace.ledger.request_stop(run)
    assert variant.steps[-1] < 10**9
    assert events(variant.workspace, "stopped")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_a_step_boundary(toy: Toy, number: signal.Signals) -> None:
    variant = toy(steps=10**9, checkpoints="0")
    before = signal.getsignal(number)
    for progress in variant.train(threads=1):
        if progress.step == 0:
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before
    assert len(events(variant.workspace, "stopped")) == 1
    assert variant.workspace.store.load_training_state(variant.name).step == variant.steps[-1]  # pyright: ignore


def test_a_training_in_another_thread_leaves_signals_alone(toy: Toy) -> None:
    variant = toy()
    thread = threading.Thread(target=trained, args=(variant,))
    thread.start()
    thread.join()
    assert variant.steps == [0, 10, 20, 30]


def test_leaving_the_loop_early_is_a_stop(toy: Toy) -> None:
    variant = toy()
    for _ in variant.train(threads=1):
        break
    assert len(events(variant.workspace, "stopped")) == 1


# --- adaptive checkpoints -----------------------------------------------------------------------------------------


def test_adaptive_decisions_are_recorded_and_the_same_when_resumed(toy: Toy) -> None:
    fields = {"checkpoints": "adaptive:2-9", "steps": 60}
    straight, cut = toy("straight", **fields), toy("cut", **fields)
    trained(straight)
    trained(cut, steps=31)
    trained(cut)
    decided = [[(d["step"], d["gap"], d["slope"]) for d in events(v.workspace, "decision")] for v in (straight, cut)]
    assert decided[0] == decided[1]
    assert [0, *(step for step, _, _ in decided[0]), 60] == straight.steps
    assert set(cut.steps) == {*straight.steps, 31}


# --- interventions ------------------------------------------------------------------------------------------------


def silence(start: int, stop: int) -> Intervention:
    """No hidden layer in the updates of the window."""
    return Intervention(
        name=f"silence-{start}-{stop}",
        start=start,
        stop=stop,
        hooks=lambda step: [("blocks.0.mlp.hook_post", torch.zeros_like)],
    )


def test_an_intervention_acts_on_the_updates_of_its_window_only(toy: Toy) -> None:
    plain, silenced = toy("plain", checkpoints="every:1"), toy("silenced", checkpoints="every:1")
    trained(plain)
    trained(silenced, interventions=[silence(10, 12)])
    assert same(weights(plain, 10), weights(silenced, 10))
    before, within, after = (weights(silenced, step)["blocks.0.mlp.W_out"] for step in (10, 12, 13))
    decay = (1 - 1e-2 * 1.0) ** 2
    state = plain.workspace.store.load_training_state(plain.name)
    assert state is not None
    assert not same(weights(plain, 12), weights(silenced, 12))
    # No gradient reaches W_out through a silenced layer: it only decays, and drifts on its momentum.
    assert (within - decay * before).abs().max() < 2 * 1e-2 * 1.5
    assert not torch.equal(after, within)


def test_metrics_under_an_intervention_are_those_of_the_model_without_it(toy: Toy) -> None:
    plain, silenced = toy("plain"), toy("silenced")
    trained(plain)
    trained(silenced, interventions=[silence(10, 12)])
    for name in ("train_loss", "test_loss"):
        assert history(plain)[name][1][:11] == history(silenced)[name][1][:11]
        assert history(plain)[name][1][11] != history(silenced)[name][1][11]


def test_an_empty_intervention_changes_nothing(toy: Toy) -> None:
    plain, hooked = toy("plain"), toy("hooked")
    trained(plain)
    trained(hooked, interventions=[Intervention(name="none", start=0, stop=30, hooks=lambda step: [])])
    assert same(weights(plain, 30), weights(hooked, 30))


def test_random_interventions_are_the_same_when_resumed(toy: Toy) -> None:
    def jitter(activation: Tensor) -> Tensor:
        return activation + 0.1 * torch.randn_like(activation)

    noise = Intervention(name="noise", start=3, stop=25, hooks=lambda step: [("hook_embed", jitter)])
    straight, cut = toy("straight"), toy("cut")
    trained(straight, interventions=[noise])
    for steps in (11, 30):
        torch.rand(3)
        trained(cut, steps=steps, interventions=[noise])
    assert same(weights(straight, 30), weights(cut, 30))


def test_a_training_goes_on_only_under_the_interventions_it_began_with(toy: Toy) -> None:
    variant = toy()
    trained(variant, steps=5, interventions=[silence(1, 4)])
    with pytest.raises(BadValue) as refused:
        trained(variant)
    assert str(refused.value) == (
        f"{variant.name} was trained under other interventions.\n"
        "Before: ['silence-1-4']; now: none.\n"
        "Give the same ones, or begin again with resume=False."
    )


# --- refusals -----------------------------------------------------------------------------------------------------


@final
class ToyFamilyThatExplodes(Family):
    """The toy whose loss stops being a number at a step of its choice."""

    name, title, params, step_label = "toy.explodes", "Toy that explodes", ToyParams, "epoch"
    model, training, probes, bases = ToyFamily.model, ToyFamily.training, ToyFamily.probes, ToyFamily.bases

    def task(self, variant: Any) -> Any:
        task = ToyFamily().task(variant)
        calls = iter(range(10**6))

        def metrics(seen: ForwardPass) -> Mapping[str, Tensor]:
            values = dict(task.objective.metrics(seen))
            return values if next(calls) < 2 * 13 else {**values, "loss": torch.tensor(np.nan)}

        return replace(task, objective=replace(task.objective, metrics=metrics))


@final
class ImportedToys(Family):
    """A family whose checkpoints come from elsewhere."""

    name, title, params = "toy.imported", "Imported toys", ToyParams
    model, probes, bases = ToyFamily.model, ToyFamily.probes, ToyFamily.bases

    def training(self, params: Any) -> None:
        return None

    def task(self, variant: Any) -> None:
        return None


def test_a_loss_that_is_no_number_ends_training_and_leaves_what_was_good(tmp_path: Path) -> None:
    variant = open_bound(tmp_path, tables(ToyFamilyThatExplodes())).variant("toy.explodes")
    with pytest.raises(Diverged) as ended:
        trained(variant)
    assert str(ended.value) == (
        "The loss of toy.explodes/v5-seed0-width16 is not finite at step 13.\n"
        "The last checkpoint is at step 10; nothing was written after it.\n"
        "Lower learning_rate or set clip_norm; then train again."
    )
    assert variant.steps == [0, 10]
    assert history(variant)["train_loss"][0] == list(range(13))
    assert len(events(variant.workspace, "failed")) == 1


def test_a_learning_rate_beyond_reason_diverges(toy: Toy) -> None:
    variant = toy(learning_rate=1e30, optimizer="sgd", weight_decay=0)
    with pytest.raises(Diverged):
        trained(variant)
    assert variant.steps == [0]


def test_a_family_without_a_task_cannot_be_trained(tmp_path: Path) -> None:
    variant = open_bound(tmp_path / "w", tables(ImportedToys())).variant("toy.imported")
    with pytest.raises(BadValue) as refused:
        variant.train()
    assert str(refused.value) == (
        "toy.imported/v5-seed0-width16 cannot be trained.\n"
        "Its checkpoints come from elsewhere.\n"
        f"To add some:  miscope import PATH --workspace {variant.workspace.root}"
    )
    assert not (tmp_path / "w").exists()


def test_an_unknown_device_is_refused_before_anything_is_written(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(
        BadValue, match=r"^There is no device 'tpu' here\.\nThere is: .*cpu\.\nName one of these, or auto\.$"
    ):
        toy().train(device="tpu")
    assert not (tmp_path / "one").exists()


def test_negative_steps_are_refused(toy: Toy) -> None:
    with pytest.raises(BadValue) as refused:
        toy().train(steps=-1)
    assert str(refused.value) == ("A training cannot go to step -1.\nStep 0 is the initialisation.\nGive steps >= 0.")


@pytest.mark.slow
def test_compiled_or_not_the_losses_agree(toy: Toy) -> None:
    plain, compiled = toy("plain"), toy("compiled")
    trained(plain, steps=5)
    script = (
        "import sys; from miscope.testing import tables; from miscope.bound import open_bound\n"
        "variant = open_bound(sys.argv[1], tables()).variant('toy.sum')\n"
        "[None for _ in variant.train(steps=5, threads=1, compile=True)]\n"
        "import json; print(json.dumps(variant.metric('train_loss')[1].tolist()))"
    )
    words = [sys.executable, "-c", script, str(compiled.workspace.root)]
    # PyTorch's compiler builds for the processor as it is; what it builds goes wrong where ATen is told another.
    own = {name: value for name, value in os.environ.items() if name != "ATEN_CPU_CAPABILITY"}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=own)
    assert json.loads(done.stdout) == pytest.approx(history(plain)["train_loss"][1], rel=1e-5)
