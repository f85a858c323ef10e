"""Artifacts are derived: what a disk does to them is seen, and what can be made again is made again."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from miscope.artifact import ArtifactKey
from miscope.errors import BadFile
from miscope.store.array_file import read_arrays, read_key, write_arrays
from miscope.store.store import Store


def key(step: int) -> ArtifactKey:
    return ArtifactKey(variant="toy.sum/v5", analyzer="toy.norm", recipe="abc", probe="grid@12", step=step)


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    chance = np.random.default_rng(0)
    return {"a": chance.normal(size=(3, 7)), "n": np.arange(9), "norm": np.float64(2.5), "words": np.array(["x", "yz"])}


def test_every_flipped_bit_of_an_artifact_is_seen_or_means_nothing(tmp_path: Path, arrays: dict[str, np.ndarray]):
    path = write_arrays(tmp_path / "step.npz", arrays, key(3))
    content, chance = path.read_bytes(), random.Random(2)
    refused = 0
    for _ in range(400):
        bit = chance.randrange(8 * len(content))
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            loaded = read_arrays(path)
            assert set(loaded) == set(arrays)
            assert all(np.array_equal(loaded[name], arrays[name]) for name in arrays)
        except BadFile:
            refused += 1
        try:
            assert read_key(path) == key(3)
        except BadFile:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize("length", [0, 1, 30, 100, 400, -300])
def test_a_torn_or_garbled_artifact_is_refused_in_three_parts(
    tmp_path: Path, arrays: dict[str, np.ndarray], length: int
):
    path = write_arrays(tmp_path / "step.npz", arrays, key(3))
    content = path.read_bytes()
    for bad in (content[:length], bytes(reversed(content)), content[: len(content) // 2] * 2):
        path.write_bytes(bad)
        with pytest.raises(BadFile) as raised:
            read_arrays(path)
        assert str(raised.value).endswith("\nDelete it and run `miscope analyze` again; it is computed anew.")


def test_a_file_from_before_there_were_checksums_says_what_it_is(tmp_path: Path):
    import json
    import zipfile
    from dataclasses import asdict

    path = write_arrays(tmp_path / "step.npz", {"a": np.zeros(2)}, key(3))
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = json.dumps(asdict(key(3)), sort_keys=True).encode()
    assert read_key(path) == key(3)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    place = Store(tmp_path)
    for step in range(5):
        place.save_arrays(key(step), {"a": np.full((40, 3), float(step)), "n": np.int64(step)})
    return place


def again(store: Store) -> dict[str, np.ndarray]:
    """The stack as another process reads it."""
    return dict(Store(store.root).stacked("toy.sum/v5", "toy.norm", "abc"))


def test_a_stack_with_any_flipped_bit_is_built_again(store: Store):
    truth = again(store)
    (folder,) = store.layout.artifacts("toy.sum/v5", "toy.norm", "abc").glob("stack-*")
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(contents) == 3
    chance = random.Random(3)
    for name, content in contents.items():
        for _ in range(40):
            flipped = bytearray(content)
            flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            (folder / name).write_bytes(flipped)
            stacked = again(store)
            assert all(np.array_equal(stacked[array], truth[array]) for array in truth)
            (folder / name).write_bytes(content)


def test_a_damaged_stack_gives_no_row_to_the_next_one(store: Store):
    again(store)
    (folder,) = store.layout.artifacts("toy.sum/v5", "toy.norm", "abc").glob("stack-*")
    for path in folder.glob("*.npy"):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    store.save_arrays(key(5), {"a": np.full((40, 3), 5.0), "n": np.int64(5)})
    stacked = again(store)
    assert (stacked["a"][:, 0, 0] == np.arange(6)).all()
    assert (stacked["a"][:, -1, -1] == np.arange(6)).all()


def test_a_stack_from_before_there_were_checksums_is_built_again(store: Store):
    import json

    truth = again(store)
    (folder,) = store.layout.artifacts("toy.sum/v5", "toy.norm", "abc").glob("stack-*")
    manifest = json.loads((folder / "stack.json").read_text())
    for field in ("checksum", "checksums"):
        del manifest[field]
    (folder / "stack.json").write_text(json.dumps(manifest))
    assert all(np.array_equal(again(store)[name], truth[name]) for name in truth)
    assert "checksum" in json.loads((folder / "stack.json").read_text())
