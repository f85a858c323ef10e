"""One look at the loss: at the answer, or at every position a task asks about."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from miscope.family import make_variant
from miscope.intervention import Intervention
from miscope.learner import Exercise, Learner
from miscope.subject import Subject
from miscope.task import Examples, Task
from miscope.testing.toy import ToyFamily

SITE = "blocks.0.mlp.hook_post"


def subject() -> Subject:
    return Subject(ToyFamily(), make_variant(ToyFamily(), {}))


def learner(task: Task, *interventions: Intervention) -> Learner:
    toy = subject()
    config = toy.variant.training
    assert config is not None
    exercise = Exercise(task=task, model=lambda: toy.model, config=config, seed=0, interventions=interventions)
    return Learner(exercise, task.initial_weights(), device=torch.device("cpu"), compiled=False)


def everywhere(task: Task) -> Task:
    """The same task, asked at every position; the toy has one."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        assert logits.ndim == 3
        return cross_entropy(logits.flatten(0, 1), labels.flatten())

    def asked(part: Examples) -> Examples:
        return Examples(inputs=part.inputs, labels=part.labels[:, None])

    return replace(
        task,
        positions="all",
        train=asked(task.train),
        test=asked(task.test),
        loss=loss,
        evaluate=lambda logits, labels: {"loss": loss(logits, labels)},
    )


def halved(step: int) -> list[tuple[str, object]]:
    return [(SITE, lambda activation: activation / 2)]


@pytest.mark.parametrize("hooks", [(), (Intervention(name="half", start=0, stop=9, hooks=halved),)])  # pyright: ignore
def test_a_task_that_asks_everywhere_sees_the_logits_of_every_position(hooks: tuple[Intervention, ...]) -> None:
    task = subject().task
    assert task is not None
    one, all_of_them = learner(task, *hooks), learner(everywhere(task), *hooks)
    torch.testing.assert_close(all_of_them.loss(0), one.loss(0))
    torch.testing.assert_close(all_of_them.metrics()["test_loss"], one.metrics()["test_loss"])


def test_an_open_intervention_changes_the_loss_and_not_the_metrics() -> None:
    task = subject().task
    assert task is not None
    plain, hooked = learner(task), learner(task, Intervention(name="half", start=0, stop=1, hooks=halved))  # pyright: ignore
    assert plain.loss(0) != hooked.loss(0)
    assert plain.metrics()["train_loss"] == hooked.metrics()["train_loss"]
    assert plain.loss(1) == hooked.loss(1)
