"""A condition in SQL over the table of variants: what it may say, and how it is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from miscope.errors import BadValue
from miscope.index.index import Index
from miscope.store.store import Store
from miscope.tabulating.condition import admitted
from miscope.tabulating.variant_table import Cell, Part, Row, VariantTable

PARTS: dict[str, Part] = {
    "variant": "variant",
    "prime": "parameter",
    "tied": "parameter",
    "optimizer": "training",
    "test_loss": "measure",
    "Test_Loss": "measure",
    "test_loss.min": "measure",
}
TABLE = VariantTable.of(
    PARTS,
    [
        Row(variants=("add/a",), cells={"variant": "add/a", "prime": 7, "tied": True, "test_loss": 0.5}),
        Row(variants=("add/b",), cells={"variant": "add/b", "prime": 113, "tied": False, "test_loss": math.nan}),
        Row(variants=("sum/c",), cells={"variant": "sum/c", "optimizer": "sgd", "test_loss.min": 1e-3}),
    ],
)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(Store(tmp_path))


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("prime > 50", {"add/b"}),
        ("test_loss < 1", {"add/a"}),
        ("test_loss > 0", {"add/a"}),
        ("test_loss is null", {"add/b", "sum/c"}),
        ("tied and prime = 7", {"add/a"}),
        ("optimizer = 'sgd' or prime = 7", {"add/a", "sum/c"}),
        ('"test_loss.min" <= 0.001 -- and what follows is a remark', {"sum/c"}),
        ("variant like 'add/%'", {"add/a", "add/b"}),
        ("variant not in (select variant from metrics)", {"add/a", "add/b", "sum/c"}),
        ("false union select 'elsewhere/x'", set()),
    ],
)
def test_a_condition_is_whatever_stands_after_where(index: Index, condition: str, names: set[str]) -> None:
    assert admitted(index, TABLE, condition) == names


def test_no_condition_leaves_nothing_out(index: Index) -> None:
    assert admitted(index, TABLE, "  \n") is None


def refused(index: Index, condition: str) -> list[str]:
    with pytest.raises(BadValue) as raised:
        admitted(index, TABLE, condition)
    assert raised.value.field == "where"
    return str(raised.value).split("\n")


TODO = (
    "Columns are variant, prime, tied, optimizer, test_loss, Test_Loss; "
    "a name with other signs stands between double quotes."
)


def test_a_column_that_is_not_there_is_named_beside_those_that_are(index: Index) -> None:
    what, reason, todo = refused(index, "primes > 50")
    assert (what, todo) == ("The condition cannot be answered: primes > 50", TODO)
    assert reason.startswith('Binder Error: Referenced column "primes" not found in FROM clause!')


def test_a_condition_changes_nothing_and_reads_no_file(index: Index) -> None:
    assert refused(index, "true; DROP TABLE variants") == [
        "The condition cannot be answered: true; DROP TABLE variants",
        "The index answers one SELECT; this is SELECT, DROP.",
        TODO,
    ]
    _, reason, _ = refused(index, "variant in (select content from read_text('/etc/hostname'))")
    assert reason.startswith("Permission Error: ")


def test_a_condition_has_no_end_of_letters_and_nothing_that_is_no_text(index: Index) -> None:
    assert refused(index, "prime > 0 and " * 400) == [
        "The condition has 5,600 letters.",
        "One of at most 4,000 is answered.",
        "Ask the index of the workspace:  miscope ask 'SELECT ...'",
    ]
    assert refused(index, "prime > '\ud800'")[1:] == ["It has a sign that is no text: '\\ud800'.", TODO]
    assert admitted(index, TABLE, "variant = '\N{NO-BREAK SPACE}\N{GRINNING FACE}\0'") == set()


def test_a_whole_number_beyond_all_others_is_larger_than_they_are(index: Index) -> None:
    cells: dict[str, Cell] = {"variant": "add/a", "prime": 10**400}
    table = VariantTable.of(PARTS, [Row(variants=("add/a",), cells=cells)])
    assert admitted(index, table, "prime > 1e300") == {"add/a"}


def test_a_condition_that_is_no_sentence_is_refused_with_the_place(index: Index) -> None:
    _, reason, _ = refused(index, "prime >")
    assert reason.startswith("Parser Error: ")
    assert "LINE" not in reason
