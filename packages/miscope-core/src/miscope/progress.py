"""How far a training is: what `train` yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

__all__ = ["Progress"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step of a training, reported at every checkpoint and several times a second in between."""

    step: int
    """Optimizer updates so far."""
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Of the weights at the last evaluated step: 'train_loss', 'test_accuracy', ...; 'analyzer/output' if watched."""
    checkpoint: Path | None = None
    """The file, where this step left one."""
    eta: float | None = None
    """Seconds to the end at the pace of this attempt; None until that is measured."""
    run: str = ""
    """The run of the ledger that it is part of; "" where nothing was to be done, so that none began."""
    log: str = ""
    """The line of its log for this step; "" where it has none."""
    message: str = ""
    """Anything worth a line: that there was nothing to do, that a stop was asked for."""
