"""Which of the task's bases is about its answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from miscope.basis import Basis
from miscope.probe import Probe

__all__ = ["answer_basis"]


def answer_basis(probe: Probe, bases: Mapping[str, Basis]) -> Basis | None:
    """The basis of the probe's column that is the right answer ('sum'); None where there is none."""
    if probe.labels is None:
        return None
    answers = probe.labels.numpy()
    for name, values in probe.columns.items():
        if name in bases and np.array_equal(values, answers):
            return bases[name]
    return None
