"""What is written in the cells of the table on the page."""

from __future__ import annotations

from miscope.tabulating.showing import ShownTable
from miscope.tabulating.variant_table import Column, Row, Summary
from miscope_panel.shown.table_cells import FIELD, frame_of
from miscope_panel.shown.unfolding import LaidTable


def test_numbers_have_commas_but_what_one_types_to_train_the_same_again_has_none():
    columns = (
        Column(name="seed", part="parameter", numeric=True),
        Column(name="step", part="work", numeric=True),
        Column(name="loss", part="measure", numeric=True),
    )
    mean = Summary(mean=14566.0, low=999.0, high=2e4, count=2, members=2)
    cells = [{"seed": 12345, "step": 1600, "loss": 1234.5}, {"seed": 1, "step": mean, "loss": 1.2345e-7}]
    rows = tuple(Row(variants=(f"a/{place}",), cells=each) for place, each in enumerate(cells))
    frame = frame_of(LaidTable(shown=ShownTable(columns=columns, rows=rows)), "")
    assert [*frame[f"{FIELD}seed"]] == ["12345", "1"]
    assert [*frame[f"{FIELD}step"]] == ["1,600", "14,566 (999 to 20,000)"]
    assert [*frame[f"{FIELD}loss"]] == ["1,234", "1.23e-07"]
