"""Fills the disk that a workspace is on at random sizes, and has a run and a supervisor at work there each time.

Run by test_filled_disks.py on a small file system of its own; prints what became of the runs.
"""

import json
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from miscope.bound import open_bound
from miscope.errors import CannotWrite
from miscope.runs import actions, child
from miscope.runs.child import LOST
from miscope.runs.reconciling import reconcile
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ENDED, RunState
from miscope.runs.slots import Slots
from miscope.runs.supervisor import Supervisor, supervising
from miscope.store.ledger import Ledger
from miscope.store.process_identity import this_process
from miscope.train_request import TrainRequest

NAME = "toy.sum/v5-seed0-width16"
PAGE = 4096


@contextmanager
def room_for(root: Path, pages: int) -> Iterator[None]:
    """The disk of that folder has so many pages left at the beginning of the `with`."""
    there = os.statvfs(root)
    free = there.f_bavail * there.f_frsize
    filler = root / "filler"
    filler.write_bytes(b"x" * max(free - pages * PAGE, 0))
    try:
        yield
    finally:
        filler.unlink()


def truth(queue: RunQueue, ledger: Ledger) -> None:
    for _ in reconcile(queue, ledger, ours=()):
        pass


def filled_run(root: Path, rounds: int) -> list[str]:
    """The states of a training after each time that the disk was full while its process worked on it."""
    queue, ledger = RunQueue(root), Ledger(root / "ledger")
    run = queue.submit(TrainRequest(family="toy.sum", training={"checkpoints": "every:5"}, threads=1), what=NAME)
    queue.close()
    states = []
    for _ in range(rounds):
        with room_for(root, random.randrange(60)):
            process = os.fork()
            if process == 0:
                try:
                    child.main([str(root), str(run.id)])
                finally:
                    os._exit(1)
            os.waitpid(process, 0)
            try:
                truth(queue, ledger)
            except CannotWrite:
                assert queue.run(run.id).state in RunState
        truth(queue, ledger)
        states.append(queue.run(run.id).state.value)
        if states[-1] in (RunState.INTERRUPTED, RunState.FAILED):
            actions.resume(queue, run.id)
        elif states[-1] == RunState.COMPLETED:
            run = actions.extend(queue, run.id, queue.run(run.id).reached.done + 30)
        queue.close()
    return states


def filled_supervisor(root: Path) -> tuple[list[str], list[str]]:
    """What a supervisor says that finds the disk full, and the states of its runs once there is room again."""
    queue = RunQueue(root)
    for number in range(3):
        what = f"toy.sum/v{number}"
        queue.submit(TrainRequest(family="toy.sum", params={"seed": number + 1}), what=what)
    lines: list[str] = []
    words = (sys.executable, __file__, "work")
    supervisor = Supervisor(
        queue=queue, ledger=Ledger(root / "ledger"), slots=Slots(at_once=2), words=words, note=lines.append
    )
    ended = threading.Event()

    thread = threading.Thread(target=lambda: supervisor.serve(should_stop=ended.is_set))
    with supervising(queue):
        with room_for(root, 0):
            thread.start()
            while not any("cannot be written" in line for line in lines):
                time.sleep(0.01)
        while any(run.state not in ENDED for run in queue.runs()):
            time.sleep(0.01)
        ended.set()
        thread.join()
    return lines, [run.state.value for run in queue.runs()]


def work(root: Path, number: int) -> int:
    queue = RunQueue(root)
    if queue.claim(number, this_process()) is None:
        return LOST
    queue.move(number, RunState.COMPLETED)
    return 0


def main(root: Path) -> None:
    for _ in open_bound(root / "first").variant("toy.sum").train(threads=1):
        pass
    states = filled_run(root / "ws", 20)
    last = RunQueue(root / "ws").runs()[-1]
    if last.state is RunState.PENDING:
        child.main([str(root / "ws"), str(last.id)])
    there = open_bound(root / "ws").variant("toy.sum", checkpoints="every:5")
    steps = there.workspace.store.steps(there.name)
    straight = open_bound(root / "straight").variant("toy.sum", checkpoints="every:5")
    for _ in straight.train(steps=max(steps), threads=1):
        pass
    (root / "other").mkdir()
    lines, supervised = filled_supervisor(root / "other")
    losses = [v.metric("train_loss")[1].tolist() for v in (straight, there)]
    mine, theirs = (v.workspace.store.load_checkpoint(v.name, max(steps)).weights for v in (straight, there))
    same = losses[0] == losses[1] and all(torch.equal(mine[role], theirs[role]) for role in mine)
    print(json.dumps({"states": states, "same": same, "supervised": supervised, "lines": lines}))


if __name__ == "__main__":
    if sys.argv[1] == "work":
        sys.exit(work(Path(sys.argv[2]), int(sys.argv[3])))
    main(Path(sys.argv[1]))
