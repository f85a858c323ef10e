"""What lies in the folders is what the index counts: copied in, removed by hand, damaged, under another's name."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from miscope.artifact import ArtifactKey, scalars_of
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
COUNTED = ("checkpoints", "artifacts", "scalars", "metrics")
COUNT = "SELECT '{table}' AS name, split_part(variant, '/', 2) AS slug, count(*) AS n FROM {table} GROUP BY ALL"


class Place:
    """A workspace folder, written the way training and analysis write it."""

    def __init__(self, root: Path) -> None:
        self.root, self.store, self.ledger = root, Store(root), Ledger(root / "ledger")

    def made(self, seed: int, steps: range = range(3)) -> Variant:
        variant = make_variant(ToyFamily(), {"seed": seed})
        self.store.save_variant(variant)
        with self.ledger.run("train", variant.name) as log:
            for step in steps:
                self.store.save_checkpoint(variant.name, Checkpoint(step=step, weights={"W_E": torch.zeros(1)}))
                key = ArtifactKey(variant=variant.name, analyzer="toy.norm", recipe="r1", probe="grid@12", step=step)
                self.store.save_arrays(key, {"norm": np.float64(step)})
                source = {"analyzer": key.analyzer, "recipe": key.recipe, "probe": key.probe}
                log.write("checkpoint", step=step)
                log.write("artifact", **source, step=step, scalars={"norm": float(step)})
        self.store.append_metrics(variant.name, [(step, "test_loss", 1 / (1 + step)) for step in steps])
        return variant

    def folder(self, variant: Variant) -> Path:
        return self.store.layout.variant(variant.name)

    def ask(self, sql: str) -> Rows:
        return Index(Store(self.root)).ask(sql).to_pylist()

    def counts(self) -> dict[str, dict[str, object]]:
        """Rows of each table by slug, as asked; the same as in an index made anew."""
        counted: dict[str, dict[str, object]] = {name: {} for name in COUNTED}
        for row in self.ask(" UNION ALL ".join(COUNT.format(table=name) for name in COUNTED)):
            counted[str(row["name"])][str(row["slug"])] = row["n"]
        everything = " UNION ALL ".join(
            f"SELECT '{name}' AS name, {name}::VARCHAR AS said FROM {name}" for name in TABLES
        )
        rows = self.ask(f"{everything} ORDER BY ALL")
        Index(Store(self.root)).rebuild()
        assert rows == self.ask(f"{everything} ORDER BY ALL")
        return counted


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "workspace")


A, B = "v5-seed0-width16", "v5-seed1-width16"


def all_tables(rows: dict[str, int]) -> dict[str, dict[str, int]]:
    return dict.fromkeys(COUNTED, rows)


@pytest.mark.parametrize("asked_before", [True, False])
def test_a_variant_copied_in_from_another_workspace_is_in_every_table(place: Place, tmp_path: Path, asked_before: bool):
    place.made(0)
    other = Place(tmp_path / "other")
    variant = other.made(1)
    if asked_before:
        place.ask("FROM variants")
    shutil.copytree(other.folder(variant), place.folder(variant))
    assert place.counts() == all_tables({A: 3, B: 3})


def test_a_checkpoint_removed_by_hand_is_counted_no_more(place: Place):
    variant = place.made(0)
    place.ask("FROM variants")
    place.store.layout.checkpoint(variant.name, 1).unlink()
    assert place.counts()["checkpoints"] == {A: 2}


@pytest.mark.parametrize("removed", ["artifacts", "artifacts/toy.norm", "artifacts/toy.norm/r1"])
@pytest.mark.parametrize("published", [True, False])
def test_artifact_folders_removed_by_hand_are_counted_no_more(place: Place, removed: str, published: bool):
    variant, other = place.made(0), place.made(1)
    place.ask("FROM variants")
    if not published:
        place.store.append_metrics(other.name, [(9, "test_loss", 0.5)])
        variant = place.made(2)
    shutil.rmtree(place.folder(variant) / removed)
    counted = place.counts()
    assert variant.slug not in counted["artifacts"] | counted["scalars"]
    assert counted["artifacts"][B] == 3


def test_a_copy_under_another_good_name_shows_nothing_as_its_own_and_says_whose_it_is(place: Place):
    variant = place.made(0)
    place.ask("FROM variants")
    shutil.copytree(place.folder(variant), place.folder(variant).with_name("v5-seed7-width16"))
    assert place.counts() == all_tables({A: 3})
    (row,) = place.ask("SELECT variant, problem FROM variants WHERE problem IS NOT NULL")
    assert row["variant"] == "toy.sum/v5-seed7-width16"
    assert str(row["problem"]).startswith(
        f"toy.sum/v5-seed7-width16 is not the variant that lies in its folder: that is {variant.name}."
    )


def test_an_oddly_named_folder_and_a_broken_record_are_rows_with_a_reason(place: Place):
    variant = place.made(0)
    for name in ("v5 (copy)", os.fsdecode(b"v\xff"), "v5-seed8-width16"):
        shutil.copytree(place.folder(variant), place.folder(variant).with_name(name))
    (place.folder(variant).with_name("v5-seed8-width16") / "variant.json").write_text('{"params": [')
    rows = {r["variant"]: r for r in place.ask("SELECT variant, digest, problem FROM variants")}
    assert set(rows) == {variant.name, "toy.sum/v5 (copy)", "toy.sum/v\\udcff", "toy.sum/v5-seed8-width16"}
    assert rows[variant.name]["problem"] is None
    assert all(row["problem"] and row["digest"] is None for name, row in rows.items() if name != variant.name)
    # What lies beside a broken record is still what that folder's name says.
    assert place.counts()["checkpoints"] == {A: 3, "v5-seed8-width16": 3}


def test_a_damaged_metrics_part_is_told_and_its_rows_come_back_with_it(place: Place, command):
    variant = place.made(0)
    place.store.append_metrics(variant.name, [(3, "test_loss", 0.1)])
    first, _ = sorted((place.folder(variant) / "metrics").iterdir())
    content, time = first.read_bytes(), first.stat().st_mtime_ns
    first.write_bytes(content[:-7])
    folder_time = first.parent.stat().st_mtime_ns
    problem = f"metrics/{first.name} is damaged, its rows are left out"
    assert Index(place.store).rebuild() == {variant.name: problem}
    assert place.ask("SELECT step FROM metrics") == [{"step": 3}]
    code, out, err = command("ask", "SELECT count(*) AS n FROM metrics", "-w", place.root, "--format", "json")
    assert (code, json.loads(out), err) == (0, [{"n": 1}], f"{variant.name}: {problem}\n")
    assert command("index", "rebuild", "-w", place.root)[2] == f"{variant.name}: {problem}\n"
    first.write_bytes(content)
    os.utime(first, ns=(time, time))
    os.utime(first.parent, ns=(folder_time, folder_time))
    assert place.ask("SELECT count(*) AS n FROM metrics") == [{"n": 4}]
    assert place.ask("SELECT problem FROM variants") == [{"problem": None}]


ODD_NAMES = ("run[1]", "a?b", "back\\slash", "st*r", "{x,y}", "it's")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Workspaces of odd names with two steps each, among others of more that these might be taken for patterns of."""
    street = tmp_path_factory.mktemp("street")
    for name in ("run1", "aab", "backslash", "star", "x", *ODD_NAMES):
        Place(street / name).made(0, range(2 if name in ODD_NAMES else 5))
    return street


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_workspace_of_any_name_is_asked_and_no_other_beside_it(street: Path, name: str):
    place = Place(street / name)
    assert place.counts() == all_tables({A: 2})
    place.store.append_metrics("toy.sum/" + A, [(9, "test_loss", 0.5)])
    assert place.counts()["metrics"] == {A: 3}
    assert (place.root / "index.duckdb").exists()


def test_text_as_a_scalar_is_refused_when_saved_and_skipped_when_read(place: Place):
    variant = place.made(0)
    key = ArtifactKey(variant=variant.name, analyzer="toy.word", recipe="r1", probe="-", step=0)
    with pytest.raises(BadValue) as raised:
        place.store.save_arrays(key, {"word": np.array("sphere")})
    assert str(raised.value) == (
        "'toy.word' returned 'word' as a single value of type <U6.\n"
        "A 0-d output is a scalar, a row of the index, and so a real number or a truth value.\n"
        "Return text as an array of one element, and a complex number as two."
    )
    path = place.store.layout.artifact(key)
    path.parent.mkdir(parents=True)
    np.savez(path, word=np.array("sphere"), size=np.float32(2.0), when=np.datetime64("2026-01-01"), z=np.complex64(1j))
    assert place.counts()["scalars"] == {A: 3}
    assert scalars_of({"word": np.array("x"), "yes": np.array(True), "n": np.int8(3)}) == {"yes": 1.0, "n": 3.0}


def test_scalars_that_are_no_numbers_are_there_and_in_no_comparison(place: Place):
    variant = place.made(0)
    with place.ledger.run("analyze", variant.name) as log:
        for step, value in ((0, "inf"), (1, None), (2, "-inf")):
            key = ArtifactKey(variant=variant.name, analyzer="toy.odd", recipe="r1", probe="-", step=step)
            place.store.save_arrays(key, {"odd": np.float64(value or "nan")})
            source = {"analyzer": key.analyzer, "recipe": key.recipe, "probe": key.probe}
            log.write("artifact", **source, step=step, scalars={"odd": value})
    expected = [{"step": 0, "value": float("inf")}, {"step": 1, "value": None}, {"step": 2, "value": float("-inf")}]
    query = "SELECT step, value FROM scalars WHERE name = 'odd' ORDER BY step"
    assert place.ask(query) == expected
    assert place.ask("SELECT step FROM scalars WHERE name = 'odd' AND value > 5") == [{"step": 0}]
    # The same of the files alone.
    shutil.rmtree(place.ledger.folder)
    Index(place.store).rebuild()
    assert place.ask(query) == expected


def test_an_index_with_a_flipped_bit_anywhere_still_gives_every_row(place: Place):
    place.made(0)
    Index(place.store).rebuild()
    path = place.root / "index.duckdb"
    content = path.read_bytes()
    for place_of in range(4096, len(content), len(content) // 12):
        flipped = bytearray(content)
        flipped[place_of] ^= 64
        path.write_bytes(flipped)
        assert place.ask("SELECT count(*) AS n, sum(step) AS s FROM metrics") == [{"n": 3, "s": 3}]
