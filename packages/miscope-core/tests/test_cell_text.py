"""Numbers of the table of variants as text."""

import pytest

from miscope.tabulating.cell_text import written


@pytest.mark.parametrize(
    ("value", "text"),
    [(999.4, "999"), (999.6, "1000"), (1000.0, "1000"), (1250.4, "1250"), (0.012345, "0.0123"), (-999.7, "-1000")],
)
def test_no_step_or_mean_of_steps_is_written_as_a_power_of_ten(value: float, text: str):
    assert written(value) == text
