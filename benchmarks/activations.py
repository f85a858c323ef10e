"""Activations of a source at every input of its probe: computed, computed and kept on disk, and read from there.

Each in a process of its own, so that its peak of memory is of nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from epochs import cpu_seconds

ROUNDS = 5
LAL = {"prime": 113, "hidden_dim": 128}
SOURCES: dict[str, tuple[str, dict[str, Any], str]] = {
    "one block": ("modadd.transformer", {"prime": 113}, "blocks.0.mlp.hook_post"),
    "two blocks": ("lal.transformer", {**LAL, "n_layers": 2}, "blocks.1.mlp.hook_post"),
    "eight blocks": ("lal.transformer", {**LAL, "n_layers": 8}, "blocks.7.mlp.hook_post"),
}
WAYS = ("computed", "kept", "read")


def main() -> None:
    """Print one JSON object: title, rows, notes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--one", nargs=3, metavar=("SOURCE", "WAY", "FOLDER"))
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    if asked.one:
        print(json.dumps(measured(*asked.one)))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = [row_of(name, Path(folder, name)) for name in SOURCES]
    print(json.dumps({"title": "Activations on disk", "rows": rows, "notes": notes()}))


def notes() -> list[str]:
    """How it was measured."""
    from miscope.store.activation_cache import WORTH

    return [
        f"CPU time, medians of {ROUNDS}, one thread, of the activations at the answer position of all inputs at "
        "p = 113. What is read is in the system's memory of files; its checksum and one input run through the network "
        "are in it.",
        f"Kept is what takes {WORTH * 1e9:.0f} ms a MB to compute at least: it has won by the second use.",
        "Memory: what the process holds at most beyond the network and its inputs. Pages that were read are shared by "
        "the processes that read them, and the system can take them back.",
    ]


def row_of(name: str, folder: Path) -> dict[str, Any]:
    """One source in each way."""
    words = [sys.executable, __file__, "--one", name]
    found = {}
    for way in WAYS:
        done = subprocess.run([*words, way, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
        found[way] = json.loads(done.stdout)
    family, _, site = SOURCES[name]
    return {
        "source": f"{family}, {name}",
        "site": site,
        "MB": found["computed"]["bytes"] / 1e6,
        "computed, ms": found["computed"]["ms"],
        "computed and kept, ms": found["kept"]["ms"],
        "read, ms": found["read"]["ms"],
        "computed / read": found["computed"]["ms"] / found["read"]["ms"],
        "worth keeping": "yes" if found["computed"]["worth"] else "no",
        "computed, MiB": found["computed"]["peak"],
        "read, MiB": found["read"]["peak"],
    }


def measured(name: str, way: str, folder: str) -> dict[str, Any]:
    """CPU time in milliseconds, size in bytes, peak of memory in MiB, and whether it would be kept by itself."""
    import torch

    from miscope.store.activation_cache import WORTH, ActivationCache

    torch.set_num_threads(1)
    cache = ActivationCache(Path(folder, "kept"), 0 if way == "computed" else 2**30, worth=0.0)
    source = source_of(name, Path(folder), cache)
    source.activations(source.probe.inputs[:1])
    before = reset_peak()
    taken = [cpu_seconds(source.activations)]
    after = peak()
    for _ in range(ROUNDS - 1):
        if way == "kept":
            cache.clear()
        taken.append(cpu_seconds(source.activations))
    size = source.activations().nbytes
    seconds = statistics.median(taken)
    return {"ms": seconds * 1e3, "bytes": size, "peak": (after - before) / 2**10, "worth": seconds >= WORTH * size}


def source_of(name: str, folder: Path, cache: Any) -> Any:
    """The source as an autoencoder of it is given it, untrained: what it computes takes the same time."""
    import miscope_lal
    import miscope_modadd
    import miscope_sae
    from miscope.bound import open_bound
    from miscope.checkpoint import Checkpoint
    from miscope.testing import tables
    from miscope_sae import autoencoders

    family, fields, site = SOURCES[name]
    place = open_bound(folder / "workspace", tables(sae=miscope_sae, lal=miscope_lal, modadd=miscope_modadd))
    place.value.__dict__["activation_cache"] = cache
    variant = place.variant(family, **fields)
    if not variant.steps:
        task = place.value.context(variant.value).task
        place.value.store.save_variant(variant.value)
        place.value.store.save_checkpoint(variant.name, Checkpoint(step=0, weights=task.initial_weights()))
    (made,) = autoencoders(variant, site, step=0)
    return place.value.context(made.value).sources[0]


def reset_peak() -> float:
    """Forget what the process held at most; KiB that it holds now. Linux."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def peak() -> float:
    """KiB that the process held at most since."""
    return _status("VmHWM")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))


if __name__ == "__main__":
    main()
