"""Forks processes that save, ask and rebuild in one workspace at once; fails if any does. Run by test_index.py."""

import os
import sys
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
from miscope.index.index import Index
from miscope.store.ledger import Ledger
from miscope.store.store import Store
from miscope.testing.toy import ToyFamily

# Imported before the forks, so that all begin at the same time.
_ = (duckdb, pyarrow.parquet, safetensors.torch)


STEPS, QUESTIONS, REBUILDS = 100, 25, 6
"""As many as each process makes: about as long one as the other."""


def save(root: Path, seed: int) -> None:
    """Train and analyze as far as files and lines go."""
    store, variant = Store(root), make_variant(ToyFamily(), {"seed": seed})
    store.save_variant(variant)
    with Ledger(root / "ledger").run("train", variant.name) as log:
        for step in range(1, STEPS + 1):
            store.save_checkpoint(variant.name, Checkpoint(step=step, weights={"W_E": torch.zeros(2)}))
            log.write("checkpoint", step=step)
            store.append_metrics(variant.name, [(step, "loss", 1.0)])
            key = ArtifactKey(variant=variant.name, analyzer="toy", recipe="r", probe="-", step=step)
            store.save_arrays(key, {"norm": np.float64(step)})
            log.write("artifact", analyzer="toy", recipe="r", probe="-", step=step, scalars={"norm": step})


def ask(root: Path) -> None:
    """Ask without pause; what one saw once is there for good."""
    index, seen = Index(Store(root)), 0
    for _ in range(QUESTIONS):
        found = index.ask("SELECT count(*) AS n FROM scalars").to_pylist()[0]["n"]
        assert found >= seen, (found, seen)
        seen = found
        index.ask("SELECT variant, max(value) FROM metrics JOIN runs USING (variant) GROUP BY variant")


def rebuild(root: Path) -> None:
    """Rebuild without pause."""
    for _ in range(REBUILDS):
        Index(Store(root)).rebuild()


def main(root: Path) -> int:
    """The number of processes that failed."""
    work: list[Callable[[], None]] = [
        lambda: save(root, 0),
        lambda: save(root, 1),
        lambda: ask(root),
        lambda: ask(root),
        lambda: rebuild(root),
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
    sys.exit(main(Path(sys.argv[1])))
