"""One look at the loss: at the answer, or at every position a task asks about."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from miscope.cross_entropy import next_token
from miscope.examples import Examples
from miscope.family import make_variant
from miscope.intervention import Intervention
from miscope.model_context import ModelContext
from miscope.task import Task
from miscope.testing.toy import ToyFamily
from miscope.training.trainer import Trainer, TrainingSetup

SITE = "blocks.0.mlp.hook_post"


def context() -> ModelContext:
    return ModelContext(ToyFamily(), make_variant(ToyFamily(), {}))


def trainer(task: Task, *interventions: Intervention) -> Trainer:
    toy = context()
    config = toy.variant.training
    assert config is not None
    setup = TrainingSetup(task=task, model=lambda: toy.model, config=config, seed=0, interventions=interventions)
    return Trainer(setup, task.initial_weights(), device=torch.device("cpu"), compiled=False)


def everywhere(task: Task) -> Task:
    """The same task, asked at every position; the toy has one."""

    def asked(part: Examples) -> Examples:
        assert part.labels is not None
        return Examples(inputs=part.inputs, labels=part.labels[:, None])

    return replace(task, train=asked(task.train), test=asked(task.test), objective=next_token())


def halved(step: int) -> list[tuple[str, object]]:
    return [(SITE, lambda activation: activation / 2)]


@pytest.mark.parametrize("hooks", [(), (Intervention(name="half", start=0, stop=9, hooks=halved),)])  # pyright: ignore
def test_a_task_that_asks_everywhere_sees_the_logits_of_every_position(hooks: tuple[Intervention, ...]) -> None:
    task = context().task
    assert task is not None
    one, all_of_them = trainer(task, *hooks), trainer(everywhere(task), *hooks)
    torch.testing.assert_close(all_of_them.loss(0), one.loss(0))
    torch.testing.assert_close(all_of_them.metrics(0)["test_loss"], one.metrics(0)["test_loss"])


def test_an_open_intervention_changes_the_loss_and_not_the_metrics() -> None:
    task = context().task
    assert task is not None
    plain, hooked = trainer(task), trainer(task, Intervention(name="half", start=0, stop=1, hooks=halved))  # pyright: ignore
    assert plain.loss(0) != hooked.loss(0)
    assert plain.metrics(0)["train_loss"] == hooked.metrics(0)["train_loss"]
    assert plain.loss(1) == hooked.loss(1)
