"""What several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

CALIBRATION = Path(__file__).resolve().parents[3].parent / "shared" / "calibration"


@pytest.fixture
def calibration() -> Path:
    """The folder of published checkpoints and the numbers computed from them independently."""
    if not (CALIBRATION / "induction_head_infinite.pth").exists():
        pytest.skip(f"{CALIBRATION} is not here")
    return CALIBRATION
