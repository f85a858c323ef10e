"""`python -m miscope.runs.child WORKSPACE NUMBER`: the process of one run, from its beginning to its end.

It claims its run, says how far it is, hears that it is to stop, and writes how it ended. It needs no supervisor for any
of that, so one that dies takes no run along.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.errors import MiscopeError
from miscope.interruption import SignalFlag, stop_on_signals
from miscope.runs.reporter import Reporter
from miscope.runs.run_log import say, say_trace
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.process_identity import this_process
from miscope.train_request import TrainRequest

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun

__all__ = ["main", "work"]

LOST = 75
"""What the process says that found its run taken, cancelled or held; it did nothing."""


def main(words: list[str]) -> int:
    """Work on the run of that number; 0 completed, 1 failed, 75 not ours, 143 and 130 stopped."""
    root, number = Path(words[0]), int(words[1])
    queue = RunQueue(root)
    try:
        run = queue.claim(number, this_process())
        if run is None:
            return LOST
        with stop_on_signals() as signalled:
            return work(queue, run, root, signalled)
    except MiscopeError as problem:  # the queue cannot be written; who looks next reads the end from the ledger
        say(problem)
        return 1


def work(queue: RunQueue, run: QueuedRun, root: Path, signalled: SignalFlag) -> int:
    """Do what the run asks for, and write how it ended."""
    with Reporter(queue, run, signalled) as reporter:
        try:
            state, error = _performed(run, root, reporter)
        except MiscopeError as problem:
            say(problem)
            state, error = RunState.FAILED, str(problem)
        except KeyboardInterrupt:
            state, error = RunState.STOPPED, "It was interrupted a second time, and saved nothing more."
        except Exception as problem:  # noqa: BLE001 - whatever ends a run becomes what its record says
            say_trace()
            state, error = RunState.FAILED, f"{type(problem).__name__}: {problem}"
    queue.move(run.id, state, error)
    say(f"run {run.id}: {state}")
    return {RunState.COMPLETED: 0, RunState.FAILED: 1}.get(state, signalled.exit_code)


def _performed(run: QueuedRun, root: Path, reporter: Reporter) -> tuple[RunState, str]:
    """Train or analyze; the state that the run is then in, and why it did not complete."""
    from miscope.runs import performing
    from miscope.workspace import open_workspace

    workspace = open_workspace(root)
    workspace.ledger = workspace.ledger.signed(queued=run.id, turn=run.turn)
    if isinstance(run.request, TrainRequest):
        return performing.train(workspace, run.request, reporter)
    return performing.analyze(workspace, run.request, reporter)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
