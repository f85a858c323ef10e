"""Where a curve that rises once does so: rises that the records do not resolve."""

from __future__ import annotations

import numpy as np
import pytest

from miscope.maths.jump import jump
from miscope.snapshot import Series


@pytest.mark.parametrize("records", [6, 40, 400])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_rise_between_two_records_lies_within_a_gap_of_them_or_nowhere(records: int, share: float) -> None:
    steps = np.arange(records) * 25
    last = int(share * (records - 1))
    centre, _ = jump(Series(steps=steps, values=(steps > steps[last]).astype(float)))
    assert np.isnan(centre) or steps[last] - 25 <= centre <= steps[last + 1] + 25


def test_a_rise_before_the_first_record_lies_nowhere() -> None:
    centre, _ = jump(Series(steps=np.arange(40), values=np.r_[0.0, np.ones(39)] + 0.01 * np.arange(40)))
    assert np.isnan(centre) or 0 <= centre <= 1
