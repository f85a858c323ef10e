"""The metrics of a training of 25,000 recorded steps over HTTP: whole, and thinned out, from a real server."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np

import miscope
from miscope.runs.run_queue import RunQueue
from miscope.train_request import TrainRequest

STEPS, REQUESTS, WARM = 25_000, 200, 10
NAMES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
ASKED = {
    "all four metrics whole": {},
    "all four metrics, max_points=2000": {"max_points": 2000},
    "one metric whole": {"names": "test_loss"},
    "one metric, max_points=2000": {"names": "test_loss", "max_points": 2000},
}


def recorded(root: Path) -> int:
    """A run whose variant has four metrics of every step, as a training leaves them; its number."""
    workspace = miscope.open(root)
    variant = workspace.variant("modadd.transformer", prime=5, seed=1)
    workspace.store.save_variant(variant.value)
    noise = np.random.default_rng(0)
    curves = {name: np.exp(-np.arange(STEPS) / 5000) + 0.01 * noise.standard_normal(STEPS) for name in NAMES}
    rows = [(step, name, float(curves[name][step])) for step in range(STEPS) for name in NAMES]
    workspace.store.append_metrics(variant.name, rows)
    workspace.store.compact_metrics(variant.name)
    request = TrainRequest(family="modadd.transformer", params={"prime": 5, "seed": 1})
    queue = RunQueue(root)
    run = queue.submit(request, what=variant.name)
    queue.close()
    return run.id


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The address of `miscope serve` over it, which starts nothing."""
    words = [sys.executable, "-m", "miscope", "serve", "--read-only", "--no-open", "--port", "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*words, "--workspace", str(root)], stdout=subprocess.PIPE, text=True, env=environment
    ) as server:
        assert server.stdout is not None
        _, address = server.stdout.readline(), server.stdout.readline()
        try:
            yield address.removeprefix("at ").strip()
        finally:
            server.terminate()


def measured(client: httpx.Client, path: str, query: dict[str, object]) -> tuple[list[float], int]:
    """Seconds of each request, and the bytes that came over the wire."""
    seconds = []
    for number in range(WARM + REQUESTS):
        began = time.perf_counter()
        answer = client.get(path, params=query)  # type: ignore[arg-type]
        if number >= WARM:
            seconds.append(time.perf_counter() - began)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}: {answer.text}")
    return seconds, answer.num_bytes_downloaded


def main() -> None:
    """Print the measurements as JSON."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "ws"
        number = recorded(root)
        metrics = f"api/v1/trainings/{number}/metrics"
        asked = [("that the server is there", "api/v1/health", {}), *((what, metrics, ASKED[what]) for what in ASKED)]
        with served(root) as address, httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            for what, path, query in asked:
                seconds, size = measured(client, path, query)
                ranks = statistics.quantiles(seconds, n=100)
                row = {"what": what, "p50 ms": round(1000 * ranks[49], 1), "p95 ms": round(1000 * ranks[94], 1)}
                rows.append({**row, "kB": round(size / 1000, 1)})
    note = f"{REQUESTS} requests each, one after the other, over one connection to 127.0.0.1; {STEPS} recorded steps."
    print(json.dumps({"title": "Metrics over HTTP", "rows": rows, "notes": [note]}))


if __name__ == "__main__":
    main()
