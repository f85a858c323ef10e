"""Whether a family's probes are what they say: labels that are right answers, a mask, symmetries that keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from miscope.model_context import ModelContext

if TYPE_CHECKING:
    from miscope.examples import Examples
    from miscope.probe import Probe
from miscope.task import Task

__all__ = ["check_probes", "check_sampled"]

_DRAWN = 64
"""Inputs that are drawn to be looked at."""


def check_probes(context: ModelContext) -> None:
    """Assert of every probe that its parts fit each other and the task that the family trains on."""
    family = context.family.name
    assert context.probes, f"{family}: it has no probe; `probes` must give one input set at least"
    for name, probe in context.probes.items():
        assert probe.name == name, f"{family}: the probe {probe.name!r} is given under the name {name!r}"
        _check_arrays(family, probe)
        _check_grid(family, probe)
        _check_symmetries(family, probe)
        if context.task is not None:
            _check_against_task(family, probe, context.task)


def check_sampled(context: ModelContext) -> None:
    """Assert of inputs that the family draws anew, where it does, that they are like its first probe's and decided by
    seed and step."""
    family, variant, probe = context.family, context.variant, context.probe()
    drawn = family.sampled(variant, 0, 0, _DRAWN)
    if drawn is None:
        return
    expected = (_DRAWN, *probe.inputs.shape[1:])
    assert tuple(drawn.shape) == expected, f"{family.name}: it samples inputs of {tuple(drawn.shape)}, not {expected}"
    kinds = (drawn.dtype, probe.inputs.dtype)
    assert kinds[0] == kinds[1], f"{family.name}: it samples inputs of {kinds[0]}, and its probe's are {kinds[1]}"
    again = family.sampled(variant, 0, 0, _DRAWN)
    assert again is not None, f"{family.name}: it samples inputs at one call and none at the next"
    assert torch.equal(drawn, again), f"{family.name}: the inputs that it samples vary from call to call"
    for seed, step in ((0, 1), (1, 0)):
        other = family.sampled(variant, seed, step, _DRAWN)
        where = "step" if step else "seed"
        assert other is not None, f"{family.name}: it samples no inputs at another {where}"
        assert not torch.equal(drawn, other), f"{family.name}: it samples the same inputs at another {where}"


def _check_arrays(family: str, probe: Probe) -> None:
    n = len(probe.inputs)
    assert n, f"{family}: the probe {probe.name!r} has no inputs"
    if probe.labels is not None:
        assert probe.labels.shape == (n,), f"{family}: labels of the probe {probe.name!r} must be ({n},)"
        assert probe.labels.dtype == torch.int64, (
            f"{family}: labels of the probe {probe.name!r} are {probe.labels.dtype}; they must be torch.int64"
        )
    for name, column in probe.columns.items():
        assert column.shape == (n,), f"{family}: the column {name!r} must be ({n},), and is {column.shape}"
        assert column.dtype.kind == "i", f"{family}: the column {name!r} must hold whole numbers"
    if probe.train is not None:
        assert probe.train.shape == (n,), f"{family}: the train mask must be ({n},)"
        assert probe.train.dtype == bool, f"{family}: the train mask must be bool"
    if probe.counted is not None:
        shaped = probe.counted.ndim == 2 and len(probe.counted) == n
        assert shaped, f"{family}: which positions count must be ({n}, position)"
        assert probe.counted.dtype == bool, f"{family}: which positions count must be bool"


def _check_grid(family: str, probe: Probe) -> None:
    for name in probe.grid:
        assert name in probe.columns, (
            f"{family}: the grid of the probe {probe.name!r} names {name!r}, and its columns are "
            f"{', '.join(probe.columns) or 'none'}"
        )
    if probe.grid:
        indices = np.indices(probe.shape).reshape(len(probe.grid), -1)
        given = np.stack([probe.columns[name] for name in probe.grid])
        assert np.array_equal(given, indices), f"{family}: the grid {probe.grid} is not complete in row-major order"


def _check_symmetries(family: str, probe: Probe) -> None:
    n = len(probe.inputs)
    for name, rows in probe.symmetries.items():
        assert np.array_equal(np.sort(rows), np.arange(n)), f"{family}: the symmetry {name!r} is not a permutation"
        if probe.labels is not None:
            answers = probe.labels.numpy()
            pairs = np.unique(np.stack([answers, answers[rows]]), axis=1)
            assert pairs.shape[1] == len(np.unique(answers)), (
                f"{family}: the symmetry {name!r} sends inputs of one right answer to inputs of several; a symmetry of "
                "the task keeps the answers, or renames them"
            )


def _check_against_task(family: str, probe: Probe, task: Task) -> None:
    """The same inputs have the same answers in the probe and in the task, and are trained on where the mask says so."""
    if task.objective.positions == "all" or task.train.labels is None or task.test.labels is None:
        return
    train, test = _answers(task.train), _answers(task.test)
    for row, given in enumerate(probe.inputs):
        key = given.numpy().tobytes()
        answer = train.get(key, test.get(key))
        if answer is not None and probe.labels is not None:
            given = int(probe.labels[row])
            assert given == answer, (
                f"{family}: the probe {probe.name!r} says the answer to its input {row} is {given}, the task {answer}"
            )
        if probe.train is not None and (key in train) != (key in test):
            assert bool(probe.train[row]) == (key in train), (
                f"{family}: the mask of the probe {probe.name!r} says that its input {row} is "
                f"{'' if probe.train[row] else 'not '}trained on, and the task says the opposite; is it inverted?"
            )


def _answers(examples: Examples) -> dict[bytes, int]:
    assert examples.labels is not None
    return {row.numpy().tobytes(): int(label) for row, label in zip(examples.inputs, examples.labels, strict=True)}
