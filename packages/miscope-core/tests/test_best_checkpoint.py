"""The best checkpoint of a training: which one it is, how it is asked for, and the record of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from miscope.bound import BoundVariant, BoundWorkspace
from miscope.cli.targets import step_meant
from miscope.errors import BadValue
from miscope.snapshot import Series
from miscope.store.best_checkpoint import BestCheckpoint, best_checkpoint
from miscope.training.retention import pruning

Make = Callable[..., BoundWorkspace]


def series(values: dict[int, float]) -> Series:
    return Series(steps=np.array(list(values)), values=np.array(list(values.values()), dtype=np.float64))


def test_the_best_is_the_earliest_with_the_largest_test_accuracy() -> None:
    accuracy = series({0: 0.1, 10: 0.9, 20: 0.9, 30: 0.5})
    loss = series({0: 2.0, 10: 1.0, 20: 0.5, 30: 0.1})
    found = best_checkpoint([0, 10, 20, 30], {"test_accuracy": accuracy, "test_loss": loss})
    assert found == BestCheckpoint(step=10, metric="test_accuracy", value=0.9)


def test_without_accuracy_it_is_that_of_the_least_loss_and_rather_of_the_test_examples() -> None:
    test, train = series({0: 2.0, 10: 1.0, 20: 1.5}), series({0: 2.0, 10: 1.0, 20: 0.5})
    by_test = best_checkpoint([0, 10, 20], {"test_loss": test, "train_loss": train})
    assert by_test == BestCheckpoint(step=10, metric="test_loss", value=1.0)
    assert best_checkpoint([0, 10, 20], {"train_loss": train}) == BestCheckpoint(
        step=20, metric="train_loss", value=0.5
    )


def test_a_checkpoint_at_whose_step_nothing_was_recorded_is_not_considered() -> None:
    accuracy = series({0: 0.1, 5: 0.99, 20: float("nan"), 30: 0.3})
    assert best_checkpoint([0, 10, 20, 30], {"test_accuracy": accuracy}) == BestCheckpoint(
        step=30, metric="test_accuracy", value=0.3
    )
    assert best_checkpoint([10, 20], {"test_accuracy": accuracy}) is None
    assert best_checkpoint([10], {}) is None


def test_it_is_asked_for_by_that_word_and_written_down_when_a_training_ends(workspace: Make) -> None:
    place = workspace()
    variant = place.variant("toy.sum", checkpoints="every:5", evaluate_every=5)
    list(variant.train(steps=10, threads=1))
    steps, accuracies = variant.metric("test_accuracy")
    kept = {int(step): float(value) for step, value in zip(steps, accuracies, strict=True) if step in (0, 5, 10)}
    best = max(kept, key=lambda step: kept[step])  # the first of equals
    assert variant.at("best").step == best
    (line,) = (line for line in place.value.ledger.lines() if line["event"] == "best")
    assert (line["step"], line["metric"], line["value"]) == (best, "test_accuracy", kept[best])
    list(variant.train(steps=20, threads=1))
    assert len([line for line in place.value.ledger.lines() if line["event"] == "best"]) == 2


def test_where_nothing_was_recorded_at_a_checkpoint_nobody_knows_the_best(workspace: Make) -> None:
    variant = workspace().variant("toy.sum", checkpoints=(0, 3), evaluate_every=5)
    list(variant.train(steps=3, threads=1))
    for file in variant.workspace.value.store.layout.metrics(variant.name).iterdir():
        file.unlink()
    with pytest.raises(BadValue) as raised:
        variant.at("best")
    assert str(raised.value) == (
        f"Nobody knows which checkpoint of {variant.name} is its best.\n"
        "At none of its 2 checkpoints was any of test_accuracy, test_loss, train_loss recorded.\n"
        "Give a step as a number, or 'first' or 'last'."
    )


@pytest.fixture
def trained(workspace: Make) -> BoundVariant:
    """Checkpoints at 0, 3, 6 and 9, the third of them the best."""
    variant = workspace().variant("toy.sum", checkpoints=(0, 3, 6, 9))
    list(variant.train(steps=9, threads=1))
    store = variant.workspace.store
    for file in store.layout.metrics(variant.name).iterdir():
        file.unlink()
    values = {0: 0.1, 3: 0.4, 6: 0.9, 9: 0.2}
    store.append_metrics(variant.name, [(step, "test_accuracy", value) for step, value in values.items()])
    return variant


def test_the_best_checkpoint_stays_when_others_are_pruned(trained: BoundVariant) -> None:
    assert pruning(trained.workspace.value, trained.value, last=1, spread=0).kept == (0, 6, 9)


def test_on_the_command_line_the_best_is_of_one_variant(trained: BoundVariant) -> None:
    place, one = trained.workspace.value, trained.value
    assert step_meant(place, [one], "best") == 6
    assert step_meant(place, [one, one], "4") == 4
    with pytest.raises(BadValue) as raised:
        step_meant(place, [one, one], "best")
    assert str(raised.value) == (
        "--step best is of one variant, and 2 were named.\n"
        "Each has another one.\n"
        "Give a step as a number, or name one variant."
    )
