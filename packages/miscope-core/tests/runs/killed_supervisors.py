"""Kills supervisors at random moments while the processes that they started go on, until all runs have ended.

Run by test_killed.py. The processes are this script too: each claims its run, works for a moment, leaves a line.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from miscope.analyze_request import AnalyzeRequest
from miscope.runs.child import LOST
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.runs.slots import Slots
from miscope.runs.supervisor import Supervisor, supervising
from miscope.store.ledger import Ledger
from miscope.store.process_identity import this_process


def work(root: Path, number: int) -> int:
    queue = RunQueue(root)
    if queue.claim(number, this_process()) is None:
        return LOST
    time.sleep(random.uniform(0.0, 0.4))
    with (root / "done.txt").open("a") as file:
        file.write(f"{number}\n")
    queue.move(number, RunState.COMPLETED)
    return 0


def supervise(root: Path, *, until_idle: bool) -> None:
    queue = RunQueue(root)
    words = (sys.executable, __file__, "work")
    supervisor = Supervisor(queue=queue, ledger=Ledger(root / "ledger"), slots=Slots(at_once=3), words=words)
    with supervising(queue):
        supervisor.serve(should_stop=lambda: False, until_idle=until_idle)


def main(root: Path, kills: int, runs: int) -> None:
    queue = RunQueue(root)
    for number in range(runs):
        queue.submit(AnalyzeRequest(variants=(f"toy.sum/v{number}",)), what=f"toy.sum/v{number}")
    queue.close()
    for _ in range(kills):
        process = os.fork()
        if process == 0:
            supervise(root, until_idle=False)
        time.sleep(random.uniform(0.0, 0.7))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    supervise(root, until_idle=True)


if __name__ == "__main__":
    if sys.argv[1] == "work":
        sys.exit(work(Path(sys.argv[2]), int(sys.argv[3])))
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
