"""Files that appear whole or not at all, and what killed writers leave beside them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from miscope.bound import open_bound
from miscope.store.atomic import sweep, unfinished, write_whole
from miscope.testing import tables


@contextmanager
def writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process in the middle of writing the file."""
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom miscope.store.atomic import write_whole\n"
        "def write(file):\n    file.write(b'half'); file.flush(); print('half', flush=True); time.sleep(600)\n"
        "write_whole(Path(sys.argv[1]), write)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "half\n"
            yield process
        finally:
            process.kill()


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_what_a_killed_writer_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    write_whole(tmp_path / "done.npz", lambda file: file.write(b"whole"))
    (tmp_path / ".hidden.1234.0123abcd").touch()
    with writer(tmp_path / "half.npz") as process:
        process.kill()
        process.wait()
        assert len(names(tmp_path)) == 3
        (left,) = sweep(tmp_path)
    assert left.name.startswith(".half.npz.")
    assert names(tmp_path) == [".hidden.1234.0123abcd", "done.npz"]


def test_what_a_live_writer_is_at_is_left_alone(tmp_path: Path) -> None:
    with writer(tmp_path / "half.npz"):
        before = names(tmp_path)
        assert sweep(tmp_path) == []
        assert names(tmp_path) == before


def test_what_another_machine_left_is_left_alone(tmp_path: Path) -> None:
    dead = unfinished(tmp_path / "half.npz").name.split(".")
    here, _ = dead[-2].split("-")
    theirs = ".".join([*dead[:-2], f"{'0' if here[0] != '0' else '1'}{here[1:]}-{_DEAD}", dead[-1]])
    (tmp_path / theirs).touch()
    assert sweep(tmp_path) == []
    assert names(tmp_path) == [theirs]


def test_folders_are_swept_whole_and_only_this_one_where_it_is_not_deep(tmp_path: Path) -> None:
    below = tmp_path / "artifacts"
    for folder in (tmp_path, below):
        (folder / orphan("stack-1")).mkdir(parents=True)
        (folder / orphan("stack-1") / "0.npy").touch()
    assert len(sweep(tmp_path, deep=False)) == 1
    assert len(names(below)) == 1
    assert len(sweep(tmp_path)) == 1
    assert names(below) == []


def test_whoever_opens_a_workspace_to_write_sweeps_where_it_writes(tmp_path: Path) -> None:
    variant = open_bound(tmp_path, tables()).variant("toy.sum")
    layout = variant.workspace.store.layout
    places = [layout.checkpoints(variant.name), layout.variant(variant.name) / "artifacts/a/r", tmp_path]
    left = [place / orphan(name) for place, name in zip(places, ("step_1", "step_1.npz", "index.duckdb"), strict=True)]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    list(variant.train(threads=1))
    assert [path.exists() for path in left] == [False, False, True]
    left[1].touch()
    variant.analyze("parameters.norms")
    assert [path.exists() for path in left] == [False, False, True]
    variant.workspace.index.rebuild()
    assert [path.exists() for path in left] == [False, False, False]


@pytest.mark.parametrize("over", [True, False])
def test_a_writer_that_fails_leaves_nothing(tmp_path: Path, over: bool) -> None:
    def fail(file: object) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        write_whole(tmp_path / "never.npz", fail, over=over)
    assert names(tmp_path) == []


def gone() -> int:
    """The number of a process that has ended."""
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    return int(done.stdout)


def orphan(name: str) -> str:
    """What a killed process of this machine would have called its unfinished `name`."""
    words = unfinished(Path(name)).name.split(".")
    return ".".join([*words[:-2], f"{words[-2].split('-')[0]}-{_DEAD}", "00000000"])


_DEAD = gone()
