"""The seed's table of a run: its columns, its clock, and several families in one query."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from miscope_lal import Trainer, TrainerConfig
from miscope_lal.seed.history import COLUMNS
from miscope_lal.seed.wall_time import seconds_at

FIXED = ["epoch", *COLUMNS, "wall_s", "representation_norm"]


def lines(start: int, began: str, *checkpoints: tuple[int, str]) -> list[dict[str, object]]:
    day = "2026-11-29T"
    first: dict[str, object] = {"event": "started", "start": start, "time": day + began}
    return [first, *({"event": "checkpoint", "step": step, "time": day + time} for step, time in checkpoints)]


def test_seconds_add_up_over_runs_and_are_in_proportion_between_checkpoints() -> None:
    first = lines(0, "10:00:00", (0, "10:00:02"), (10, "10:00:12"), (20, "10:00:32"))
    # An hour later, from step 10, which the first run had reached after 12 seconds.
    second = lines(10, "11:00:00", (30, "11:00:08"))
    steps = np.array([0, 5, 10, 20, 30, 40])
    assert seconds_at([first], steps)[:4].tolist() == [2, 7, 12, 32]
    assert seconds_at([first, second], steps)[:5].tolist() == [2, 7, 12, 16, 20]
    assert np.isnan(seconds_at([first, second], steps)[5])
    assert np.isnan(seconds_at([], steps)).all()


def test_a_training_begun_anew_begins_at_0_seconds() -> None:
    first = lines(0, "10:00:00", (0, "10:00:02"), (10, "10:00:12"))
    assert seconds_at([first, lines(0, "11:00:00", (0, "11:00:01"))], np.array([0, 10]))[0] == 1


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """history.parquet of a network that routes and of one that does not."""
    folder = tmp_path_factory.mktemp("runs")
    quick = {"p": 5, "epochs": 2, "hidden_dim": 8, "n_layers": 1, "n_heads": 2, "log_every": 1, "checkpoint_every": 1}
    for kind in ("baseline", "routed"):
        config = TrainerConfig.model_validate({**quick, "model_type": kind, "compute_weight_curvature": False})
        Trainer(config, folder / "w", device="cpu").train(output_dir=folder / kind)
    return {kind: folder / kind / "history.parquet" for kind in ("baseline", "routed")}


def test_tables_of_every_family_begin_with_the_same_columns(files: dict[str, Path]) -> None:
    for path in files.values():
        schema = pq.read_schema(path)
        assert schema.names[: len(FIXED)] == FIXED
        assert [str(schema.field(name).type) for name in schema.names] == ["int64"] + ["double"] * (len(schema) - 1)
        table = pq.read_table(path)
        assert table["epoch"].to_pylist() == [0, 1, 2]
        assert table["lr"].to_pylist() == [1e-3] * 3
        seconds = table["wall_s"].to_pylist()
        assert 0 < seconds[0] < seconds[1] < seconds[2]
        assert table["hessian_trace"].null_count == 0
        assert table["fisher_trace"].null_count == 3


def test_tables_of_several_families_are_one_to_duckdb(files: dict[str, Path]) -> None:
    listed = ", ".join(f"'{path}'" for path in files.values())
    query = f"""
        SELECT parse_path(filename)[-2] AS run, count(*), count(test_acc), count(routing_entropy)
        FROM read_parquet([{listed}], union_by_name = true, filename = true) GROUP BY run ORDER BY run
    """
    assert {"head_0_utilization", "head_1_utilization"} <= set(pq.read_schema(files["routed"]).names)
    assert duckdb.sql(query).fetchall() == [("baseline", 3, 3, 0), ("routed", 3, 3, 3)]
