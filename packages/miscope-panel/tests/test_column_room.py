"""Columns of the table on the page have the room that their words need, and share the rest."""

from __future__ import annotations

import pandas as pd

from miscope_panel.shown.column_room import fits, rooms
from miscope_panel.shown.table_cells import CURVE, NAME

FRAME = pd.DataFrame(
    {NAME: ['<span class="name" title="x">p113·seed1</span>'] * 2, CURVE: ["<svg></svg>"] * 2, "c:prime": ["113", "59"]}
)


def test_names_and_curves_take_more_of_a_wide_table_than_numbers():
    found = rooms(FRAME, {})
    assert found[CURVE].grows > found[NAME].grows > found["c:prime"].grows > 0


def test_a_column_has_room_for_its_longest_words_and_for_what_stands_over_it():
    titles = {"c:prime": "prime"}
    longer = rooms(FRAME.assign(**{"c:prime": ["113", "1.234e-05 (1.1e-05 to 1.3e-05)"]}), titles)["c:prime"].least
    assert longer > rooms(FRAME, {"c:prime": "a heading of many words"})["c:prime"].least
    assert longer > rooms(FRAME, titles)["c:prime"].least >= 20 + 5 * 7


def test_a_long_name_leaves_room_for_the_others():
    assert rooms(FRAME.assign(**{NAME: ["w" * 500] * 2}), {})[NAME].least == 320


def test_what_is_shorter_fits_columns_that_are_there_and_what_is_longer_or_another_does_not():
    there = rooms(FRAME, {})
    longer = FRAME.assign(**{"c:prime": ["1.234e-05 (1.1e-05 to 1.3e-05)"] * 2})
    assert fits(rooms(FRAME.iloc[:1], {}), there)
    assert not fits(rooms(longer, {}), there)
    assert fits(there, rooms(longer, {}))
    assert not fits(rooms(FRAME.drop(columns="c:prime"), {}), there)
