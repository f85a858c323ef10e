"""Some of many, evenly spaced, with the first and the last among them."""

import numpy as np
import pytest

from miscope.maths.evenly_spaced import evenly_placed, evenly_spaced


@pytest.mark.parametrize(
    ("count", "most", "down", "nearest"),
    [
        (5, 9, [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        (10, 4, [0, 3, 6, 9], [0, 3, 6, 9]),
        (12, 5, [0, 2, 5, 8, 11], [0, 3, 6, 8, 11]),
        (1, 3, [0], [0]),
    ],
)
def test_rows_between_are_rounded_down_or_to_the_nearest(count: int, most: int, down: list[int], nearest: list[int]):
    assert evenly_spaced(count, most).tolist() == down
    assert evenly_spaced(count, most, nearest=True).tolist() == nearest


def test_places_are_even_where_they_lie_and_not_by_their_number():
    steps = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256])
    assert evenly_placed(np.log(steps), 3).tolist() == [0, 4, 8]
    assert evenly_placed(steps, 3).tolist() == [0, 7, 8]
    assert evenly_placed(steps, 256).tolist() == list(range(9))
