"""The curves that events are dated by, and what guessing gives on the same inputs, below which something is learnt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from miscope.errors import DoesNotApply
from miscope.snapshot import Series, Trajectory

__all__ = ["broke", "curves_of", "guessing_of", "span_of"]

_CURVES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
_MEASURED = "behaviour.metrics"
_ALIKE = 0.1
"""Relative difference up to which a recorded loss is the one measured on the probe: of other units it is no guess."""


def curves_of(trajectory: Trajectory, line: float) -> dict[str, Series]:
    """The four curves, those that are there, where they are numbers; both losses always are.

    From the training metrics, or where there are none from `behaviour.metrics` at the checkpoints. line: an accuracy
    that the same answer to every input reaches shows nothing, and its curve is left out. Raises DoesNotApply.
    """
    curves = {name: trajectory.metrics[name] for name in _CURVES if name in trajectory.metrics}
    measured = trajectory.artifacts[_MEASURED]
    if not {"train_loss", "test_loss"} <= set(curves):
        curves = {name: _at_checkpoints(trajectory, name) for name in _CURVES if name in measured}
    told = {name: kept for name, series in curves.items() if len((kept := _finite(series)).steps)}
    if not {"train_loss", "test_loss"} <= set(told):
        reason = "there is no loss on a training and on a test set"
        raise DoesNotApply(reason)
    guessed = {f"{split}_accuracy" for split in ("train", "test") if _guess(trajectory, split)[1] >= line}
    return {name: series for name, series in told.items() if name not in guessed}


def broke(trajectory: Trajectory, name: str) -> bool:
    """Whether a recorded loss was infinite after it had been a number, or ended as none."""
    values = trajectory.metrics[name].values if name in trajectory.metrics else np.zeros(0)
    finite = np.isfinite(values)
    if not finite.any():
        return False
    return not finite[-1] or bool(np.isinf(values[int(finite.argmax()) :]).any())


def guessing_of(trajectory: Trajectory, loss: Series, split: str) -> float:
    """Loss of the best answer that is the same for every input, in the units of this curve; infinite if not known."""
    measured = trajectory.artifacts[_MEASURED]
    if f"{split}_loss" not in measured:
        return np.inf
    common, there, here = np.intersect1d(loss.steps, trajectory.steps, return_indices=True)
    told = np.asarray(measured[f"{split}_loss"], dtype=np.float64)[here]
    alike = len(common) and np.isclose(loss.values[there[0]], told[0], rtol=_ALIKE, atol=0)
    return _guess(trajectory, split)[0] if alike else np.inf


def span_of(curves: Mapping[str, Series]) -> tuple[float, float]:
    """First step of any curve, and the last of the test loss."""
    return float(min(series.steps[0] for series in curves.values())), float(curves["test_loss"].steps[-1])


def _at_checkpoints(trajectory: Trajectory, name: str) -> Series:
    return Series(steps=trajectory.steps, values=np.asarray(trajectory.artifacts[_MEASURED][name], dtype=np.float64))


def _finite(series: Series) -> Series:
    kept = np.isfinite(series.values)
    return Series(steps=series.steps[kept], values=series.values[kept])


def _guess(trajectory: Trajectory, split: str) -> tuple[float, float]:
    """Loss and accuracy of guessing; (infinite, 0) where they are not known."""
    measured = trajectory.artifacts[_MEASURED]
    if f"{split}_guessing" not in measured:
        return np.inf, 0.0
    loss, accuracy = np.asarray(measured[f"{split}_guessing"], dtype=np.float64)[0]
    return float(loss), float(accuracy)
