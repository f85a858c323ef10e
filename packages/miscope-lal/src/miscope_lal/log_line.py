"""The line that Least Action Learning's own trainings print at every logged epoch."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

__all__ = ["ENTROPY", "LOGGED", "LOGGED_OF_ROUTING", "output_norm", "seed_line"]

LOGGED = ("representation.norm", "smoothness.spectrum", "sensitivity.jacobian", "sensitivity.input_hessian")
"""Instruments whose numbers the line shows."""
LOGGED_OF_ROUTING = (*LOGGED, "routing.statistics")
"""And of a network that routes."""
ENTROPY = "routing.statistics/entropy"
_SMOOTH = "smoothness.spectrum/value"
_JACOBIAN, _HESSIAN = "sensitivity.jacobian/input/squared_norm", "sensitivity.input_hessian/input/trace"
_HIDDEN = re.compile(r"representation\.norm/blocks\.(\d+)\.(?:hook_resid_post|mlp\.hook_post)/test/mean")
_NORMALISED = "representation.norm/ln_final.hook_normalized/test/mean"


def output_norm(names: Iterable[str]) -> str:
    """Of recorded numbers, the mean length of the vectors that the output layer is given; "" where there is none.

    Behind the last norm where there is one, else what the last block gives.
    """
    found = set(names)
    if _NORMALISED in found:
        return _NORMALISED
    blocks = {int(match[1]): name for name in found if (match := _HIDDEN.fullmatch(name))}
    return blocks[max(blocks)] if blocks else ""


def seed_line(epoch: int, metrics: Mapping[str, float]) -> str:
    """'Epoch   12300 | Train: 100.0% | Test:  47.1% | Loss: 1.23e-04, rnorm=45.2, smooth=0.234, jac=1.50e+03, ...'.

    The loss is that of the task on the training set; |hess| is the absolute trace. Of a network that routes the entropy
    of its routing follows. A number that was not computed is nan.
    """

    def of(name: str) -> float:
        return metrics.get(name, math.nan)

    line = (
        f"Epoch {epoch:7d} | Train: {100 * of('train_accuracy'):5.1f}% | Test: {100 * of('test_accuracy'):5.1f}% | "
        f"Loss: {of('train_loss'):.2e}, rnorm={of(output_norm(metrics)):.1f}, smooth={of(_SMOOTH):.3f}, "
        f"jac={of(_JACOBIAN):.2e}, |hess|={abs(of(_HESSIAN)):.2e}"
    )
    return f"{line}, entropy={metrics[ENTROPY]:.3f}" if ENTROPY in metrics else line
