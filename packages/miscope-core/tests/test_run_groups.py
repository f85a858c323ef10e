"""Runs of a study carry its name: from the request into the ledger, and from there into the index."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.bound import BoundWorkspace, open_bound
from miscope.errors import BadValue
from miscope.index.schema import SCHEMA
from miscope.running import run
from miscope.testing import tables
from miscope.train_request import TrainRequest

GROUPS = 'SELECT kind, "group" FROM runs ORDER BY run'


@pytest.fixture
def ws(tmp_path: Path) -> BoundWorkspace:
    """A workspace with one run of a study and one that stands alone."""
    made = open_bound(tmp_path / "ws", tables())
    list(run(made.value, TrainRequest(family="toy.sum", steps=2, threads=1, group="widths")))
    list(made.variant("toy.sum", seed=1).train(steps=2, threads=1))
    return made


def groups(workspace: BoundWorkspace) -> list[tuple[str, str | None]]:
    rows = open_bound(workspace.root, tables()).ask(GROUPS).to_pylist()
    return [(row["kind"], row["group"]) for row in rows]


def test_the_index_has_the_group_of_a_run_and_none_where_it_stands_alone(ws: BoundWorkspace) -> None:
    assert groups(ws) == [("train", "widths"), ("train", None)]
    assert [request["group"] for request in requests(ws)] == ["widths", None]


def requests(workspace: BoundWorkspace) -> list[dict[str, object]]:
    return [line["request"] for line in workspace.ledger.lines() if line["event"] == "started"]  # type: ignore[misc]


def test_a_run_that_is_newer_than_the_published_index_has_its_group_too(ws: BoundWorkspace) -> None:
    ws.index.rebuild()
    names, norms = tuple(ws.names()), ("parameters.norms",)
    list(run(ws.value, AnalyzeRequest(variants=names, analyzers=norms, group="widths")))
    both = [("train", "widths"), ("train", None), ("analyze", "widths"), ("analyze", "widths")]
    assert groups(ws) == both
    ws.index.rebuild()
    assert groups(ws) == both


def test_an_analysis_in_python_takes_a_group_as_a_training_does(ws: BoundWorkspace) -> None:
    variant = ws.variants()[0]
    list(variant.train(steps=3, threads=1, group="later"))
    variant.analyze("parameters.norms", group="looks")
    assert groups(ws)[2:] == [("train", "later"), ("analyze", "looks")]


def test_the_group_decides_no_weights_so_it_is_in_no_name_and_no_digest(ws: BoundWorkspace) -> None:
    done = list(run(ws.value, TrainRequest(family="toy.sum", steps=2, threads=1, group="others")))
    assert [progress.message for progress in done] == [f"{ws.names()[0]} is already trained to step 2; nothing to do."]
    assert len(ws.names()) == 2


def test_an_index_published_before_there_were_groups_is_built_anew(ws: BoundWorkspace) -> None:
    ws.index.rebuild()
    path = ws.root / "index.duckdb"
    with closing(duckdb.connect(str(path))) as database:
        database.execute('ALTER TABLE runs DROP COLUMN "group"')
        database.execute("UPDATE coverage.format SET schema = ?", [SCHEMA - 1])
    assert groups(ws) == [("train", "widths"), ("train", None)]


def test_a_question_that_takes_the_column_for_a_word_of_sql_is_shown_how_it_is_written(ws: BoundWorkspace) -> None:
    with pytest.raises(BadValue, match=r'runs \(run, kind, .*, "group"\); checkpoints'):
        ws.ask("SELECT group FROM runs")
    assert ws.ask("SELECT runs.group FROM runs WHERE runs.group = 'widths'").num_rows == 1
