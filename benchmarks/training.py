"""An epoch of training at p = 113 (train step and test evaluation) against the usual loop, and against arithmetic.

All contenders take turns, epoch by epoch, on one thread of one run, so that a busy machine slows them alike. The usual
loop runs the whole sequence through the hooked model, takes the loss in float64, and looks at the test set every epoch:
on a TransformerLens bridge, and on HookedTransformer in an environment with transformer-lens 3.9 (--old PYTHON).

    python benchmarks/training.py [--old PYTHON] [--rounds 12]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

PRIME, SEED, DATA_SEED, FRACTION = 113, 999, 598, 0.3
D_MODEL, D_MLP = 128, 512
TRAIN, TEST = 3830, 8939

MULTIPLICATIONS = D_MODEL * D_MODEL + 2 * D_MODEL * D_MLP + D_MODEL * PRIME
"""Of one input at one position: output matrix, MLP, unembedding."""
GIGAFLOP = 2 * MULTIPLICATIONS * (3 * TRAIN + TEST) / 1e9
"""Forward and backward on the training set, forward on the test set; keys and values come from small tables."""

OURS, BRIDGE, HOOKED, FLOOR = "miscope", "bridge", "HookedTransformer", "floor"

Epoch = Callable[[], Any]


def main() -> None:
    """Print one JSON object: title, rows, notes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--old", type=Path, help="python of an environment with transformer-lens 3.9")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    if asked.worker:
        work()
        return
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    contenders: dict[str, Callable[[], tuple[float, float]]] = {
        OURS: timed(our_epoch()),
        BRIDGE: timed(usual_epoch(bridge())),
        FLOOR: timed(matrix_product()),
    }
    if asked.old:
        contenders[HOOKED] = elsewhere(asked.old)
    for take in contenders.values():
        take()
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(asked.rounds):
        for name, take in contenders.items():
            taken[name].append(take())
    print(json.dumps(report(taken, whole_training())))


def report(taken: dict[str, list[tuple[float, float]]], whole: float) -> dict[str, Any]:
    """Medians, and how they compare with ours."""
    cpu, wall = ({name: statistics.median(t[i] for t in times) for name, times in taken.items()} for i in (0, 1))
    rate = 2 * 2048**3 / 1e9 / cpu[FLOOR]
    floor = GIGAFLOP / rate
    words = {
        OURS: "miscope, modadd.transformer",
        BRIDGE: f"usual loop on the bridge, transformer-lens {version('transformer-lens')}",
        HOOKED: "usual loop on HookedTransformer, transformer-lens 3.9",
    }
    rows = [
        {
            "an epoch by": words[name],
            "CPU ms": 1e3 * cpu[name],
            "wall ms": 1e3 * wall[name],
            "CPU time, miscope = 1": cpu[name] / cpu[OURS],
        }
        for name in words
        if name in taken
    ]
    rows.append({"an epoch by": "miscope, files and all: 100 steps of train()", "CPU ms": 1e3 * whole})
    rows.append({"an epoch by": "arithmetic alone", "CPU ms": 1e3 * floor, "CPU time, miscope = 1": floor / cpu[OURS]})
    notes = [
        f"Arithmetic alone: {GIGAFLOP:.2f} GFLOP an epoch at {rate:.0f} GFLOP/s, measured on 2048 x 2048 matrices in "
        "the same run. miscope can be below it: its tables save the first matrix products too.",
        f"Medians of {len(taken[OURS])} epochs, contenders taking turns; one thread; float64 loss; a test pass each.",
    ]
    if HOOKED not in taken:
        notes.append("HookedTransformer was left out: no environment with transformer-lens 3.9 was given (--old).")
    return {"title": "An epoch of training at p = 113", "rows": rows, "notes": notes}


def timed(epoch: Epoch) -> Callable[[], tuple[float, float]]:
    """CPU and wall seconds of one epoch."""

    def take() -> tuple[float, float]:
        cpu, wall = time.process_time(), time.perf_counter()
        epoch()
        return time.process_time() - cpu, time.perf_counter() - wall

    return take


def our_epoch() -> Epoch:
    """What `train` does at every step, without its files."""
    from epochs import epochs_of, trainer_of

    from miscope.family import make_variant
    from miscope_modadd.transformer import TransformerFamily

    family = TransformerFamily()
    variant = make_variant(family, {"prime": PRIME, "seed": SEED, "data_seed": DATA_SEED})
    return epochs_of(trainer_of(variant, family.task(variant), lambda: family.model(variant.params)))


def whole_training(steps: int = 100) -> float:
    """CPU seconds a step of the whole verb, files included; the first step, which imports the optimizer, left out."""
    import tempfile

    import miscope

    with tempfile.TemporaryDirectory() as folder:
        fields = {"prime": PRIME, "seed": SEED, "data_seed": DATA_SEED}
        variant = miscope.open(folder).variant("modadd.transformer", **fields)
        list(variant.train(steps=1, threads=1))
        began = time.process_time()
        list(variant.train(steps=steps + 1, threads=1))
        return (time.process_time() - began) / steps


def usual_epoch(model: Any) -> Epoch:
    """The loop of the field's notebooks; logits of every position, of which the last one counts."""
    import torch
    import torch.nn.functional as F

    pairs = torch.cartesian_prod(torch.arange(PRIME), torch.arange(PRIME))
    tokens = torch.cat([pairs, torch.full((len(pairs), 1), PRIME)], dim=1)
    order = torch.randperm(len(tokens), generator=torch.Generator().manual_seed(DATA_SEED))
    parts = [(tokens[rows], pairs[rows].sum(1) % PRIME) for rows in (order[:TRAIN], order[TRAIN:])]
    weights = [w for name, w in model.named_parameters() if not name.endswith("bias") and "b_" not in name]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, weight_decay=1.0, betas=(0.9, 0.98))

    def loss(part: tuple[Any, Any]) -> Any:
        log_p = F.log_softmax(model(part[0])[:, -1].double(), dim=-1)
        return -log_p.gather(1, part[1][:, None]).mean()

    def epoch() -> None:
        value = loss(parts[0])
        value.backward()
        value.item()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            loss(parts[1]).item()

    return epoch


def bridge() -> Any:
    """The same architecture as a TransformerLens bridge."""
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    config = TransformerBridgeConfig(architecture="TransformerLensNative", **sizes())
    return TransformerBridge.boot_native(config)  # pyright: ignore[reportAttributeAccessIssue]


def sizes() -> dict[str, Any]:
    """What both TransformerLens models are told."""
    shape = {"n_layers": 1, "n_heads": 4, "d_model": D_MODEL, "d_head": D_MODEL // 4, "d_mlp": D_MLP, "n_ctx": 3}
    words = {"d_vocab": PRIME + 1, "d_vocab_out": PRIME, "act_fn": "relu", "normalization_type": None}
    return {**shape, **words, "device": "cpu", "seed": SEED}


def matrix_product() -> Epoch:
    """A product of two matrices that keeps the core at its best."""
    import torch

    a, b, out = (torch.randn(2048, 2048) for _ in range(3))
    return lambda: torch.mm(a, b, out=out)


def elsewhere(python: Path) -> Callable[[], tuple[float, float]]:
    """An epoch of HookedTransformer in its own process, which waits for its turn."""
    words = [str(python), str(Path(__file__).resolve()), "--worker"]
    worker = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    given, taken = worker.stdin, worker.stdout
    assert given is not None
    assert taken is not None

    def take() -> tuple[float, float]:
        given.write("go\n")
        given.flush()
        cpu, wall = json.loads(taken.readline())
        return cpu, wall

    return take


def work() -> None:
    """Run an epoch for every line on standard input; print how long it took."""
    import torch
    from transformer_lens import HookedTransformer, HookedTransformerConfig  # pyright: ignore[reportAttributeAccessIssue]

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    model = HookedTransformer(HookedTransformerConfig(**sizes()))
    take = timed(usual_epoch(model))
    for _ in sys.stdin:
        print(json.dumps(take()), flush=True)


if __name__ == "__main__":
    main()
