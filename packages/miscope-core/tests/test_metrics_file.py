"""Metrics have no gap and no duplicate, however they were written, merged and cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.errors import BadFile
from miscope.store.metrics_file import append, compact, parts_in, read, read_series, truncate


def rows(*steps: int) -> list[tuple[int, str, float]]:
    return [(step, name, step / 2) for step in steps for name in ("train_loss", "test_loss")]


def test_series_are_read_back_by_name_and_ascending(tmp_path: Path):
    append(tmp_path, rows(2, 3))
    append(tmp_path, rows(0, 1))
    series = read_series(tmp_path)
    assert list(series) == ["test_loss", "train_loss"]
    assert series["test_loss"].steps.tolist() == [0, 1, 2, 3]
    assert series["test_loss"].values.tolist() == [0, 0.5, 1, 1.5]


def test_values_keep_every_bit_and_nan_stays_nan(tmp_path: Path):
    append(tmp_path, [(0, "loss", 0.1 + 0.2), (1, "loss", float("nan"))])
    values = read_series(tmp_path)["loss"].values
    assert values[0] == 0.1 + 0.2
    assert np.isnan(values[1])


def test_many_small_parts_become_few_and_hold_every_row_once(tmp_path: Path):
    for step in range(100):
        append(tmp_path, rows(step))
    assert len(parts_in(tmp_path)) < 32
    assert read_series(tmp_path)["test_loss"].steps.tolist() == list(range(100))
    assert read(tmp_path).num_rows == 200


def test_a_reader_between_merging_and_cleaning_sees_each_row_once(tmp_path: Path):
    append(tmp_path, rows(0))
    append(tmp_path, rows(1))
    small = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    compact(tmp_path)
    for name, content in small.items():
        (tmp_path / name).write_bytes(content)
    assert read(tmp_path).num_rows == 4
    append(tmp_path, rows(2))
    assert read_series(tmp_path)["test_loss"].steps.tolist() == [0, 1, 2]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 4), max_size=12), st.integers(0, 30), st.booleans())
def test_resuming_anywhere_gives_the_series_of_an_unbroken_training(tmp_path_factory, lengths, resumed, merged):
    folder = tmp_path_factory.mktemp("metrics")
    done = 0
    for length in lengths:
        append(folder, rows(*range(done, done + length)))
        done += length
    last = min(resumed, done)
    if merged:
        compact(folder)
    truncate(folder, last)
    append(folder, rows(*range(min(last + 1, done), 40)))
    assert read(folder)["step"].to_pylist() == [step for step, _, _ in rows(*range(40))]


def test_truncating_beyond_the_end_writes_nothing(tmp_path: Path):
    append(tmp_path, rows(0, 1))
    before = {path: path.stat().st_ino for path in tmp_path.iterdir()}
    truncate(tmp_path, 1)
    assert {path: path.stat().st_ino for path in tmp_path.iterdir()} == before


def test_two_writers_do_not_overwrite_each_other(tmp_path: Path, monkeypatch):
    append(tmp_path, rows(0))
    stale = parts_in(tmp_path)
    append(tmp_path, rows(1))
    listings = iter([stale])
    monkeypatch.setattr("miscope.store.metrics_file.parts_in", lambda folder: next(listings, parts_in(folder)))
    append(tmp_path, rows(2))
    monkeypatch.undo()
    assert read_series(tmp_path)["test_loss"].steps.tolist() == [0, 1, 2]


def test_a_truncated_part_is_an_error_that_names_it(tmp_path: Path):
    append(tmp_path, rows(0))
    part = parts_in(tmp_path)[0].path
    part.write_bytes(part.read_bytes()[:50])
    with pytest.raises(BadFile) as raised:
        read_series(tmp_path)
    assert raised.value.path == str(part)


def test_no_metrics_are_no_series(tmp_path: Path):
    assert read_series(tmp_path / "none") == {}
