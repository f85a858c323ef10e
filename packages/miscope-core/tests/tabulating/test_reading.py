"""The table of a workspace in which toys were trained, queued, looked at and labelled."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from miscope.bound import BoundWorkspace, open_bound
from miscope.runs.queued_run import Reached
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.process_identity import this_process
from miscope.tabulating.asked import TableAsked
from miscope.tabulating.index_rows import finished_last, known_numbers
from miscope.tabulating.measure import Measure, first_measures, mentioned
from miscope.tabulating.reading import read_table, table_of
from miscope.tabulating.run_words import RunWords, run_words
from miscope.tabulating.showing import show
from miscope.testing import tables
from miscope.train_request import TrainRequest

FIRST, SECOND = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> BoundWorkspace:
    """Two seeds of a toy, the norms of the second's weights, and a run of the first in the queue."""
    workspace = open_bound(tmp_path_factory.mktemp("tabulating") / "ws", tables())
    for seed in (0, 1):
        list(workspace.variant("toy.sum", seed=seed).train(steps=20, threads=1))
    workspace.find(SECOND).analyze("parameters.norms", steps=[0, 20])
    with closing(RunQueue(workspace.root)) as queue:
        run = queue.submit(TrainRequest(family="toy.sum", params={"seed": 0}), what=FIRST)
        queue.label(run.id, tags=("baseline", "odd"), notes="diverged once")
    return workspace


def test_a_row_says_what_a_variant_is_and_what_became_of_it(trained: BoundWorkspace) -> None:
    measures = [Measure.read(text) for text in ("test_loss", "test_loss.min", "train_loss.max")]
    table = read_table(trained.value, measures)
    rows = {row.variants[0]: row.cells for row in table.rows}
    assert list(rows) == [SECOND, FIRST]
    _, test = trained.find(FIRST).metric("test_loss")
    _, train = trained.find(FIRST).metric("train_loss")
    assert {name: rows[FIRST].get(name) for name in ("seed", "step", "checkpoints", "state", "tags", "notes")} == {
        "seed": 0,
        "step": 20,
        "checkpoints": 3,
        "state": "pending",
        "tags": "baseline, odd",
        "notes": "diverged once",
    }
    assert [rows[FIRST][str(m)] for m in measures] == [test[-1], test.min(), train.max()]
    assert (rows[FIRST]["analyses"], rows[FIRST]["missing_analyses"]) == (0, 1)
    assert (rows[SECOND]["analyses"], rows[SECOND]["missing_analyses"]) == (1, 0)
    assert (rows[SECOND]["state"], "tags" in rows[SECOND]) == ("completed", False)


def test_scalars_of_instruments_are_columns_too(trained: BoundWorkspace) -> None:
    name = "parameters.norms/total/squares"
    assert {"test_loss", "train_loss", name} <= set(known_numbers(trained.index))
    rows = {row.variants[0]: row.cells for row in read_table(trained.value, [Measure(name=name)]).rows}
    norms = trained.find(SECOND).arrays("parameters.norms")["total/squares"]
    assert (rows[SECOND][name], rows[FIRST].get(name)) == (norms[-1], None)


@pytest.mark.parametrize("at", [0, 7, 20, 10**18, None])
def test_the_number_at_a_step_is_the_last_that_was_recorded_by_then(trained: BoundWorkspace, at: int | None) -> None:
    measures = [Measure.read(text) for text in ("test_loss.at", "test_loss", "parameters.norms/total/squares.at")]
    rows = {row.variants[0]: row.cells for row in read_table(trained.value, measures, at=at).rows}
    steps, losses = trained.find(FIRST).metric("test_loss")
    there = losses[-1] if at is None else losses[steps <= at][-1]
    assert (rows[FIRST]["test_loss.at"], rows[FIRST]["test_loss"]) == (there, losses[-1])
    norms = trained.find(SECOND).arrays("parameters.norms")["total/squares"]
    assert rows[SECOND]["parameters.norms/total/squares.at"] == norms[-1 if at is None or at >= 20 else 0]


def test_before_anything_was_recorded_there_is_no_number_at_a_step(tmp_path: Path) -> None:
    workspace = open_bound(tmp_path / "ws", tables())
    variant = workspace.variant("toy.sum")
    workspace.value.store.save_variant(variant.value)
    workspace.value.store.append_metrics(variant.name, [(5, "test_loss", 1.0)])
    (row,) = read_table(workspace.value, [Measure.read("test_loss.at"), Measure.read("test_loss")], at=4).rows
    assert (row.cells.get("test_loss.at"), row.cells["test_loss"]) == (None, 1.0)


def test_the_variant_that_was_completed_last_is_the_one_that_was_trained_last(trained: BoundWorkspace) -> None:
    assert finished_last(trained.index) == SECOND


def test_an_empty_workspace_has_an_empty_table_and_is_not_made(tmp_path: Path) -> None:
    workspace = open_bound(tmp_path / "nothing", tables()).value
    index = workspace.index
    assert (read_table(workspace).rows, known_numbers(index), finished_last(index)) == ((), (), None)
    assert not workspace.root.exists()


def test_names_that_a_column_of_the_table_has_are_told_apart() -> None:
    params = json.dumps({"state": "liquid", "sizes": [1, 2]})
    training = json.dumps({"checkpoints": {"n": 5}, "learning_rate": 0.1})
    row = {"variant": "f/a", "family": "f", "params": params, "training": training, "problem": None}
    rest = {"checkpoints": None, "step": None, "analyzers": None, "state": None}
    table = table_of([{**row, **rest}], {}, {"f/a": RunWords(state="failed")}, ())
    cells = table.rows[0].cells
    assert (cells["params.state"], cells["state"], cells["sizes"]) == ("liquid", "failed", "1,2")
    assert (cells["training.checkpoints"], cells["checkpoints"], cells["learning_rate"]) == ('{"n": 5}', 0, 0.1)
    parts = {column.name: column.part for column in table.columns}
    # What is kept of a training makes no other variant.
    assert (parts["learning_rate"], parts["training.checkpoints"]) == ("training", "work")


def test_a_metric_called_as_a_column_that_every_table_has_is_none() -> None:
    row = {"variant": "f/a", "family": "f", "params": None, "training": None, "problem": None}
    rest = {"checkpoints": 3, "step": 40, "analyzers": None, "state": "completed"}
    numbers = {"f/a": {"variant": 1.0, "step": 2.0, "test_loss": 0.5}}
    measures = [Measure(name=name) for name in ("variant", "step", "test_loss")]
    cells = table_of([{**row, **rest}], numbers, {}, measures).rows[0].cells
    assert (cells["variant"], cells["step"], cells["test_loss"]) == ("f/a", 40, 0.5)


def test_a_record_that_cannot_be_read_is_a_row_with_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "variants" / "toy.sum" / "v5"
    folder.mkdir(parents=True)
    (folder / "variant.json").write_text("{}")
    (row,) = read_table(open_bound(tmp_path, tables()).value).rows
    assert row.variants == ("toy.sum/v5",)
    assert str(row.cells["problem"]).startswith("It is no variant record")
    assert str(row.cells["problem"]).endswith("variant.json)")


def test_the_last_run_says_where_a_variant_stands_and_all_of_them_how_it_is_tagged(tmp_path: Path) -> None:
    with closing(RunQueue(tmp_path)) as queue:
        request = TrainRequest(family="toy.sum")
        first, second = (queue.submit(request, what=FIRST) for _ in range(2))
        queue.label(first.id, tags=("odd",), notes="one")
        queue.label(second.id, tags=("odd", "new"), notes="two")
        assert run_words(tmp_path) == {FIRST: RunWords(state="pending", tags=("odd", "new"), notes="one\ntwo")}
        assert queue.claim(second.id, this_process()) is not None
        queue.reach(second.id, Reached(done=30, total=40))
    words = run_words(tmp_path)[FIRST]
    assert (words.state, words.share) == ("running", 0.75)
    row = {"variant": FIRST, "family": "toy.sum", "params": None, "training": None, "problem": None}
    rest = {"checkpoints": None, "step": None, "analyzers": None, "state": "completed"}
    cells = table_of([{**row, **rest}], {}, {FIRST: words}, ()).rows[0].cells
    assert (cells["state"], cells["done_pct"]) == ("running", 75.0)


@pytest.mark.parametrize(
    ("begun", "state"), [(None, "stopped"), (150.0, "stopped"), (250.0, "completed")], ids=["never", "by it", "later"]
)
def test_a_training_that_began_after_the_queues_last_run_ended_says_where_it_stands(
    begun: float | None, state: str
) -> None:
    row = {"variant": FIRST, "family": "toy.sum", "params": None, "training": None, "problem": None}
    rest = {"checkpoints": 3, "step": 40, "analyzers": None, "state": "completed", "begun": begun}
    cells = table_of([{**row, **rest}], {}, {FIRST: RunWords(state="stopped", ended=200.0)}, ()).rows[0].cells
    assert cells["state"] == state


def test_a_variant_that_was_finished_without_the_queue_is_completed(tmp_path: Path) -> None:
    workspace = open_bound(tmp_path / "ws", tables())
    with closing(RunQueue(workspace.root)) as queue:
        run = queue.submit(TrainRequest(family="toy.sum"), what=FIRST)
        queue.move(run.id, RunState.CANCELLED)
    list(workspace.variant("toy.sum").train(steps=2, threads=1))
    (row,) = read_table(workspace.value).rows
    assert row.cells["state"] == "completed"


def test_fields_that_a_familys_own_training_records_by_make_no_other_variant() -> None:
    row = {"variant": "f/a", "family": "f", "params": None, "training": '{"shown_every": 3}', "problem": None}
    rest = {"checkpoints": None, "step": None, "analyzers": None, "state": None}
    for recording, part in (({}, "training"), ({"f": {"shown_every"}}, "work")):
        table = table_of([{**row, **rest}], {}, {}, (), recording)
        assert table.by_name["shown_every"].part == part


def test_what_is_called_as_the_count_of_a_group_is_told_apart_from_it() -> None:
    row = {"variant": "f/a", "family": "f", "params": '{"n": 3}', "training": None, "problem": None}
    rest = {"checkpoints": None, "step": None, "analyzers": None, "state": None}
    table = table_of([{**row, **rest}], {"f/a": {"n": 7.0}}, {}, [Measure(name="n")])
    assert {"n", "params.n"} & set(table.by_name) == {"params.n"}
    assert not show(table, TableAsked()).in_groups
    assert show(table, TableAsked(group=("family",))).rows[0].cells["n"] == 1


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("test_loss", Measure(name="test_loss")),
        ("test_loss.min", Measure(name="test_loss", which="min")),
        ("test_loss.at", Measure(name="test_loss", which="at")),
        ("events.grokking/fell", Measure(name="events.grokking/fell")),
        ("spread.max.last", Measure(name="spread.max")),
    ],
)
def test_a_measure_is_written_as_it_is_read(text: str, measure: Measure) -> None:
    assert (Measure.read(text), str(measure)) == (measure, text)


def test_the_usual_losses_come_first_and_a_condition_says_which_others_it_needs() -> None:
    assert [*map(str, first_measures(["accuracy", "test_loss", "a/b"]))] == ["test_loss"]
    assert [*map(str, first_measures(["a/b", "entropy"]))] == ["entropy"]
    found = mentioned('TEST_LOSS < 1 and "a/b.max" > 0', ["a/b", "entropy", "test_loss"])
    assert [*map(str, found)] == ["a/b.max", "test_loss"]
    assert [*map(str, mentioned("test_loss<1", ["loss", "test", "test_loss"]))] == ["test_loss"]
