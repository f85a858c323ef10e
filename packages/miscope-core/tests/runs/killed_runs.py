"""Forks processes of one run, each killed at a random moment, and asks after each what the queue makes of it.

Run by test_killed.py; prints the states, and the step at which the last process was asked to stop.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from miscope.bound import open_bound
from miscope.runs import actions, child
from miscope.runs.reconciling import reconcile
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.ledger import Ledger
from miscope.train_request import TrainRequest

NAME = "toy.sum/v5-seed0-width16"


def begin(root: Path, number: int, seconds: float | None) -> int:
    """The number of a process that works on the run, and dies after so many seconds of the processor."""
    process = os.fork()
    if process == 0:
        if seconds is not None:
            signal.setitimer(signal.ITIMER_PROF, seconds)  # ends it as SIGKILL does: nobody handles it
        os._exit(child.main([str(root), str(number)]))
    return process


def main(root: Path, rounds: int) -> None:
    # What it imports is then there, and the processes spend their lives training.
    for _ in open_bound(root.with_name("first")).variant("toy.sum").train(threads=1):
        pass
    queue, ledger = RunQueue(root), Ledger(root / "ledger")
    request = TrainRequest(family="toy.sum", training={"checkpoints": "adaptive:3-20"}, steps=10**9, threads=1)
    run = queue.submit(request, what=NAME)
    queue.close()  # a connection is not for two processes
    states = []
    for _ in range(rounds):
        os.waitpid(begin(root, run.id, random.uniform(0.001, 0.3)), 0)
        for _ in reconcile(queue, ledger, ours=()):
            pass
        states.append(queue.run(run.id).state)
        if states[-1] is RunState.INTERRUPTED:
            actions.resume(queue, run.id)
        queue.close()
    process = begin(root, run.id, None)
    last = max([0, *open_bound(root).value.store.steps(NAME)])
    while queue.run(run.id).reached.done < last + 20:
        time.sleep(0.01)
    actions.stop(queue, run.id)
    os.waitpid(process, 0)
    print(json.dumps({"states": states, "end": queue.run(run.id).state, "step": queue.run(run.id).reached.done}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
