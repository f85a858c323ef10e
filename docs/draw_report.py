"""Write the example of a report over three seeds into docs/examples/report: one small model, trained until it groks.

Trained and analyzed in ./examples-workspace, once; what is there is not done again.
"""

from __future__ import annotations

import os
from pathlib import Path

from miscope.analysis.analyze import analyze
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.outcome import State
from miscope_modadd.demo import DEMO, FAMILY

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "examples" / "report"
SEEDS = (0, 1, 2)


def main() -> None:
    """Train, analyze, write."""
    # The default one, so that no command in the report names a path of this machine.
    os.environ["MISCOPE_WORKSPACE"] = str(ROOT / "examples-workspace")
    place = open_bound()
    seeds = [place.variant(FAMILY, **{**DEMO, "seed": seed}) for seed in SEEDS]
    prepare(place, seeds)
    OUT.mkdir(parents=True, exist_ok=True)
    for kind in ("html", "md", "pdf", "ipynb"):
        path = place.report(seeds, OUT / f"three-seeds.{kind}", static=True, title="One small transformer, three seeds")
        print(path, path.stat().st_size, flush=True)


def prepare(place: BoundWorkspace, seeds: list[BoundVariant]) -> None:
    """Have every seed trained, and looked at by every instrument that does not take long."""
    for variant in seeds:
        for progress in variant.train(threads=1):
            if progress.step % 500 == 0:
                print(variant.name, progress.step, flush=True)
    for outcome in analyze(place.value, [variant.value for variant in seeds]):
        if outcome.state in (State.FAILED, State.NOT_TRIED):
            print(outcome.variant, outcome.analyzers, outcome.step, outcome.error, flush=True)


if __name__ == "__main__":
    main()
