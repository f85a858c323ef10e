"""Narrowing, ordering, grouping and paging of a table of variants that was made by hand."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.errors import BadValue
from miscope.tabulating.asked import Order, TableAsked
from miscope.tabulating.cell_text import written
from miscope.tabulating.grouping import but_seeds, grouped
from miscope.tabulating.relaxing import Relaxed, relaxed
from miscope.tabulating.showing import show
from miscope.tabulating.variant_table import Cell, Part, Row, Summary, VariantTable, telling_apart

PARTS: dict[str, Part] = {
    "variant": "variant",
    "family": "variant",
    "prime": "parameter",
    "seed": "parameter",
    "optimizer": "training",
    "test_loss": "measure",
    "step": "work",
    "state": "work",
    "tags": "work",
}


def row(name: str, **cells: Cell) -> Row:
    family = name.partition("/")[0]
    return Row(variants=(name,), cells={"variant": name, "family": family, **cells})


TABLE = VariantTable.of(
    PARTS,
    [
        row("add/p7-seed0", prime=7, seed=0, optimizer="adamw", test_loss=1.0, step=100, state="completed"),
        row("add/p7-seed1", prime=7, seed=1, optimizer="adamw", test_loss=10.0, step=100, state="failed"),
        row("add/p7-seed2", prime=7, seed=2, optimizer="adamw", test_loss=100.0, step=100, tags="Odd"),
        row("add/p113-seed0", prime=113, seed=0, optimizer="adamw", test_loss=math.nan, step=40, state="running"),
        row("sum/v5", seed=0, optimizer="adamw", test_loss=-2.0, step=30, state="completed"),
    ],
)


def shown(**asked: object) -> list[str]:
    """The slugs of the rows."""
    rows = show(TABLE, TableAsked(**asked)).rows  # type: ignore[arg-type]
    return ["+".join(name.partition("/")[2] for name in row.variants) for row in rows]


def test_who_asks_for_nothing_sees_all_under_the_columns_that_tell_them_apart() -> None:
    found = show(TABLE, TableAsked())
    names = [column.name for column in found.columns]
    assert names == ["variant", "family", "prime", "seed", "test_loss", "step", "state", "tags"]
    assert (len(found.rows), found.matched, found.total) == (5, 5, 5)


def test_columns_stay_those_of_the_family_whatever_of_it_is_found() -> None:
    for text in ("add", "p113", "p7 seed=1"):
        names = [column.name for column in show(TABLE, TableAsked(text=text)).columns]
        assert names == ["variant", "prime", "seed", "test_loss", "step", "state", "tags"]


def test_a_field_that_only_one_family_has_tells_apart_where_that_one_differs_in_it() -> None:
    assert telling_apart(TABLE.columns, TABLE.rows) == ("prime", "seed")
    assert telling_apart(TABLE.columns, TABLE.rows[3:]) == ()


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        ("p113", ["p113-seed0"]),
        ("ADD seed=1", ["p7-seed1"]),
        ("odd", ["p7-seed2"]),
        ("completed", ["p7-seed0", "v5"]),
        ("test_loss<5", ["p7-seed0", "v5"]),
        ("test_loss>=10 prime=7", ["p7-seed1", "p7-seed2"]),
        ("state!=completed", ["p7-seed1", "p113-seed0"]),
        ("Optimizer=ADAMW family=sum", ["v5"]),
        ("seed=1e0", ["p7-seed1"]),
        ("prime=seven", []),
        ("nowhere", []),
        ("  ", ["p7-seed0", "p7-seed1", "p7-seed2", "p113-seed0", "v5"]),
    ],
)
def test_rows_are_found_by_words_of_names_and_parameters_and_by_bounds_on_columns(text: str, slugs: list[str]) -> None:
    assert shown(text=text) == slugs


def test_a_text_of_more_letters_than_one_types_is_refused() -> None:
    with pytest.raises(BadValue) as raised:
        show(TABLE, TableAsked(text="a " * 501))
    assert (raised.value.field, str(raised.value)) == (
        "find",
        "What is to be found has 1,002 letters.\n"
        "Rows are looked for by at most 1,000.\n"
        "Give fewer words, or a condition over the columns.",
    )


def test_whole_numbers_beyond_all_floats_have_an_order_too() -> None:
    table = VariantTable.of(PARTS, [row("a/big", prime=10**400), row("a/inf", prime=math.inf), row("a/small", prime=7)])
    found = show(table, TableAsked(order=(Order(column="prime"),))).rows
    assert [each.variants for each in found] == [("a/small",), ("a/big",), ("a/inf",)]


def test_rows_are_ordered_by_columns_and_what_has_no_number_comes_last_either_way() -> None:
    up, down = Order(column="test_loss"), Order(column="test_loss", descending=True)
    assert shown(order=(up,)) == ["v5", "p7-seed0", "p7-seed1", "p7-seed2", "p113-seed0"]
    assert shown(order=(down,)) == ["p7-seed2", "p7-seed1", "p7-seed0", "v5", "p113-seed0"]
    assert shown(order=(Order(column="step", descending=True), down))[:3] == ["p7-seed2", "p7-seed1", "p7-seed0"]


def test_columns_that_are_not_there_are_left_out_and_order_nothing() -> None:
    found = show(TABLE, TableAsked(columns=("seed", "gone", "variant"), order=(Order(column="gone"),)))
    assert [column.name for column in found.columns] == ["seed", "variant"]
    assert found.unknown == ("gone",)
    assert [row.variants for row in found.rows] == [row.variants for row in TABLE.rows]


def test_a_group_has_the_geometric_mean_of_its_losses_and_its_interval() -> None:
    found = show(TABLE, TableAsked(group=("prime",)))
    assert [column.name for column in found.columns] == ["prime", "n", "test_loss", "step"]
    first = found.rows[0].cells
    # Student's t of two degrees of freedom at q is (2q-1) / sqrt(2q(1-q)); 0, 1 and 2 have deviation 1.
    student = 0.95 / math.sqrt(2 * 0.975 * 0.025)
    reach = 10 ** (student / math.sqrt(3))
    loss = first["test_loss"]
    assert isinstance(loss, Summary)
    assert (loss.mean, loss.low, loss.high) == pytest.approx((10, 10 / reach, 10 * reach), rel=1e-9)
    assert (first["n"], loss.count, first["prime"]) == (3, 3, 7)


def test_numbers_that_are_all_the_same_and_those_of_two_say_nothing_of_others() -> None:
    cells = show(TABLE, TableAsked(group=("prime",))).rows[0].cells["step"]
    assert isinstance(cells, Summary)
    assert (written(cells), math.isnan(cells.low)) == ("100", True)
    two = show(TABLE, TableAsked(group=("prime",), text="seed!=2 prime=7")).rows[0].cells["test_loss"]
    assert isinstance(two, Summary)
    assert (two.count, math.isnan(two.high)) == (2, True)
    assert two.mean == pytest.approx(math.sqrt(10), rel=1e-12)


def test_a_mean_says_of_how_many_of_a_group_it_is_where_some_have_no_finite_number() -> None:
    losses = [1.0, 1.0, math.nan, math.inf, None]
    rows = [row(f"add/v{place}", prime=7, test_loss=loss) for place, loss in enumerate(losses)]
    cells = show(VariantTable.of(PARTS, rows), TableAsked(group=("prime",))).rows[0].cells
    assert (cells["n"], written(cells["test_loss"])) == (5, "1, 2 of 5")


def test_what_is_no_number_is_not_averaged_and_a_group_of_none_has_no_mean() -> None:
    (alone,) = grouped(TABLE.rows[3:4], TABLE.columns, ["prime"])
    assert (alone.cells["test_loss"], alone.cells["seed"]) == (None, 0)


def test_seeds_are_no_numbers_to_average_and_differ_within_a_group() -> None:
    (first, *_) = grouped(TABLE.rows, TABLE.columns, ["prime"])
    assert (first.cells["seed"], first.cells["optimizer"]) == (None, "adamw")
    assert but_seeds(TABLE.columns, TABLE.rows) == ("family", "prime")
    assert but_seeds(TABLE.columns, TABLE.rows[:3]) == ()


def test_groups_are_ordered_by_their_means() -> None:
    by_loss = (Order(column="test_loss"),)
    assert shown(group=("family",), order=by_loss) == ["v5", "p7-seed0+p7-seed1+p7-seed2+p113-seed0"]


def test_only_those_of_which_the_condition_is_true_are_there() -> None:
    found = show(TABLE, TableAsked(), {"sum/v5", "add/p7-seed0"})
    assert ([row.variants[0] for row in found.rows], found.total) == (["add/p7-seed0", "sum/v5"], 5)


def test_where_nothing_is_found_the_part_is_named_without_which_most_is() -> None:
    asked = TableAsked(text="p7 seed=9", where="step > 0")
    found = relaxed(TABLE, asked, {row.variants[0] for row in TABLE.rows})
    assert found == Relaxed(without="seed=9", asked=TableAsked(text="p7", where="step > 0"), matched=3)
    assert relaxed(TABLE, TableAsked(text="p8 seed=9"), None) is None
    by_condition = relaxed(TABLE, TableAsked(where=" false "), set())
    assert by_condition == Relaxed(without="false", asked=TableAsked(), matched=5)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (True, "true"),
        (113, "113"),
        (0.1, "0.1"),
        (3.14159e-7, "3.14e-07"),
        (25000.0, "25000"),
        (12345.6, "12346"),
        (math.nan, "NaN"),
        ("log:60", "log:60"),
        (Summary(mean=2.0, low=1.0, high=4.0, count=3, members=3), "2 (1 to 4)"),
        (Summary(mean=2.0, low=math.nan, high=math.nan, count=2, members=5), "2, 2 of 5"),
    ],
)
def test_a_cell_is_written_short(cell: Cell, text: str) -> None:
    assert written(cell) == text


CELLS = st.one_of(st.none(), st.integers(-9, 9), st.floats(), st.sampled_from(["adamw", "sgd", "7"]))
ROWS = st.lists(st.fixed_dictionaries({"prime": CELLS, "test_loss": CELLS}), max_size=12)
ORDER = st.builds(Order, column=st.sampled_from(["prime", "test_loss"]), descending=st.booleans())
ORDERS = st.lists(ORDER, max_size=2)


def table_of(rows: list[dict[str, Cell]]) -> VariantTable:
    return VariantTable.of(PARTS, [row(f"add/v{place}", **cells) for place, cells in enumerate(rows)])


@given(ROWS, ORDERS, st.randoms(use_true_random=False))
def test_the_order_in_which_rows_come_changes_nothing_once_they_are_ordered(
    rows: list[dict[str, Cell]], order: list[Order], shuffle: random.Random
) -> None:
    table, asked = table_of(rows), TableAsked(order=(*order, Order(column="variant")))
    mixed = [*table.rows]
    shuffle.shuffle(mixed)
    assert show(replace(table, rows=tuple(mixed)), asked).rows == show(table, asked).rows


@given(ROWS, st.sampled_from([(), ("prime",), ("prime", "test_loss")]), st.sampled_from(["", "v1", "prime>0"]))
def test_groups_part_the_variants_that_are_found(rows: list[dict[str, Cell]], by: tuple[str, ...], text: str) -> None:
    table = table_of(rows)
    alone = [row.variants[0] for row in show(table, TableAsked(text=text)).rows]
    found = show(table, TableAsked(text=text, group=by))
    assert sorted(name for row in found.rows for name in row.variants) == sorted(alone)
    assert (found.matched, found.total) == (len(alone), len(rows))


@given(ROWS, st.integers(1, 5))
def test_the_pages_are_all_rows_in_order(rows: list[dict[str, Cell]], size: int) -> None:
    found = show(table_of(rows), TableAsked())
    pages = [found.page(number, size) for number in range(1, len(rows) + 2)]
    assert tuple(row for page in pages for row in page) == found.rows
