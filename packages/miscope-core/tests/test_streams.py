"""Trainings on examples that each update draws anew, and inputs that a family draws for those built on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, final

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from miscope import Examples, ExampleStream, Source, SourceCheckpoint, Task, Variant
from miscope.bound import BoundVariant, open_bound
from miscope.checkpoint import Checkpoint
from miscope.family import make_variant
from miscope.intervention import Intervention
from miscope.model_context import ModelContext
from miscope.sampling import seed_of_draw
from miscope.source_checkpoint import OpenedSource
from miscope.testing import check_family, tables
from miscope.testing.toy import ToyFamily, ToyVariation
from miscope.training.estimate import work_of
from miscope.training.trainer import Trainer, TrainingSetup

SITE = "blocks.0.mlp.hook_post"
VALUES = 5


def drawn(step: int, count: int) -> Examples:
    """Pairs, and their sums."""
    generator = torch.Generator().manual_seed(seed_of_draw(0, step))
    inputs = torch.randint(VALUES, (count, 2), generator=generator)
    return Examples(inputs=inputs, labels=inputs.sum(1) % VALUES)


@final
class Streaming(ToyVariation):
    """The toy, each of whose updates draws its examples."""

    name = "toy.streaming"
    title = "Toy: examples that are drawn anew"

    def task(self, variant: Variant) -> Task:
        return replace(super().task(variant), stream=ExampleStream(of_update=drawn))

    def bases(self, params: Any) -> dict[str, Any]:
        return {}


def task_of(family: ToyVariation | ToyFamily) -> Task:
    return family.task(make_variant(family, {}))


def trainer(task: Task, *interventions: Intervention, batch_size: int | None = None) -> Trainer:
    toy = ModelContext(ToyFamily(), make_variant(ToyFamily(), {}))
    assert toy.variant.training is not None
    config = toy.variant.training.model_copy(update={"batch_size": batch_size})
    setup = TrainingSetup(task=task, model=lambda: toy.model, config=config, seed=0, interventions=interventions)
    return Trainer(setup, task.initial_weights(), device=torch.device("cpu"), compiled=False)


@pytest.mark.parametrize(("batch_size", "expected"), [(None, 15), (4, 4), (100, 100)])
def test_an_update_draws_as_many_examples_as_its_batch_has_or_as_are_trained_on(
    batch_size: int | None, expected: int
) -> None:
    asked: list[tuple[int, int]] = []

    def of_update(step: int, count: int) -> Examples:
        asked.append((step, count))
        return drawn(step, count)

    streaming = replace(task_of(ToyFamily()), stream=ExampleStream(of_update=of_update))
    trainer(streaming, batch_size=batch_size).loss(7)
    assert asked == [(7, expected)]


def test_what_is_recorded_as_trained_on_is_of_the_examples_of_the_update_and_the_rest_of_those_held_out() -> None:
    plain = task_of(ToyFamily())
    streaming = trainer(task_of(Streaming()), batch_size=6)
    loss = streaming.loss(3)
    measured = streaming.metrics(3)
    assert measured["train_loss"] == loss.detach()
    expected = trainer(replace(plain, train=drawn(3, 6)))
    torch.testing.assert_close(loss, expected.loss(3))
    fixed = trainer(plain)
    fixed.loss(3)
    assert measured["test_loss"] == fixed.metrics(3)["test_loss"]
    streaming.update(3, loss)
    assert streaming.metrics(4)["train_loss"] != measured["train_loss"]


def test_an_open_intervention_changes_the_loss_and_not_what_is_recorded_of_drawn_examples() -> None:
    halved = Intervention(name="half", start=0, stop=1, hooks=lambda step: [(SITE, lambda given: given / 2)])
    plain, hooked = trainer(task_of(Streaming())), trainer(task_of(Streaming()), halved)
    assert plain.loss(0) != hooked.loss(0)
    assert hooked.metrics(0)["train_loss"] == pytest.approx(float(plain.metrics(0)["train_loss"]))


def started(root: Path) -> BoundVariant:
    return open_bound(root, tables(Streaming())).variant("toy.streaming", batch_size=4, steps=20)


def test_a_training_that_was_stopped_sees_the_examples_that_it_would_have_seen(tmp_path: Path) -> None:
    straight, stopped = started(tmp_path / "straight"), started(tmp_path / "stopped")
    list(straight.train(threads=1))
    for steps in (3, 11, 20):
        list(started(tmp_path / "stopped").train(threads=1, steps=steps))
    one, other = straight.at("last").checkpoint.weights, stopped.at("last").checkpoint.weights
    assert all(torch.equal(one[role], other[role]) for role in one)
    found, expected = (dict(zip(*each.metric("train_loss"), strict=True)) for each in (stopped, straight))
    assert {step: found[step] for step in expected} == expected


def test_what_drawing_takes_is_part_of_the_work_of_a_step_and_measuring_what_was_drawn_is_none() -> None:
    plain = task_of(ToyFamily())
    weights, config = plain.initial_weights(), make_variant(ToyFamily(), {}).training
    assert config is not None
    config = config.model_copy(update={"batch_size": 6, "evaluate_every": 2})
    count = sum(weight.numel() for weight in weights.values())
    streaming = replace(plain, stream=ExampleStream(of_update=drawn, work=90.0))
    # 15 examples that are trained on, 10 held out.
    assert work_of(plain, config, weights) == pytest.approx(count * (6 + 25 / 3 / 2))
    assert work_of(streaming, config, weights) == pytest.approx(count * (6 + 10 / 3 / 2) + 90 * 6 / 3)


@given(seed=st.integers(0, 2**63 - 1), step=st.integers(0, 2**31), later=st.integers(1, 2**31))
def test_seeds_of_draws_are_others_at_other_steps_where_a_generator_tells(seed: int, step: int, later: int) -> None:
    """It takes 32 bits."""
    one, other = seed_of_draw(seed, step), seed_of_draw(seed, step + later)
    assert one == seed_of_draw(seed, step)
    assert 0 <= one < 2**63
    assert one % 2**32 != other % 2**32
    assert one != seed_of_draw(seed, step, "order")


def test_activations_of_drawn_inputs_are_not_kept() -> None:
    family = ToyFamily()
    variant = make_variant(family, {})
    context = ModelContext(family, variant)
    weights = task_of(family).initial_weights()
    asked: list[int] = []

    def opened() -> OpenedSource:
        return OpenedSource(
            model=context.model,
            probe=context.probe,
            bases=dict,
            width=context.width,
            params=variant.params,
            checkpoint=Checkpoint(step=0, weights=weights),
            kept=lambda given: asked.append(len(given.inputs)) or given.computed(),
        )

    source = SourceCheckpoint(Source(variant="toy.sum/one", step=0, site=SITE), opened)
    kept, not_kept = source.activations(), source.activations(context.probe().inputs, kept=False)
    assert torch.equal(kept, not_kept)
    assert asked == [25]
    assert source.sampled(0, 0, 3) is None


@final
class Sampling(ToyVariation):
    """The toy, which draws inputs as it was told."""

    name = "toy.sampling"
    title = "Toy: inputs that are drawn"

    def __init__(self, wrong: str = "") -> None:
        self._wrong, self._calls = wrong, 0

    def bases(self, params: Any) -> dict[str, Any]:
        return {}

    def sampled(self, variant: Variant, seed: int, step: int, count: int) -> Tensor:
        self._calls += self._wrong == "call"
        seed, step = (0 if self._wrong == "seed" else seed), (0 if self._wrong == "step" else step)
        generator = torch.Generator().manual_seed(seed_of_draw(seed, step) + self._calls)
        inputs = torch.randint(VALUES, (count, 3 if self._wrong == "shape" else 2), generator=generator)
        return inputs.int() if self._wrong == "type" else inputs


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("shape", "toy.sampling: it samples inputs of (64, 3), not (64, 2)"),
        ("type", "toy.sampling: it samples inputs of torch.int32, and its probe's are torch.int64"),
        ("call", "toy.sampling: the inputs that it samples vary from call to call"),
        ("step", "toy.sampling: it samples the same inputs at another step"),
        ("seed", "toy.sampling: it samples the same inputs at another seed"),
    ],
)
def test_a_family_check_says_what_is_wrong_with_inputs_that_are_drawn(wrong: str, sentence: str) -> None:
    with pytest.raises(AssertionError) as failed:
        check_family(Sampling(wrong))
    assert str(failed.value).partition("\n")[0] == sentence


def test_a_family_that_draws_inputs_or_examples_keeps_the_contract() -> None:
    check_family(Sampling())
    check_family(Streaming())


@pytest.mark.parametrize(
    ("of_update", "sentence"),
    [
        (
            lambda step, count: drawn(step, count + 1),
            "toy.streaming: its stream gives (9, 2), not (8, 2)",
        ),
        (
            lambda step, count: drawn(0, count),
            "toy.streaming: its stream gives the same examples at another step",
        ),
    ],
)
def test_a_family_check_says_what_is_wrong_with_a_stream(
    of_update: Any, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(task_of(ToyFamily()), stream=ExampleStream(of_update=of_update))
    monkeypatch.setattr(Streaming, "task", lambda self, variant: wrong)
    with pytest.raises(AssertionError) as failed:
        check_family(Streaming())
    assert str(failed.value).partition("\n")[0] == sentence
