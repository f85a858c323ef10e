"""A queue whose file is damaged or gone is made anew from what the runs left, and says the truth again."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path
from platform import node

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.errors import BadFile
from miscope.runs import actions
from miscope.runs.queued_run import Place
from miscope.runs.rebuilding import mend, rebuild
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.ledger import Ledger
from miscope.store.process_identity import ProcessIdentity, this_process
from miscope.train_request import TrainRequest

GONE = ProcessIdentity(node(), 2**22 + 1, 1.0)
EXPECTED = {
    1: RunState.COMPLETED,
    2: RunState.PENDING,
    3: RunState.CANCELLED,
    4: RunState.FAILED,
    5: RunState.RUNNING,
    6: RunState.INTERRUPTED,
    7: RunState.PENDING,
    8: RunState.COMPLETED,
}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def write_log(ledger: Ledger, number: int, process: ProcessIdentity, *, failed: bool) -> None:
    """As that process would have written it while it worked on the run."""
    common = {"event": "started", "kind": "train", "variant": f"toy.sum/s{number}", "queued": number, "turn": 1}
    lines = [{**common, **asdict(process)}]
    if failed:
        lines.append({"event": "failed", "error": "the loss is no number"})
    ledger.folder.mkdir(exist_ok=True)
    (ledger.folder / f"2026-train-{number}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


@pytest.fixture
def queue(tmp_path: Path, ledger: Ledger) -> RunQueue:
    """One run in each state that there is to find again, with a priority, a need and a retry among them."""
    queue = RunQueue(tmp_path)
    for seed in range(6):
        place = Place(priority=seed, needs=(1,) if seed == 1 else ())
        queue.submit(TrainRequest(family="toy.sum", params={"seed": seed}), what=f"toy.sum/s{seed}", place=place)
    queue.claim(1, GONE)
    queue.move(1, RunState.COMPLETED)
    actions.cancel(queue, 3)
    for number, process in ((4, GONE), (5, this_process()), (6, GONE)):
        queue.claim(number, process)
        write_log(ledger, number, process, failed=number == 4)
    queue.move(4, RunState.FAILED, "the loss is no number")
    actions.retry(queue, 4)
    queue.submit(AnalyzeRequest(variants=("toy.sum/s0",)), what="toy.sum/s0")
    queue.claim(8, GONE)
    queue.move(8, RunState.COMPLETED)
    actions.delete(queue, 8)
    return queue


def states(queue: RunQueue) -> dict[int, RunState]:
    return {run.id: run.state for run in (*queue.runs(), *queue.runs(deleted=True))}


def test_a_queue_made_anew_has_every_run_in_its_state_at_its_place(queue: RunQueue, ledger: Ledger) -> None:
    before = {run.id: (run.request, run.what, run.place, run.created) for run in queue.runs()}
    lines = list(rebuild(queue, ledger))
    assert states(queue) == EXPECTED
    assert {run.id: (run.request, run.what, run.place, run.created) for run in queue.runs()} == before
    assert queue.run(4).error == "the loss is no number"
    assert queue.run(7).place == Place(priority=3, retry_of=4, attempt=2)
    assert [run.id for run in queue.runs(deleted=True)] == [8]
    assert lines[0].startswith("The queue was made anew from the runs' folders and the ledger, with 8 runs.")
    assert queue.submit(TrainRequest(family="toy.sum"), what="toy.sum/new").id == 9


@pytest.mark.parametrize("moment", range(20))
def test_a_damaged_file_is_told_and_mended_by_the_next_supervisor(queue: RunQueue, ledger: Ledger, moment: int) -> None:
    queue.close()
    path, chance = queue.layout.queue, random.Random(moment)
    content = bytearray(path.read_bytes())
    start = 0 if moment % 2 else chance.randrange(0, len(content) - 4096)
    content[start : start + 4096] = chance.randbytes(4096)
    path.write_bytes(bytes(content))
    assert next(mend(queue, ledger)).startswith("The queue was made anew")
    assert states(queue) == EXPECTED
    assert [each for each in mend(queue, ledger)] == []
    assert len(list(path.parent.glob("runs.sqlite.damaged-*"))) >= 1


def test_a_damaged_file_stops_whoever_asks_with_what_to_do(queue: RunQueue) -> None:
    queue.close()
    queue.layout.queue.write_bytes(b"no database" * 1000)
    with pytest.raises(BadFile) as refusal:
        queue.runs()
    assert str(refusal.value) == (
        f"{queue.layout.queue} cannot be read.\n"
        "It is damaged: file is not a database.\n"
        "To make it anew from what the runs left:  "
        f"miscope runs rebuild --workspace {queue.layout.root}"
    )


def test_a_file_that_is_gone_is_made_anew_and_an_empty_workspace_is_left_alone(
    queue: RunQueue, ledger: Ledger, tmp_path: Path
) -> None:
    queue.close()
    for path in tmp_path.glob("runs.sqlite*"):
        path.unlink()
    assert len(list(mend(queue, ledger))) == 1
    assert states(queue) == EXPECTED
    assert list(mend(RunQueue(tmp_path / "another"), ledger)) == []


def test_a_folder_that_cannot_be_read_is_named_and_the_others_are_kept(queue: RunQueue, ledger: Ledger) -> None:
    (queue.layout.run(2) / "run.json").write_text("{")
    lines = list(rebuild(queue, ledger))
    assert lines[1:] == [f"What run 2 was asked for cannot be read: {queue.layout.run(2)}."]
    assert states(queue) == {number: state for number, state in EXPECTED.items() if number != 2}


def test_a_process_that_has_the_old_file_open_goes_on_with_the_new_one(queue: RunQueue, ledger: Ledger) -> None:
    other = RunQueue(queue.layout.root)
    assert other.run(5).state is RunState.RUNNING
    list(rebuild(queue, ledger))
    actions.stop(queue, 5)
    assert other.run(5).state is RunState.STOPPING
    other.move(5, RunState.STOPPED)
    assert queue.run(5).state is RunState.STOPPED
