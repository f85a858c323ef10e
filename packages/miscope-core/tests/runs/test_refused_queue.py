"""A queue that the system will not have written: it says so in plain words, and is still read."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from miscope.errors import BadFile, CannotWrite
from miscope.runs.run_queue import RunQueue
from miscope.train_request import TrainRequest

NAMESPACES = ["unshare", "-rm", "true"]
READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 77
"$2" -m miscope runs list --workspace "$1"; echo "code $?"
"$2" -m miscope runs cancel 1 --workspace "$1"; echo "code $?"
"""


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    queue = RunQueue(tmp_path / "ws")
    training(queue)
    queue.close()
    return queue


def training(queue: RunQueue) -> None:
    queue.submit(TrainRequest(family="toy.sum"), what="toy.sum/a")


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(NAMESPACES, capture_output=True).returncode != 0,
    reason="no folder can be made read-only here without being root",
)
def test_a_workspace_that_may_only_be_read_is_listed_and_nothing_is_asked_there(queue: RunQueue) -> None:
    root = str(queue.layout.root)
    words = ["unshare", "-rm", "bash", "-c", READ_ONLY, "bash", root, sys.executable]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("this kernel binds no folder read-only")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[1:] == ["1 pending train toy.sum/a", "code 0", "code 1"]
    assert done.stderr.startswith(f"{queue.layout.queue} cannot be written.\n")


def test_a_run_that_has_no_room_for_its_folder_is_not_in_the_queue(queue: RunQueue) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert len(queue.runs()) == 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(CannotWrite) as refusal:
            training(queue)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "cannot be written." in str(refusal.value).splitlines()[0]
    assert [run.id for run in queue.runs()] == [1]
    training(queue)
    assert [run.id for run in queue.runs()] == [1, 2]


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("SQLITE_FULL", CannotWrite),
        ("SQLITE_IOERR_FSYNC", CannotWrite),
        ("SQLITE_IOERR_SHMSIZE", CannotWrite),
        ("SQLITE_READONLY_DBMOVED", CannotWrite),
        ("SQLITE_CORRUPT_INDEX", BadFile),
        ("SQLITE_IOERR_SHORT_READ", BadFile),
        ("SQLITE_NOTADB", BadFile),
    ],
)
def test_a_queue_that_the_system_refuses_is_not_called_damaged(
    queue: RunQueue, name: str, refusal: type[Exception]
) -> None:
    error = sqlite3.OperationalError("as SQLite has it")
    error.sqlite_errorname = name
    with pytest.raises(refusal), queue.database.transaction():
        raise error
