"""The index of a large workspace: 1,000 variants x 100 checkpoints x 20 analyzers.

    python benchmarks/index.py [--small]

Prints one JSON object: seconds to build the snapshot, and median seconds to answer typical questions, each of which
opens the snapshot anew, as a command or another process would. The ledgers and metrics are real files; a folder of
artifacts is one folder of empty files, shared by all variants, since the index opens no artifact that a ledger names.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

QUESTIONS = {
    "ask_grokked_before": """SELECT variant, min(step) FROM scalars
        WHERE analyzer = 'analyzer.00' AND name = 'test_loss' AND value < 1e-2
        GROUP BY variant HAVING min(step) < 5000""",
    "ask_curve": """SELECT step, value FROM scalars
        WHERE variant = 'toy.sum/v5-seed17-width16' AND analyzer = 'analyzer.03' AND name = 'gini' ORDER BY step""",
    "ask_coverage": "SELECT analyzer, count(DISTINCT variant), count(*) FROM artifacts GROUP BY analyzer ORDER BY 1",
    "ask_join": """SELECT v.params->>'seed' AS seed, max(m.value) FROM metrics AS m JOIN variants AS v USING (variant)
        WHERE m.name = 'test_accuracy' GROUP BY ALL ORDER BY 2 DESC LIMIT 10""",
}


@dataclass(frozen=True)
class Size:
    """How much there is."""

    variants: int = 1000
    checkpoints: int = 100
    analyzers: int = 20
    repeats: int = 7


def main() -> None:
    """Build a workspace, measure, print, clean up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a hundredth of it, to see that it runs")
    size = Size(variants=20, checkpoints=20, analyzers=5, repeats=2) if parser.parse_args().small else Size()
    root = Path(tempfile.mkdtemp(prefix="miscope-bench-"))
    try:
        write_workspace(root, size)
        print(json.dumps(measure(root, size), indent=2))
    finally:
        shutil.rmtree(root)


def measure(root: Path, size: Size) -> dict[str, float]:
    """Seconds, medians over the repeats."""
    from miscope.index.index import Index
    from miscope.store.store import Store

    def fresh() -> Index:
        return Index(Store(root))

    found = {"index_build": seconds(lambda: fresh().rebuild())}
    for name, sql in QUESTIONS.items():
        found[name] = median(lambda sql=sql: fresh().ask(sql), size.repeats)
    write_tail(root, size)
    name, sql = next(iter(QUESTIONS.items()))
    found[f"{name}_with_tail"] = median(lambda: fresh().ask(sql), size.repeats)
    found["rows_artifacts"] = fresh().ask("SELECT count(*) AS n FROM artifacts").to_pylist()[0]["n"]
    found["rows_scalars"] = fresh().ask("SELECT count(*) AS n FROM scalars").to_pylist()[0]["n"]
    found["snapshot_megabytes"] = round((root / "index.duckdb").stat().st_size / 1e6, 1)
    return found


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    begin = time.perf_counter()
    work()
    return round(time.perf_counter() - begin, 4)


def median(work: Callable[[], object], repeats: int) -> float:
    """Median wall seconds."""
    return round(statistics.median(seconds(work) for _ in range(repeats)), 4)


def write_workspace(root: Path, size: Size) -> None:
    """Variants, their ledgers, metrics and folders of files."""
    from miscope.family import make_variant
    from miscope.store.store import Store
    from miscope.testing.toy import ToyFamily

    store, family = Store(root), ToyFamily()
    shared = write_shared(root, size)
    (root / "ledger").mkdir()
    for seed in range(size.variants):
        variant = make_variant(family, {"seed": seed})
        store.save_variant(variant)
        folder = root / "variants" / variant.name
        (folder / "checkpoints").symlink_to(shared / "checkpoints")
        (folder / "artifacts").mkdir()
        for number in range(size.analyzers):
            kind = folder / "artifacts" / f"analyzer.{number:02d}"
            kind.mkdir()
            (kind / "0123456789abcdef").symlink_to(shared / "artifacts")
        store.append_metrics(variant.name, metric_rows(size, seed))
        write_ledger(root / "ledger" / f"20260101T{seed:012d}-analyze-0.jsonl", variant.name, size, seed)


def write_shared(root: Path, size: Size) -> Path:
    """The folders of empty files that stand for every variant's."""
    shared = root / "shared"
    for name, suffix in (("checkpoints", "safetensors"), ("artifacts", "npz")):
        (shared / name).mkdir(parents=True)
        for step in steps(size):
            (shared / name / f"step_{step:09d}.{suffix}").touch()
    return shared


def steps(size: Size) -> range:
    """Every hundredth step."""
    return range(0, size.checkpoints * 100, 100)


def metric_rows(size: Size, seed: int) -> list[tuple[int, str, float]]:
    """Four metrics at every checkpoint."""
    names = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
    chance = random.Random(seed)
    return [(step, name, chance.random()) for step in steps(size) for name in names]


def write_ledger(path: Path, variant: str, size: Size, seed: int) -> None:
    """One finished run that saved everything."""
    chance = random.Random(seed)
    common = {"run": path.stem, "variant": variant}
    with path.open("w") as file:
        put(file.write, {**common, "event": "started", "kind": "analyze", "host": "bench", "pid": 1, "born": 0.0})
        for step in steps(size):
            put(file.write, {**common, "event": "checkpoint", "step": step})
            for number in range(size.analyzers):
                put(file.write, artifact(common, step, number, chance))
        put(file.write, {**common, "event": "finished"})


def artifact(common: Mapping[str, object], step: int, number: int, chance: random.Random) -> dict[str, object]:
    """A ledger line with three scalars."""
    scalars = {"test_loss": chance.random() * 0.3, "gini": chance.random(), "max_fraction": chance.random()}
    return {
        **common,
        "event": "artifact",
        "analyzer": f"analyzer.{number:02d}",
        "recipe": "0123456789abcdef",
        "probe": "grid@791356912b95",
        "step": step,
        "scalars": scalars,
    }


def put(write: Callable[[str], object], line: Mapping[str, object]) -> None:
    """One JSON line, with a time."""
    write(json.dumps({"time": "2026-01-01T00:00:00.000000", **line}) + "\n")


def write_tail(root: Path, size: Size) -> None:
    """Ledger lines newer than the snapshot: one more run that saved everything."""
    write_ledger(root / "ledger" / "20260201T000000000000-analyze-0.jsonl", "toy.sum/v5-seed0-width16", size, seed=0)


if __name__ == "__main__":
    main()
