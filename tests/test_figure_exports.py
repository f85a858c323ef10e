"""Every installed view's numbers as files: each reads back, or says in three parts why there are none."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import miscope_modadd
import miscope_toys
import miscope_views
from miscope.errors import MiscopeError
from miscope.figures.export import export
from miscope.figures.render import render
from miscope.testing import Scene, coverage_of, scene, tables
from miscope.testing.toy import ToyFourierFamily

NOTHING_OF_THEM = ("x", "y", "z", "")


@pytest.fixture(scope="module")
def runs() -> Iterator[Scene]:
    plugins = tables(modadd=miscope_modadd, toys=miscope_toys, views=miscope_views)
    with scene(ToyFourierFamily(), plugins, {"width": 8}) as place:
        coverage_of(place.workspace, [variant.value for variant in place.variants])
        yield place


def test_every_view_writes_its_numbers_or_says_in_three_parts_why_not(runs: Scene, tmp_path: Path) -> None:
    values = [variant.value for variant in runs.variants]
    written, refused = [], {}
    for name, view in sorted(runs.workspace.plugins.views.items()):
        try:
            figure = render(runs.workspace, view, values if view.grain == "cohort" else values[0])
        except MiscopeError as error:
            refused[name] = str(error)
            continue
        files = [export(figure, tmp_path / f"{name}.{suffix}") for suffix in ("csv", "parquet", "npz")]
        check_read_back(*files)
        written.append(name)
    assert len(written) > 60
    assert {name: text for name, text in refused.items() if len(text.splitlines()) != 3} == {}


def check_read_back(text: Path, rows: Path, arrays: Path) -> None:
    table = pq.read_table(rows)
    names = table.column_names
    assert len(names) == len(set(names)) > 0, rows.name
    assert not set(names) & {*NOTHING_OF_THEM}, rows.name
    with text.open(newline="") as file:
        head, *lines = csv.reader(file)
    assert (head, len(lines)) == (names, table.num_rows)
    with np.load(arrays, allow_pickle=False) as file:
        held = {name: file[name] for name in file.files}
    assert {name.rpartition("/")[2] for name in held} <= {name.rpartition("/")[2] for name in names}
    assert any(array.size for array in held.values()) == (table.num_rows > 0)
