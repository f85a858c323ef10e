"""The index answers from the files as they are now, whoever writes meanwhile, and can always be made anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest
import torch

from miscope.artifact import ArtifactKey
from miscope.checkpoint import Checkpoint
from miscope.errors import BadValue
from miscope.family import make_variant
from miscope.index.index import Index
from miscope.index.schema import TABLES
from miscope.store.ledger import Ledger
from miscope.store.store import Store
from miscope.testing.toy import ToyFamily
from miscope.variant import Variant

Rows = list[dict[str, object]]


class Place:
    """A workspace folder, written the way training and analysis write it."""

    def __init__(self, root: Path) -> None:
        self.root, self.store, self.ledger = root, Store(root), Ledger(root / "ledger")

    def variant(self, seed: int) -> Variant:
        made = make_variant(ToyFamily(), {"seed": seed})
        self.store.save_variant(made)
        return made

    def save(self, variant: Variant, steps: range, recipe: str = "r1", *, noted: bool = True) -> None:
        """Checkpoints, metrics and artifacts; noted: with the run's ledger lines."""
        with self.ledger.run("train", variant.name) as log:
            for step in steps:
                self.store.save_checkpoint(variant.name, Checkpoint(step=step, weights={"W_E": torch.zeros(1)}))
                key = ArtifactKey(variant=variant.name, analyzer="toy.norm", recipe=recipe, probe="grid@12", step=step)
                self.store.save_arrays(key, {"norm": np.float64(step), "map": np.zeros(3)})
                if noted:
                    source = {"analyzer": key.analyzer, "recipe": recipe, "probe": key.probe}
                    log.write("checkpoint", step=step)
                    log.write("artifact", **source, step=step, scalars={"norm": float(step)})
        self.store.append_metrics(variant.name, [(step, "test_loss", 1 / (1 + step)) for step in steps])

    def ask(self, sql: str) -> Rows:
        return Index(Store(self.root)).ask(sql).to_pylist()

    def everything(self) -> dict[str, Rows]:
        return {table: self.ask(f"FROM {table} ORDER BY ALL") for table in TABLES}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_all_tables_answer_after_a_run(place: Place):
    variant = place.variant(0)
    place.save(variant, range(3))
    assert place.ask("SELECT variant, params->>'seed' AS seed FROM variants") == [
        {"variant": variant.name, "seed": "0"}
    ]
    assert place.ask("SELECT kind, state FROM runs") == [{"kind": "train", "state": "completed"}]
    assert place.ask("SELECT step FROM checkpoints ORDER BY step") == [{"step": s} for s in range(3)]
    assert place.ask("SELECT analyzer, probe, step FROM artifacts WHERE step = 2") == [
        {"analyzer": "toy.norm", "probe": "grid@12", "step": 2}
    ]
    assert place.ask("SELECT step, value FROM scalars WHERE name = 'norm' AND value > 1") == [{"step": 2, "value": 2.0}]
    assert place.ask("SELECT min(step) AS first FROM metrics WHERE name = 'test_loss' AND value < 0.4") == [
        {"first": 2}
    ]


def test_an_empty_workspace_has_empty_tables(place: Place):
    assert place.everything() == {table: [] for table in TABLES}


def test_what_is_newer_than_the_snapshot_is_in_the_answer(place: Place):
    first, second = place.variant(0), place.variant(1)
    place.save(first, range(2))
    place.ask("FROM variants")
    snapshot = (place.root / "index.duckdb").stat().st_ino
    place.save(second, range(2))
    place.save(first, range(2, 4))
    assert place.ask("SELECT variant, count(*) AS n, max(value) AS top FROM scalars GROUP BY ALL ORDER BY ALL") == [
        {"variant": first.name, "n": 4, "top": 3.0},
        {"variant": second.name, "n": 2, "top": 1.0},
    ]
    assert len(place.ask("FROM metrics")) == 6
    assert (place.root / "index.duckdb").stat().st_ino == snapshot


def test_snapshot_and_tail_say_the_same_as_an_index_made_anew(place: Place):
    first, second = place.variant(0), place.variant(1)
    place.save(first, range(3))
    Index(place.store).rebuild()
    place.save(first, range(2, 5), recipe="r2")
    place.save(second, range(2))
    before = place.everything()
    (place.root / "index.duckdb").unlink()
    Index(place.store).rebuild()
    assert place.everything() == before
    assert {table: len(rows) for table, rows in before.items()} == {
        "variants": 2,
        "runs": 3,
        "checkpoints": 7,
        "artifacts": 8,
        "metrics": 8,
        "scalars": 7,
    }


def test_a_scalar_is_of_the_recipe_written_last(place: Place):
    variant = place.variant(0)
    place.save(variant, range(2), recipe="old")
    Index(place.store).rebuild()
    place.save(variant, range(1), recipe="new")
    assert place.ask("SELECT step, recipe FROM scalars ORDER BY step") == [
        {"step": 0, "recipe": "new"},
        {"step": 1, "recipe": "old"},
    ]
    assert len(place.ask("FROM artifacts")) == 3


def test_files_whose_line_was_lost_are_found_with_their_scalars(place: Place):
    variant = place.variant(0)
    place.save(variant, range(2), noted=False)
    Index(place.store).rebuild()
    assert place.ask("SELECT step FROM checkpoints ORDER BY step") == [{"step": 0}, {"step": 1}]
    assert place.ask("SELECT probe, step FROM artifacts ORDER BY step")[1] == {"probe": "grid@12", "step": 1}
    assert place.ask("SELECT step, name, value FROM scalars ORDER BY step")[1] == {
        "step": 1,
        "name": "norm",
        "value": 1.0,
    }


def test_files_that_are_gone_are_not_in_a_rebuilt_index(place: Place):
    variant, other = place.variant(0), place.variant(1)
    place.save(variant, range(3))
    place.save(other, range(1))
    key = ArtifactKey(variant=variant.name, analyzer="toy.norm", recipe="r1", probe="-", step=1)
    place.store.layout.artifact(key).unlink()
    place.store.layout.checkpoint(variant.name, 2).unlink()
    Index(place.store).rebuild()
    mine = f"WHERE variant = '{variant.name}' ORDER BY step"
    assert [row["step"] for row in place.ask(f"SELECT step FROM scalars {mine}")] == [0, 2]
    assert [row["step"] for row in place.ask(f"SELECT step FROM checkpoints {mine}")] == [0, 1]


def test_a_deleted_variant_is_gone_from_every_table_of_data(place: Place):
    variant, other = place.variant(0), place.variant(1)
    place.save(variant, range(2))
    place.save(other, range(2))
    place.ask("FROM variants")
    shutil.rmtree(place.store.layout.variant(variant.name))
    for table in ("variants", "checkpoints", "artifacts", "metrics", "scalars"):
        assert place.ask(f"SELECT DISTINCT variant FROM {table}") == [{"variant": other.name}]


def test_a_killed_run_is_interrupted_and_what_it_saved_is_found(place: Place):
    variant = place.variant(0)
    place.save(variant, range(1))
    place.ask("FROM variants")
    code = f"""
import os
from miscope.store.ledger import Ledger
log = Ledger({str(place.ledger.folder)!r}).run("analyze", {variant.name!r}).__enter__()
log.write("checkpoint", step=5)
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    key = ArtifactKey(variant=variant.name, analyzer="toy.late", recipe="r", probe="-", step=5)
    place.store.save_arrays(key, {"x": np.float64(3)})
    assert place.ask("SELECT state FROM runs ORDER BY started") == [{"state": "completed"}, {"state": "interrupted"}]
    assert place.ask("SELECT value FROM scalars WHERE analyzer = 'toy.late'") == [{"value": 3.0}]


def test_a_run_still_going_is_running(place: Place):
    variant = place.variant(0)
    with place.ledger.run("train", variant.name):
        assert place.ask("SELECT state FROM runs") == [{"state": "running"}]
    assert place.ask("SELECT state FROM runs") == [{"state": "completed"}]


def test_merged_and_truncated_metrics_replace_those_of_the_snapshot(place: Place):
    variant = place.variant(0)
    for step in range(5):
        place.store.append_metrics(variant.name, [(step, "loss", float(step))])
    place.ask("FROM metrics")
    place.store.compact_metrics(variant.name)
    assert len(place.ask("FROM metrics")) == 5
    place.store.truncate_metrics(variant.name, 2)
    assert [row["step"] for row in place.ask("FROM metrics ORDER BY step")] == [0, 1, 2]


def test_a_bad_file_costs_its_own_rows_and_no_others(place: Place):
    variant, other = place.variant(0), place.variant(1)
    place.save(variant, range(2))
    place.save(other, range(2))
    for path in place.store.layout.metrics(variant.name).iterdir():
        path.write_bytes(b"not Parquet")
    place.store.layout.record(variant.name).write_text("{")
    (place.ledger.folder / "20200101T000000000000-train-bad.jsonl").write_bytes(b'\x00\xff{\n[1]\n{}\n{"event": 3}\n')
    Index(place.store).rebuild()
    assert place.ask("SELECT DISTINCT variant FROM metrics") == [{"variant": other.name}]
    assert place.ask("SELECT variant FROM variants WHERE problem IS NULL") == [{"variant": other.name}]
    assert len(place.ask("FROM checkpoints")) == 4


@pytest.mark.parametrize("content", [b"", b"not a database", None])
def test_an_index_one_cannot_read_is_made_anew(place: Place, content: bytes | None):
    variant = place.variant(0)
    place.save(variant, range(2))
    if content is None:
        with duckdb.connect(place.root / "index.duckdb") as database:
            database.execute("CREATE TABLE something AS SELECT 1")
    else:
        (place.root / "index.duckdb").write_bytes(content)
    assert len(place.ask("FROM scalars")) == 2
    with duckdb.connect(place.root / "index.duckdb", read_only=True) as database:
        assert database.execute("SELECT count(*) FROM scalars").fetchall() == [(2,)]


def test_an_index_another_program_holds_open_for_writing_stops_nobody(place: Place):
    variant = place.variant(0)
    place.save(variant, range(2))
    place.ask("FROM scalars")
    path = str(place.root / "index.duckdb")
    code = f"import duckdb; held = duckdb.connect({path!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        assert len(place.ask("FROM scalars")) == 2
        holder.kill()


def test_a_workspace_one_may_only_read_is_answered(place: Place, monkeypatch: pytest.MonkeyPatch):
    place.save(place.variant(0), range(2))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "read-only")

    monkeypatch.setattr(Index, "_publish", refuse)
    assert len(place.ask("FROM scalars")) == 2
    assert not (place.root / "index.duckdb").exists()


def test_publishing_leaves_nothing_beside_the_index(place: Place):
    place.save(place.variant(0), range(2))
    Index(place.store).rebuild()
    assert sorted(path.name for path in place.root.iterdir()) == ["index.duckdb", "ledger", "variants"]


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE scalars",
        "INSERT INTO scalars SELECT * FROM scalars",
        "SELECT 1; SELECT 2",
        "ATTACH 'x.duckdb' AS x",
        "COPY scalars TO 'x.csv'",
        "SET threads = 1",
        "",
    ],
)
def test_only_a_single_question_is_answered(place: Place, sql: str):
    with pytest.raises(BadValue, match="The index answers one SELECT; this is"):
        place.ask(sql)


@pytest.mark.parametrize("call", ["read_csv", "read_text", "read_json", "glob", "read_parquet"])
def test_a_question_reads_no_file(place: Place, call: str):
    with pytest.raises(BadValue, match="disabled by configuration"):
        place.ask(f"FROM {call}('/etc/passwd')")


def test_a_question_that_cannot_be_understood_is_answered_in_three_parts(place: Place):
    with pytest.raises(BadValue) as raised:
        place.ask("SELECT * FROM scalar")
    what, known, todo = str(raised.value).splitlines()
    assert what.startswith("The question cannot be answered. Catalog Error: Table with name scalar does not exist!")
    assert "scalars (variant, analyzer, step, name, value, probe, recipe)" in known
    assert todo == "Change the question; `DESCRIBE scalars` gives a table's types."


def test_a_large_tail_is_published(place: Place, monkeypatch: pytest.MonkeyPatch):
    variant = place.variant(0)
    place.ask("FROM variants")
    snapshot = (place.root / "index.duckdb").stat().st_ino
    monkeypatch.setattr("miscope.index.views._TAIL_BYTES", 100)
    place.save(variant, range(5))
    before = place.everything()
    assert (place.root / "index.duckdb").stat().st_ino != snapshot
    Index(place.store).rebuild()
    assert place.everything() == before


def test_saving_asking_and_rebuilding_at_once_never_fails(tmp_path: Path):
    script = Path(__file__).parent / "busy_workspace.py"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, script, tmp_path], check=True, env=environment)
    place = Place(tmp_path)
    before = place.everything()
    Index(place.store).rebuild()
    assert place.everything() == before
    for name in place.store.variants():
        noted = place.ask(f"SELECT step FROM checkpoints WHERE variant = '{name}' ORDER BY step")
        assert [row["step"] for row in noted] == place.store.steps(name)
