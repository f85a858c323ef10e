from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue
from miscope.exporting.history import history
from miscope.testing import tables

Make = Callable[..., BoundWorkspace]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def trained(workspace: Make) -> BoundVariant:
    """A toy trained over 30 steps, its weights' norms looked at twice, at two of its four checkpoints."""
    variant = workspace().variant("toy.sum")
    list(variant.train(threads=1))
    variant.analyze("parameters.norms", steps=[0, 20])
    return variant


def test_a_row_is_a_step_and_a_column_a_number_that_was_recorded_or_computed(trained: BoundVariant) -> None:
    table = trained.history()
    steps, losses = trained.metric("train_loss")
    assert table["step"].to_pylist() == steps.tolist() == list(range(31))
    assert table["train_loss"].to_pylist() == losses.tolist()
    norms = trained.arrays("parameters.norms")
    column = table["parameters.norms/total/squares"].to_pylist()
    assert {step: value for step, value in enumerate(column) if value is not None} == dict(
        zip(norms["step"].tolist(), norms["total/squares"].tolist(), strict=True)
    )
    names = table.column_names
    assert names[0] == "step"
    assert names.index("test_loss") < names.index("parameters.norms/total/squares")
    assert {str(table.schema.field(name).type) for name in names[1:]} == {"double"}


def test_the_learning_rate_is_that_of_the_update_that_follows_the_step(tmp_path: Path) -> None:
    fields = {"warmup_steps": 2, "lr_schedule": "linear", "lr_schedule_steps": 12, "learning_rate": 0.5}
    variant = open_bound(tmp_path, tables()).variant("toy.sum", **fields)
    for _ in variant.train(steps=4, threads=1):
        pass
    # Warmup from 0 over two updates, then down a tenth of the rate at each of the ten that follow.
    assert variant.history("learning_rate").to_pydict() == {
        "step": [0, 1, 2, 3, 4],
        "learning_rate": pytest.approx([0.0, 0.25, 0.5, 0.45, 0.4], abs=1e-12),
    }


def test_columns_are_chosen_by_patterns(trained: BoundVariant) -> None:
    assert trained.history("*_loss").column_names == ["step", "test_loss", "train_loss"]
    assert trained.history("parameters.norms/total/*")["step"].to_pylist() == [0, 20]


def test_what_is_no_number_is_null_and_steps_may_differ_by_column(trained: BoundVariant) -> None:
    store = trained.workspace.store
    store.append_metrics(trained.name, [(5, "odd", math.nan), (7, "odd", math.inf), (99, "odd", 1.0)])
    table = trained.history("odd", "train_loss")
    rows = {row["step"]: row["odd"] for row in table.to_pylist()}
    assert (rows[5], rows[7], rows[99], rows[6]) == (None, math.inf, 1.0, None)
    assert table.to_pylist()[-1] == {"step": 99, "train_loss": None, "odd": 1.0}


def test_several_variants_are_told_apart_by_a_column(trained: BoundVariant) -> None:
    other = trained.workspace.variant("toy.sum", seed=1)
    list(other.train(threads=1, steps=10))
    table = history(trained.workspace.value, [trained.value, other.value])
    assert table.column_names[:2] == ["variant", "step"]
    counts = table.group_by("variant").aggregate([([], "count_all")]).to_pylist()
    assert {row["variant"]: row["count_all"] for row in counts} == {trained.name: 31, other.name: 11}
    last = table.to_pylist()[-1]
    assert (last["variant"], last["parameters.norms/total/squares"]) == (other.name, None)


def test_a_column_holds_numbers_of_the_recipe_that_was_computed_last(trained: BoundVariant) -> None:
    """Steps that only an earlier version looked at are not mixed with those of the new one."""
    norms = replace(trained.workspace.plugins.analyzer("parameters.norms"), name="t.norms")
    for version, steps in ((1, [0, 10, 20]), (2, [10, 30])):
        place = open_bound(trained.workspace.root, tables(replace(norms, version=version)))
        variant = place.find(trained.name)
        variant.analyze("t.norms", steps=steps)
        assert variant.history("t.norms/total/squares")["step"].to_pylist() == steps


def test_what_was_watched_while_training_has_the_later_steps_beside_it(workspace: Make) -> None:
    variant = workspace().variant("toy.sum")
    list(variant.train(threads=1, watch=["parameters.norms:3"]))
    watched = variant.metrics("parameters.norms/total/squares")["parameters.norms/total/squares"]
    variant.analyze("parameters.norms")
    column = variant.history("parameters.norms/total/squares")
    assert column["step"].to_pylist() == sorted({*watched.steps.tolist(), *variant.steps})
    values = dict(zip(*(column[name].to_pylist() for name in column.column_names), strict=True))
    assert all(values[step] == value for step, value in zip(watched.steps.tolist(), watched.values, strict=True))


def test_where_there_is_nothing_it_says_what_would_be_there(workspace: Make, trained: BoundVariant) -> None:
    with pytest.raises(BadValue) as error:
        trained.history("lr")
    line = f"miscope analyze {trained.name} --workspace {trained.workspace.root}"
    assert str(error.value) == (
        f"There is nothing of {trained.name} that matches 'lr' to write step by step.\n"
        "Metrics are recorded while a model trains, and instruments leave single numbers at its checkpoints.\n"
        f"To compute these:  {line}"
    )


def test_the_command_writes_it_by_the_suffix(
    command: Run, offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    command("train", "toy.sum", "--threads", 1)
    out = {suffix: tmp_path / f"history.{suffix}" for suffix in ("parquet", "csv", "json")}
    for path in out.values():
        assert command("export", "history", "toy.sum", "--out", path)[:2] == (0, f"{path}: 31 rows\n")
    table = pq.read_table(out["parquet"])
    assert pa.csv.read_csv(out["csv"]).to_pydict() == table.to_pydict()
    assert json.loads(out["json"].read_text()) == table.to_pylist()
    _, printed, _ = command("export", "history", "v5", "--only", "train_loss")
    assert pa.csv.read_csv(io.BytesIO(printed.encode())).column_names == ["step", "train_loss"]
    code, _, err = command("export", "history", "toy.sum", "--out", tmp_path / "history.xlsx")
    assert (code, len(err.splitlines())) == (1, 3)
