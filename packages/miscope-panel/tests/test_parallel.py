"""Rows as lines over parallel axes: which columns have one, where rows cross it, and what a browser may say of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.tabulating.asked import TableAsked
from miscope.tabulating.showing import ShownTable, show
from miscope.tabulating.variant_table import Row, VariantTable
from miscope_panel.page.parallel_drawer import ParallelDrawer
from miscope_panel.shown.axis_bounds import read_bounds, write_bounds
from miscope_panel.shown.parallel import parallel_axes
from miscope_panel.shown.variants_table import TableAnswer


def table_of(**columns) -> VariantTable:
    """A row of each variant."""
    count = len(next(iter(columns.values())))
    rows = [
        Row(variants=(f"f/{place}",), cells={"variant": f"f/{place}", **{n: c[place] for n, c in columns.items()}})
        for place in range(count)
    ]
    return VariantTable.of({"variant": "variant", **dict.fromkeys(columns, "parameter")}, rows)


def shown(**columns) -> ShownTable:
    """A table of these columns, shown whole."""
    return show(table_of(**columns), TableAsked(columns=("variant", *columns)))


def found(**columns) -> TableAnswer:
    """The same as the answer to a question for the variants' names alone."""
    table = table_of(**columns)
    return TableAnswer(shown=show(table, TableAsked(columns=("variant",))), table=table)


def test_numbers_over_decades_are_spaced_by_their_logarithms_and_others_evenly():
    loss, seed = parallel_axes(shown(loss=[1.0, 1e-3, 1e-6], seed=[0, 3, 6]))
    assert (loss.name, loss.logarithmic, loss.marks) == ("loss", True, ((0.0, "1e-06"), (0.5, "0.001"), (1.0, "1")))
    assert loss.places == pytest.approx((1, 0.5, 0))
    assert (seed.logarithmic, seed.places, seed.marks) == (False, (0, 0.5, 1), ((0.0, "0"), (0.5, "3"), (1.0, "6")))


def test_words_have_an_axis_where_there_are_few_and_what_is_the_same_in_all_rows_has_none():
    state, two = parallel_axes(
        shown(state=["completed", "failed", "completed"], family=["one"] * 3, name=["x", None, "y"], step=[5, 5, 5])
    )
    assert (state.name, state.places, state.marks) == ("state", (0, 1, 0), ((0.0, "completed"), (1.0, "failed")))
    assert (two.name, two.places) == ("name", (0, None, 1))
    many = [f"tag {place}" for place in range(8)]
    assert parallel_axes(shown(tags=many)) == ()


def test_what_is_no_finite_number_has_no_place():
    (axis,) = parallel_axes(shown(loss=[1.0, float("nan"), float("inf"), None, 2.0]))
    assert axis.places == (0, None, None, None, 1)


@given(st.lists(st.floats(-1e300, 1e300, allow_nan=False), min_size=2, max_size=40, unique=True))
def test_places_and_marks_lie_on_the_axis_and_keep_the_order_of_the_numbers(values):
    for axis in parallel_axes(shown(n=values)):
        places = [place for _, place in sorted(zip(values, axis.places, strict=True))]
        assert places == sorted(places)
        assert (places[0], places[-1]) == (0, 1)
        assert all(-1e-9 <= place <= 1 + 1e-9 for place, _ in axis.marks)
        assert len(axis.marks) <= 10


def test_a_bound_selects_rows_and_what_is_no_row_of_this_answer_selects_none():
    drawer, heard = ParallelDrawer(), []
    drawer.on_bound = heard.append
    drawer.follow(True)
    drawer.show(found(loss=[1.0, 2.0, 3.0]))
    now = drawer.view.revision
    for rows in ([2, 0, 2], [], [3], [-1], ["0"], [True], None, {"0": 1}):
        drawer.view._handle_msg({"rows": rows, "bounds": {}, "revision": now, "number": 1})
    assert heard == [[0, 2], []]
    drawer.show(found(loss=[3.0, 2.0, 1.0]))
    drawer.view._handle_msg({"rows": [0], "bounds": {}, "revision": now, "number": 1})
    drawer.view._handle_msg({"rows": [0], "bounds": {}})
    drawer.view._handle_msg({"rows": [0], "revision": drawer.view.revision, "number": 1})
    assert heard == [[0, 2], []]


def test_of_groups_only_what_they_have_in_common_and_means_have_axes():
    rows = table_of(width=[1, 1, 2, 2], seed=[0, 1, 0, 2], loss=[1.0, 3.0, 4.0, 6.0]).rows
    parts = {"variant": "variant", "width": "parameter", "seed": "parameter", "loss": "measure"}
    table = VariantTable.of(parts, rows)
    grouped = show(table, TableAsked(columns=("variant", "loss"), group=("width",)))
    axes = parallel_axes(grouped, table.columns)
    assert [(axis.name, axis.places) for axis in axes] == [("width", (0, 1)), ("loss", (0, 1))]


def test_axes_that_nobody_looks_at_are_not_sent():
    drawer = ParallelDrawer()
    drawer.show(found(loss=[1.0, 2.0]))
    assert (drawer.view.axes, drawer.view.open) == ([], False)
    drawer.follow(True)
    assert ([axis["name"] for axis in drawer.view.axes], drawer.view.open) == (["loss"], True)


def test_bounds_are_said_in_numbers_and_words_and_read_back_as_places():
    axes = parallel_axes(shown(loss=[1.0, 1e-3, 1e-6], state=["failed", "done", "done"], seed=[0, 3, 9]))
    said = write_bounds(axes, {"loss": (0, 0.5), "state": (1, 1), "seed": (1 / 3, 0.5), "width": (0, 0.5)})
    assert said == "loss:..0.001,state:failed..,seed:3..4.5"
    assert read_bounds(axes, said) == {
        "loss": (0, pytest.approx(0.5)),
        "state": (1, 1),
        "seed": (pytest.approx(1 / 3), 0.5),
    }
    assert write_bounds(axes, {"loss": (0, 1)}) == ""


@pytest.mark.parametrize(
    "text", ["", "loss", "loss:", "loss:..", "loss:nan..", "loss:x..y", "width:1..2", "loss:-5..99", ",,:"]
)
def test_what_bounds_nothing_or_cannot_be_read_is_no_bound(text):
    assert read_bounds(parallel_axes(shown(loss=[1.0, 2.0])), text) == {}


@given(st.lists(st.floats(1e-9, 1e9), min_size=2, max_size=9, unique=True), st.data())
def test_of_an_address_the_same_rows_are_within_their_bounds(values, data):
    (axis,) = parallel_axes(shown(n=values)) or [None]
    if axis is None:
        return
    low, high = sorted(data.draw(st.tuples(st.sampled_from(axis.places), st.sampled_from(axis.places))))
    again = read_bounds([axis], write_bounds([axis], {"n": (low, high)})).get("n", (0, 1))
    for place in axis.places:
        if low <= place <= high:
            assert again[0] - 1e-9 <= place <= again[1] + 1e-9


def test_bounds_are_told_once_and_those_of_an_address_are_put_on_the_axes():
    drawer, heard = ParallelDrawer(), []
    drawer.on_hold = heard.append
    drawer.follow(True, "loss:2..")
    drawer.show(found(loss=[1.0, 2.0, 3.0]))
    assert drawer.view.bounds == {"loss": [0.5, 1.0]}
    now = drawer.view.revision
    for bounds in ({"loss": [0, 0.5]}, {"loss": [0, 0.5]}, {"loss": [2, "x"]}, {"loss": 3}, {"loss": [0.5, 1]}):
        drawer.view._handle_msg({"rows": [], "bounds": bounds, "revision": now, "number": 1})
    assert heard == ["loss:..2", "", "loss:2.."]
    # Who set them has them: nothing is drawn anew for that.
    drawer.follow(True, "loss:2..")
    assert drawer.view.revision == now
    drawer.follow(True, "loss:3..")
    assert drawer.view.bounds == {"loss": [1.0, 1.0]}


def test_the_browser_learns_which_of_its_messages_were_of_the_rows_that_are_there():
    drawer, heard = ParallelDrawer(), []
    drawer.on_hold = heard.append
    drawer.follow(True)
    drawer.show(found(loss=[1.0, 2.0, 3.0]))
    told = {"rows": [1, 2], "bounds": {"loss": [0.5, 1]}, "revision": drawer.view.revision, "number": 7}
    drawer.show(found(loss=[1.0, 2.0, 3.0, 5.0]))
    drawer.view._handle_msg(told)
    assert (drawer.view.heard, heard) == (0, [])
    drawer.view._handle_msg({**told, "revision": drawer.view.revision, "number": 8})
    assert (drawer.view.heard, heard) == (8, ["loss:3.."])
