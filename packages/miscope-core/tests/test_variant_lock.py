"""One trainer of a variant at a time, in real processes and threads."""

import fcntl
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from platform import node

import pytest

from miscope.bound import BoundVariant, open_bound
from miscope.errors import Busy
from miscope.store.process_identity import this_process
from miscope.store.variant_lock import lock_holder, variant_lock
from miscope.testing import tables


def toy(root: Path) -> BoundVariant:
    return open_bound(root, tables()).variant("toy.sum")


@contextmanager
def elsewhere(body: str, *words: object) -> Iterator[subprocess.Popen[str]]:
    """A process that runs the script until it says 'begun'; killed in the end."""
    told = [sys.executable, "-c", body, *map(str, words)]
    process = subprocess.Popen(told, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()


HOLDS = """
import sys, time
from pathlib import Path
from miscope.store.variant_lock import variant_lock
with variant_lock(Path(sys.argv[1]), "toy.sum/n5"):
    print("begun", flush=True)
    time.sleep(600)
"""

TRAINS = """
import sys
from pathlib import Path
from miscope.testing import tables
from miscope.bound import open_bound
variant = open_bound(Path(sys.argv[1]), tables()).variant("toy.sum", checkpoints="0")
for progress in variant.train(steps=10**9, threads=1):
    if progress.step == 0:
        print("begun", flush=True)
"""


def test_the_second_process_is_told_who_is_there(tmp_path: Path) -> None:
    lock = tmp_path / "writing.lock"
    with elsewhere(HOLDS, lock) as other, pytest.raises(Busy) as refusal, variant_lock(lock, "toy.sum/n5"):
        pass
    since = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    expected = (
        "toy.sum/n5 is being trained or imported already.\n"
        f"That is the work of process {other.pid} on {node()} since SINCE; "
        "two at once would overwrite each other's files.\n"
        f"Wait for it to end, or stop it (`kill {other.pid}`): the same command then goes on from there."
    )
    assert re.sub(since, "SINCE", str(refusal.value)) == expected


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "writing.lock"
    with elsewhere(HOLDS, lock) as other:
        other.kill()
        other.wait()
        with variant_lock(lock, "toy.sum/n5"):
            pass
    assert lock.read_bytes() == b""


def test_a_holder_that_has_not_said_its_name_keeps_others_out_all_the_same(tmp_path: Path) -> None:
    lock = tmp_path / "writing.lock"
    with variant_lock(lock, "toy.sum/n5"):
        lock.write_bytes(b"")
        with pytest.raises(Busy) as refusal, variant_lock(lock, "toy.sum/n5"):
            pass
    assert refusal.value.holder == "another process"


@pytest.mark.slow
def test_who_held_a_lock_is_not_taken_for_the_process_that_has_its_number_now(tmp_path: Path) -> None:
    path, mine = tmp_path / "lock", this_process()
    holder = {"host": mine.host, "pid": mine.pid, "born": mine.born, "since": "now"}
    path.write_text(json.dumps(holder))
    assert lock_holder(path) == f" by process {mine.pid}"
    path.write_text(json.dumps({**holder, "born": mine.born - 5}))
    assert lock_holder(path) == ""
    path.write_text(json.dumps({**holder, "host": "elsewhere"}))
    assert lock_holder(path) == ""


def test_a_process_that_a_killed_holder_was_about_to_start_lets_go_in_a_moment(tmp_path: Path) -> None:
    path, mine = tmp_path / "lock", this_process()
    with path.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        gone = {"host": mine.host, "pid": mine.pid, "born": mine.born - 5, "since": "before"}
        path.write_text(json.dumps(gone))
        started = threading.Timer(0.2, held.close)
        started.start()
        with variant_lock(path, "toy.sum/v5"):
            assert lock_holder(path) == f" by process {mine.pid}"
        started.join()


def test_two_processes_never_train_one_variant_and_after_a_kill_the_other_goes_on(tmp_path: Path) -> None:
    variant = toy(tmp_path)
    with elsewhere(TRAINS, tmp_path) as other:
        before = variant.workspace.store.variant_record(variant.name)
        with pytest.raises(Busy):
            list(variant.train(threads=1))
        assert variant.workspace.store.variant_record(variant.name) == before
        assert len(variant.workspace.ledger.runs()) == 1
        other.kill()
        other.wait()
        *_, last = variant.train(steps=40, threads=1)
    assert last.step == 40


def test_two_threads_never_train_one_variant(tmp_path: Path) -> None:
    variant = toy(tmp_path)
    held = variant.train(threads=1)
    next(held)
    refused: list[BaseException] = []

    def try_too() -> None:
        try:
            list(variant.train(threads=1))
        except Busy as error:
            refused.append(error)

    thread = threading.Thread(target=try_too)
    thread.start()
    thread.join()
    assert len(refused) == 1
    assert "another thread of this process since" in str(refused[0])
    assert "(close its iterator)" in str(refused[0])
    assert list(held)[-1].step == 30


def test_a_training_left_half_way_gives_way_to_the_next_of_its_thread(tmp_path: Path) -> None:
    variant = toy(tmp_path)
    kept = variant.train(threads=1)  # as a notebook keeps the iterator of a loop whose body failed
    next(kept)
    assert list(variant.train(threads=1))[-1].step == 30
    assert list(kept) == []
    assert [line["event"] for line in variant.workspace.ledger.lines() if line["event"] in ("stopped", "finished")] == [
        "stopped",
        "finished",
    ]


def test_nothing_is_imported_into_a_variant_that_is_being_trained(tmp_path: Path) -> None:
    source, target = toy(tmp_path / "source"), toy(tmp_path / "target")
    list(source.train(threads=1))
    path = source.workspace.store.layout.checkpoint(source.name, 30)
    lock = target.workspace.store.layout.lock(target.name)
    with elsewhere(HOLDS, lock), pytest.raises(Busy):
        target.workspace.adopt(path, family="toy.sum")
    assert target.steps == []


def test_another_variant_is_trained_meanwhile(tmp_path: Path) -> None:
    workspace = open_bound(tmp_path, tables())
    one, other = workspace.variant("toy.sum", seed=1), workspace.variant("toy.sum", seed=2)
    both = one.train(threads=1), other.train(threads=1)
    assert [next(training).step for training in both] == [0, 0]
    assert [list(training)[-1].step for training in both] == [30, 30]
