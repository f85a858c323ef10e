"""What several tests look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def calibration(calibration_file: Callable[[str], Path]) -> Path:
    """The folder of published checkpoints and the numbers computed from them independently."""
    calibration_file("paper_calibration.json")
    return calibration_file("induction_head_infinite.pth").parent
