"""The whole catalogue over the 95 checkpoints of a p = 113 run: minutes, peak memory and bytes, by instrument.

The run (default schedule, 25,000 steps) is trained into ./bench-workspace first, which takes about half an hour once;
what is there is taken. Each measurement is a process of its own, one thread, CPU time, on a copy without artifacts.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

from miscope.analysis.analyze import analyze
from miscope.analyzer import Analyzer, Grain
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import DoesNotApply
from miscope.hookspecs import hookimpl
from miscope.outcome import State
from miscope.plugins.plugins import Plugins

WORKSPACE = Path(__file__).parents[1] / "bench-workspace"
FAMILY, PARAMS = "modadd.transformer", {"prime": 113, "seed": 999, "data_seed": 598}
FEW = 24
"""Checkpoints of a shorter measurement: memory that grew with their number would show between the two."""
OPT_IN_AT = 3
"""Checkpoints at which the opt-in ones are measured."""


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", type=int, help="checkpoints to look at; for the processes it starts")
    parser.add_argument("--opt-in", action="store_true")
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure, opt_in=asked.opt_in)))
        return
    steps = trained().steps
    whole, few = child(len(steps)), child(FEW)
    print(json.dumps(report(whole, few, child(OPT_IN_AT, "--opt-in"), len(steps)), indent=1))


def trained() -> BoundVariant:
    """The run, trained as far as it is not there yet."""
    variant = open_bound(WORKSPACE).variant(FAMILY, **PARAMS)
    for progress in variant.train(threads=1):
        if progress.step % 2500 == 0:
            print(f"training, step {progress.step}", file=sys.stderr, flush=True)
    return variant


def child(count: int, *more: str) -> Mapping[str, Any]:
    """What one measurement in a process of its own prints."""
    words = [sys.executable, __file__, "--measure", str(count), *more]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure(count: int, *, opt_in: bool) -> Mapping[str, Any]:
    """CPU seconds by analyzer and in all, bytes by analyzer, and the peak of memory."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="miscope-bench-") as folder:
        variant = copied(Path(folder), timed(seconds))
        steps = variant.steps
        steps = [steps[i * (len(steps) - 1) // (count - 1)] for i in range(count)]
        names = [n for n, a in variant.workspace.plugins.analyzers.items() if a.opt_in and a.grain is not Grain.COHORT]
        began, wall = time.process_time(), time.perf_counter()
        for chosen in ([name] for name in names) if opt_in else (None,):
            look(variant, chosen, steps)
        artifacts = variant.workspace.store.layout.variant(variant.name) / "artifacts"
        sizes = {path.name: size(path) for path in artifacts.iterdir()}
        return {
            "cpu": time.process_time() - began,
            "wall": time.perf_counter() - wall,
            "seconds": seconds,
            "bytes": sizes,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }


def look(variant: BoundVariant, names: list[str] | None, steps: list[int]) -> None:
    try:
        for outcome in analyze(variant.workspace.value, [variant.value], names, steps=steps):
            if outcome.state in (State.FAILED, State.NOT_TRIED):
                raise SystemExit(f"{outcome.analyzers}: {outcome.error}\n{outcome.trace}")
    except DoesNotApply as error:
        print(error, file=sys.stderr)


def copied(folder: Path, plugins: Plugins) -> BoundVariant:
    """The run in a workspace of its own, with nothing computed."""
    there = open_bound(WORKSPACE).variant(FAMILY, **PARAMS)
    here: BoundWorkspace = open_bound(folder, plugins)
    source, target = (w.store.layout.variant(there.name) for w in (there.workspace, here))
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("artifacts"))
    return here.find(there.name)


def timed(seconds: dict[str, float]) -> Plugins:
    """What is installed, every analyzer adding the CPU time of its function to `seconds`."""
    installed = Plugins.installed()

    class Offered:
        @hookimpl
        def miscope_families(self) -> Iterable[Any]:
            return tuple(installed.families.values())

        @hookimpl
        def miscope_analyzers(self) -> Iterable[Analyzer]:
            return tuple(clocked(analyzer, seconds) for analyzer in installed.analyzers.values())

        @hookimpl
        def miscope_executors(self) -> Iterable[Any]:
            return tuple(installed.executors.values())

    return Plugins.of(offered=Offered())


def clocked(analyzer: Analyzer, seconds: dict[str, float]) -> Analyzer:
    @functools.wraps(analyzer.compute)
    def compute(shown: Any) -> Any:
        began = time.process_time()
        try:
            return analyzer.compute(shown)
        finally:
            seconds[analyzer.name] = seconds.get(analyzer.name, 0.0) + time.process_time() - began

    return dataclasses.replace(analyzer, compute=compute)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def report(
    whole: Mapping[str, Any], few: Mapping[str, Any], opt_in: Mapping[str, Any], count: int
) -> Mapping[str, object]:
    analyzers = Plugins.installed().analyzers
    own = sum(whole["seconds"].values())
    totals = [
        (
            "everything that is not opt-in, each checkpoint",
            ms(whole["cpu"] / count),
            kib(sum(whole["bytes"].values()) / count),
        ),
        ("of that, the shared forward passes, loading and saving", ms((whole["cpu"] - own) / count), ""),
    ]
    rows = [row(what, each, size_) for what, each, size_ in totals]
    rows += lines(whole, lambda n: analyzers[n].grain is Grain.CHECKPOINT, count, "")
    rows += lines(whole, lambda n: analyzers[n].grain is Grain.TRAJECTORY, 1, f", once over {count} checkpoints")
    rows += lines(
        opt_in, lambda n: analyzers[n].opt_in and analyzers[n].grain is Grain.CHECKPOINT, OPT_IN_AT, " (opt-in)"
    )
    spans = f" (opt-in), once over {OPT_IN_AT} checkpoints"
    rows += lines(opt_in, lambda n: analyzers[n].opt_in and analyzers[n].grain is Grain.TRAJECTORY, 1, spans)
    minutes = {name: f"{whole[name] / 60:.1f} minutes" for name in ("cpu", "wall")}
    peaks = [f"{measured['peak'] / 2**20:.0f} MiB over {n} checkpoints" for measured, n in ((whole, count), (few, FEW))]
    notes = [
        f"{FAMILY} at p = 113, {count} checkpoints (default schedule, 25,000 steps), one thread: "
        f"{minutes['cpu']} of CPU, {minutes['wall']} of wall time for everything that is not opt-in.",
        f"On disk {sum(whole['bytes'].values()) / 2**20:.0f} MiB of artifacts for the variant, stacks included.",
        f"Peak memory: {'; '.join(peaks)}.",
    ]
    return {"title": "Catalogue", "rows": rows, "notes": notes}


def lines(measured: Mapping[str, Any], which: Callable[[str], bool], count: int, note: str) -> list[dict[str, object]]:
    """A row for each analyzer, the slowest first."""
    chosen = {name: spent for name, spent in measured["seconds"].items() if which(name)}
    return [
        row(name + note, ms(spent / count), kib(measured["bytes"].get(name, 0) / count))
        for name, spent in sorted(chosen.items(), key=lambda item: -item[1])
    ]


def row(what: str, each: float, size_: object) -> dict[str, object]:
    return {"what": what, "ms": each, "KiB": size_}


def ms(seconds: float) -> float:
    return round(seconds * 1e3, 1)


def kib(count: float) -> float:
    return round(count / 1024, 1)


if __name__ == "__main__":
    main()
