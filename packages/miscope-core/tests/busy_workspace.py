"""Forks processes that save, ask and rebuild in one workspace at once; fails if any does. Run by test_index.py."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet
import safetensors.torch
import torch

from miscope.artifact import ArtifactKey
from miscope.checkpoint import Checkpoint
from miscope.family import make_variant
from miscope.index import Index
from miscope.ledger import Ledger
from miscope.store import Store
from miscope.testing.toy import ToyFamily

# Imported before the forks, so that all begin at the same time.
_ = (duckdb, pyarrow.parquet, safetensors.torch)


def save(root: Path, seed: int, until: float) -> None:
    """Train and analyze as far as files and lines go."""
    store, variant = Store(root), make_variant(ToyFamily(), {"seed": seed})
    store.save_variant(variant)
    with Ledger(root / "ledger").run("train", variant.name) as log:
        step = 0
        while time.time() < until:
            step += 1
            store.save_checkpoint(variant.name, Checkpoint(step=step, weights={"W_E": torch.zeros(2)}))
            log.write("checkpoint", step=step)
            store.append_metrics(variant.name, [(step, "loss", 1.0)])
            key = ArtifactKey(variant=variant.name, analyzer="toy", recipe="r", probe="-", step=step)
            store.save_arrays(key, {"norm": np.float64(step)})
            log.write("artifact", analyzer="toy", recipe="r", probe="-", step=step, scalars={"norm": step})


def ask(root: Path, until: float) -> None:
    """Ask without pause; what one saw once is there for good."""
    index, seen = Index(Store(root)), 0
    while time.time() < until:
        found = index.ask("SELECT count(*) AS n FROM scalars").to_pylist()[0]["n"]
        assert found >= seen, (found, seen)
        seen = found
        index.ask("SELECT variant, max(value) FROM metrics JOIN runs USING (variant) GROUP BY variant")


def rebuild(root: Path, until: float) -> None:
    """Rebuild without pause."""
    while time.time() < until:
        Index(Store(root)).rebuild()


def main(root: Path, seconds: float) -> int:
    """The number of processes that failed."""
    until = time.time() + seconds
    work: list[Callable[[], None]] = [
        lambda: save(root, 0, until),
        lambda: save(root, 1, until),
        lambda: ask(root, until),
        lambda: ask(root, until),
        lambda: rebuild(root, until),
    ]
    children = []
    for job in work:
        child = os.fork()
        if child == 0:
            job()
            os._exit(0)
        children.append(child)
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))
