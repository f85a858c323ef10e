"""A question is bounded, its answer loses no column, and every format can hold it."""

from __future__ import annotations

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from miscope.errors import BadValue
from miscope.index.index import Index
from miscope.index.limits import limited
from miscope.store.store import Store


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(Store(tmp_path))


HUGE = [
    "SELECT length(repeat('x', 4000000000)) AS n",
    "SELECT repeat('x', 100000000) FROM range(1000)",
    "SELECT list(range) FROM range(1000000000)",
]


@pytest.mark.parametrize("sql", HUGE)
def test_a_question_that_would_take_all_memory_is_refused(index: Index, sql: str):
    with pytest.raises(BadValue) as raised:
        index.ask(sql)
    assert str(raised.value) == (
        "The question takes too much memory.\n"
        "It was stopped at 2 GiB; nothing was changed by it.\n"
        "Ask for less: an aggregate, a LIMIT, fewer rows on both sides of a join."
    )
    assert index.ask("SELECT 1 AS n").to_pylist() == [{"n": 1}]


def test_a_question_without_end_is_stopped_in_time(index: Index):
    with pytest.raises(BadValue) as raised:
        index.ask("SELECT count(*) FROM range(100000000000) AS a, range(1000000) AS b", seconds=0.2)
    assert str(raised.value).splitlines()[:2] == [
        "The question takes too much time.",
        "It was stopped at 0.2 seconds; nothing was changed by it.",
    ]


def test_a_question_that_waited_for_another_is_stopped_in_time_too(index: Index):
    sql = "SELECT count(*) FROM range(100000000000) AS a, range(1000000) AS b"
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(index.ask, sql, seconds=0.2) for _ in range(3)]
    reasons = [str(each.exception()).splitlines()[0] for each in asked]
    assert reasons == ["The question takes too much time."] * 3


def test_the_process_has_its_own_bounds_again_afterwards(index: Index):
    import duckdb

    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with limited(duckdb.connect()):
        pass
    index.ask("SELECT 1")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_columns_of_one_name_are_told_apart(index: Index, command, tmp_path: Path):
    sql = "SELECT 1 AS a, 2 AS a, 3 AS b, 4 AS a_2, 5 AS a"
    expected = {"a": 1, "a_3": 2, "b": 3, "a_2": 4, "a_4": 5}
    assert index.ask(sql).to_pylist() == [expected]
    code, out, _ = command("ask", sql, "-w", tmp_path, "--format", "json")
    assert (code, json.loads(out)) == (0, [expected])
    code, out, _ = command("ask", sql, "-w", tmp_path)
    assert [line.split() for line in out.splitlines()] == [list(expected), ["1", "2", "3", "4", "5"]]


ODD = """SELECT 'nan'::DOUBLE AS nan, '-inf'::DOUBLE AS inf, [1.5, 'nan'::DOUBLE, NULL] AS list,
    {'a': [1], 'b': NULL} AS struct, MAP {'k': 2} AS map, 12345678901234567890::HUGEINT AS huge,
    1.5::DECIMAL(9, 2) AS cents, sum(3::BIGINT) AS sum, 'x'::BLOB AS blob, INTERVAL 3 DAYS AS span,
    DATE '2026-01-01' AS day, NULL AS nothing, 'a,"b' AS text"""


def test_json_holds_no_bare_nan_and_numbers_stay_numbers(command, tmp_path: Path):
    code, out, _ = command("ask", ODD, "-w", tmp_path, "--format", "json")

    def refuse(word: str) -> None:
        raise AssertionError(word)

    (row,) = json.loads(out, parse_constant=refuse)
    assert code == 0
    assert (row["nan"], row["inf"], row["list"]) == (None, None, [1.5, None, None])
    assert (row["huge"], row["cents"], row["sum"]) == (12345678901234567890, 1.5, 3)
    assert (row["struct"], row["text"]) == ({"a": [1], "b": None}, 'a,"b')


def test_csv_holds_lists_and_structs_as_json(command, tmp_path: Path):
    code, out, _ = command("ask", ODD, "-w", tmp_path, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert code == 0
    assert json.loads(row["list"]) == [1.5, None, None]
    assert json.loads(row["struct"]) == {"a": [1], "b": None}
    assert (row["nan"], row["day"], row["nothing"], row["text"]) == ("nan", "2026-01-01", "", 'a,"b')


def test_parquet_holds_them_too(command, tmp_path: Path):
    from pyarrow import parquet

    out = tmp_path / "rows.parquet"
    assert command("ask", ODD, "-w", tmp_path, "--out", out)[0] == 0
    (row,) = parquet.read_table(out).to_pylist()
    assert row["struct"] == {"a": [1], "b": None}
