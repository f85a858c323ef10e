"""Many machines: independent trainings on two dask workers of this one, against one after the other; a task's overhead.

One thread each; the workers have imported what they need before the clock starts, as has this process.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

from miscope import ExecutorOptions
from miscope.plugins.plugins import Plugins
from miscope.studies.document import parsed
from miscope.studies.planning import PlannedRun, planned
from miscope.studies.resolving import resolved
from miscope.studies.sweeping import Ended, sweep, sweep_on
from miscope.workspace import Workspace, open_workspace

WORKERS, TASKS, REPEATS = 2, 200, 3
STUDY = """
family: modadd.transformer
base: {{prime: {prime}, steps: {steps}, checkpoints: 'every:{steps}'}}
matrix: {{seed: {seeds}}}
train: {{threads: 1, device: cpu}}
"""


def plan(workspace: Workspace, prime: int, steps: int, seeds: Sequence[int]) -> tuple[PlannedRun, ...]:
    """Trainings that differ in their seed alone."""
    text = STUDY.format(prime=prime, steps=steps, seeds=list(seeds))
    return planned(workspace, resolved(workspace, parsed(text, "machines.yaml")).runs)


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def made(events: Sequence[object]) -> None:
    """Ends everything unless each run was made."""
    ends = [event.ending for event in events if isinstance(event, Ended)]
    if not ends or set(ends) != {"done"}:
        raise SystemExit(f"the trainings ended so: {', '.join(ends)}; there is nothing to measure")


def main() -> None:
    """Print the measurements as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainings", type=int, default=8)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--prime", type=int, default=59)
    asked = parser.parse_args()
    seeds = range(asked.trainings)
    plugins = Plugins.installed()
    with tempfile.TemporaryDirectory() as folder:
        here, there, warm = (open_workspace(Path(folder) / name, plugins) for name in ("here", "there", "warm"))
        made(list(sweep(warm, plan(warm, 5, 10, [0]))))
        inline = seconds_of(lambda: made(list(sweep(here, plan(here, asked.prime, asked.steps, seeds)))))
        began = time.perf_counter()
        with plugins.executor("dask").configured(ExecutorOptions(jobs=WORKERS)).open() as workers:
            made(list(sweep_on(workers, warm, plan(warm, 5, 10, range(1, 2 * WORKERS + 1)))))
            started = time.perf_counter() - began
            shared = seconds_of(
                lambda: made(list(sweep_on(workers, there, plan(there, asked.prime, asked.steps, seeds))))
            )
            task = statistics.median(
                seconds_of(lambda: list(workers.run(abs, range(TASKS)))) / TASKS for _ in range(REPEATS)
            )
    rows = [
        {"what": f"{asked.trainings} trainings, one after the other", "s": round(inline, 2)},
        {
            "what": f"the same on {WORKERS} dask workers",
            "s": round(shared, 2),
            "of linear": round(inline / (WORKERS * shared), 3),
            "aim": 0.9,
        },
        {"what": f"{WORKERS} workers, from nothing to their first {2 * WORKERS} runs", "s": round(started, 2)},
        {"what": f"a task that does nothing, of {TASKS} on {WORKERS} workers", "s": round(task, 5)},
    ]
    note = (
        f"modadd.transformer with p = {asked.prime}, {asked.steps} steps, one thread each; workers, scheduler and this"
        f" process share the machine's cores; distributed {importlib.metadata.version('distributed')}."
    )
    print(json.dumps({"title": "Many machines", "rows": rows, "notes": [note]}))


if __name__ == "__main__":
    main()
