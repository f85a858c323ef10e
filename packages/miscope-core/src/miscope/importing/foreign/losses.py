"""The losses and accuracies a foreign file records, and the steps each value is of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from miscope.importing.foreign.history import flat
from miscope.importing.foreign.numbers import whole

__all__ = ["FOR_ANY", "KEYS", "Points", "Recorded", "placed", "recorded"]

Points = list[tuple[int, float]]

KEYS = {
    "train_loss": ("train_losses", "train_loss", "training_losses", "training_loss", "losses", "loss"),
    "test_loss": ("test_losses", "test_loss", "val_losses", "val_loss", "validation_losses", "validation_loss"),
    "train_accuracy": ("train_accuracies", "train_accs", "train_accuracy", "train_acc"),
    "test_accuracy": ("test_accuracies", "test_accs", "test_accuracy", "test_acc", "val_accuracies", "val_acc"),
}
"""What files call a metric: lists before single values."""

_BESIDE = ("{key}_epochs", "{key}_steps", "{part}_epochs", "{part}_steps")
FOR_ALL = ("loss_epochs", "loss_steps", "losses_epochs", "losses_steps", "log_epochs", "log_steps", "metric_steps")
FOR_ANY = ("epochs", "steps")


@final
@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One metric as the file has it."""

    key: str
    """The file's own word."""
    values: tuple[float, ...]
    at: tuple[int, ...] | None = None
    """Steps, where the file gives them."""
    single: bool = False
    """One number rather than a list."""
    of: tuple[int, ...] | None = None
    """Of which states each is, by their places in the list; None where no entry of a list says it of itself."""


def recorded(path: Path, header: Mapping[Any, Any], listed: str | None = None) -> dict[str, list[Recorded]]:
    """What the file records, by metric, lists before single values. listed: the list that the states' steps are from.

    Raises BadFile where a list of steps holds anything but steps.
    """
    words = {word for keys in KEYS.values() for word in keys}
    beside = {name: values for name, values in flat(header, words).items() if name != listed}
    by_metric: dict[str, list[Recorded]] = {}
    for metric, keys in KEYS.items():
        ones = [one for key in keys if (one := _recorded(path, beside, key)) is not None]
        if ones:
            by_metric[metric] = sorted(ones, key=lambda one: (not one.values, one.single))
    return by_metric


def placed(metrics: Mapping[str, Sequence[Recorded]], steps: Sequence[int]) -> tuple[dict[str, Points], list[str]]:
    """Each metric as (step, value), and a sentence for each that nothing places.

    In this order: steps of its own; one value, at the only state; as many values as states, one for each; at least one
    for each update up to the last state, the i-th of the weights before update i; fewer than a full list of training
    losses, at every n-th of its steps.
    """
    full = [len(one.values) for one in metrics.get("train_loss", ()) if one.at is None and not one.single]
    dense = max((count for count in full if count >= max(steps)), default=0)
    points: dict[str, Points] = {}
    notes = []
    for metric, ones in metrics.items():
        options = ((one, where) for one in ones if (where := _where(one, steps, dense)) is not None)
        one, where = next(options, (ones[0], None))
        if not one.values:
            notes.append(f"{one.key!r} is left out: it is no list of numbers.")
        elif where is None:
            states = f"{len(steps)} state{'s' * (len(steps) != 1)}"
            notes.append(
                f"{one.key!r} is left out: {len(one.values)} values for {max(steps)} updates and {states}, "
                f"and no list '{one.key}_steps' says where they belong."
            )
        else:
            values, remarks = _as_share(metric, one)
            notes += remarks
            points[metric] = list(zip(where, values, strict=True))
    return points, notes


def _as_share(metric: str, one: Recorded) -> tuple[Sequence[float], list[str]]:
    """An accuracy as a share of the answers: where one exceeds 1, they are per cent."""
    most = max((value for value in one.values if value == value), default=0.0)
    if not metric.endswith("accuracy") or not 1 < most <= 100:
        return one.values, []
    return [value / 100 for value in one.values], [f"{one.key!r} goes up to {most:g}: read as per cent."]


def _where(one: Recorded, steps: Sequence[int], dense: int) -> Sequence[int] | None:
    count = len(one.values)
    if not count:
        return None
    if one.at is not None:
        return one.at
    if one.of is not None:
        return [steps[place] for place in one.of]
    if one.single:
        return steps if len(steps) == 1 else None
    if count == len(steps) and (len(steps) > 1 or count < max(steps)):
        return steps
    sparse = range(0, dense, _stride(dense, count)) if dense > count else ()
    if len(sparse) == count:
        return sparse
    return range(count) if count >= max(steps) else None


def _recorded(path: Path, header: Mapping[Any, Any], key: str) -> Recorded | None:
    """What lies under a key, without values where it should be numbers and is not; None for nothing, or a word."""
    held = header.get(key)
    if held is None or isinstance(held, str) or (isinstance(held, list | tuple | Mapping) and not held):
        return None
    if isinstance(held, Mapping) and any(isinstance(step, str) for step in held):
        return Recorded(key=key, values=())
    if isinstance(held, Mapping):
        at = tuple(whole(path, f"a key of {key!r}", step) for step in held)
        return Recorded(key=key, values=_numbers(list(held.values())), at=at)
    if isinstance(held, list | tuple) and all(isinstance(v, list | tuple) and len(v) == 2 for v in held):
        at = tuple(whole(path, f"a step in {key!r}", step) for step, _ in held)
        return Recorded(key=key, values=_numbers([value for _, value in held]), at=at)
    if (isinstance(held, int | float) and not isinstance(held, bool)) or getattr(held, "ndim", None) == 0:
        return Recorded(key=key, values=_numbers([held]), single=True)
    values = _numbers(held)
    return Recorded(key=key, values=values, at=_beside(path, header, key, len(values)) if values else None)


def _beside(path: Path, header: Mapping[Any, Any], key: str, count: int) -> tuple[int, ...] | None:
    """Steps from a list of its own, or from one of the file's where only this explains its length."""
    part = key.partition("_")[0]
    names = [pattern.format(key=key, part=part) for pattern in _BESIDE]
    for name in (*names, *FOR_ALL, *FOR_ANY):
        values: Any = header.get(name)
        if (isinstance(values, list | tuple) or getattr(values, "ndim", 0) == 1) and len(values) == count:
            return tuple(whole(path, f"{name!r}[{i}]", value) for i, value in enumerate(values))
    return None


def _stride(epochs: int, recorded: int) -> int:
    """The n for which every n-th of the epochs makes so many records; of several the roundest, as people choose it."""
    least = math.ceil(epochs / recorded)
    most = epochs if recorded == 1 else math.ceil(epochs / (recorded - 1)) - 1
    for unit in (1000, 500, 100, 50, 10, 5):
        if round_one := next((n for n in range(least, most + 1) if n % unit == 0), None):
            return round_one
    return least


def _numbers(values: object) -> tuple[float, ...]:
    """A list of numbers, of whatever kind; () for anything else."""
    if not hasattr(values, "__iter__"):
        return ()
    try:
        return tuple(float(v.detach() if hasattr(v, "detach") else v) for v in values)  # pyright: ignore
    except (TypeError, ValueError, RuntimeError):
        return ()
