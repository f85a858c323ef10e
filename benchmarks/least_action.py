"""An epoch of the networks of Least Action Learning against a plain PyTorch loop of the same network.

Both take turns, epoch by epoch, on one thread, so that a busy machine slows them alike. The plain loop is as the field
writes it: `nn.Linear`, `nn.LayerNorm`, the whole sequence through every layer, AdamW; both take the loss in float64 and
look at the test set every epoch.

    python benchmarks/least_action.py [--rounds 12]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

WIDTH, HEADS, LAYERS = 128, 4, 2
FRACTION_BY_PRIME = {17: 0.5, 113: 0.3}

Epoch = Callable[[], Any]


def main() -> None:
    """Print one JSON object: title, rows, notes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rows = [row for prime in FRACTION_BY_PRIME for row in compared(prime, asked.rounds)]
    note = (
        f"Medians of {asked.rounds} epochs, in turns; one thread; {LAYERS} layers of {WIDTH}; no metrics but accuracy."
    )
    print(json.dumps({"title": "An epoch of Least Action Learning", "rows": rows, "notes": [note]}))


def compared(prime: int, rounds: int) -> list[dict[str, Any]]:
    """One row for each family: our epoch, the plain loop's, and their ratio."""
    rows = []
    for family, (plain, training) in NETWORKS.items():
        trainer, task = our_training(family, prime, training)
        epochs = (ours(trainer), usual(plain(prime), task))
        for epoch in epochs:
            epoch()
        taken = [[cpu_seconds(epoch) for epoch in epochs] for _ in range(rounds)]
        mine, other = (1e3 * statistics.median(times) for times in zip(*taken, strict=True))
        rows.append(
            {"an epoch of": family, "p": prime, "ms": mine, "plain loop, ms": other, "plain / ours": other / mine}
        )
    return rows


def cpu_seconds(epoch: Epoch) -> float:
    """Of one epoch."""
    began = time.process_time()
    epoch()
    return time.process_time() - began


def our_training(name: str, prime: int, training: dict[str, Any]) -> tuple[Any, Any]:
    """What `miscope train` runs, without its files."""
    import torch

    import miscope_lal
    from miscope.family import make_variant
    from miscope.training.trainer import Trainer, TrainingSetup

    family = next(each for each in miscope_lal.miscope_families() if each.name == name)
    sizes = {"prime": prime, "hidden_dim": WIDTH, "n_layers": LAYERS, "n_heads": HEADS}
    variant = make_variant(family, sizes, {"train_fraction": FRACTION_BY_PRIME[prime], **training})
    task, config = family.task(variant), variant.training
    assert task is not None
    assert config is not None
    setup = TrainingSetup(task=task, model=lambda: family.model(variant.params), config=config, seed=0)
    return Trainer(setup, task.initial_weights(), device=torch.device("cpu"), compiled=False), task


def ours(trainer: Any) -> Epoch:
    """A step of training, with its metrics."""
    steps = iter(range(10**9))

    def epoch() -> None:
        step = next(steps)
        loss = trainer.loss(step)
        {name: float(value) for name, value in trainer.metrics(step).items()}
        trainer.update(step, loss)

    return epoch


def usual(network: Any, task: Any) -> Epoch:
    """The loop as one writes it."""
    import torch
    from torch.nn.functional import cross_entropy

    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1.0, betas=(0.9, 0.98))

    def seen(examples: Any) -> Any:
        logits = network(examples.inputs)
        (logits.argmax(-1) == examples.labels).double().mean().item()
        return cross_entropy(logits.double(), examples.labels)

    def epoch() -> None:
        loss = seen(task.train)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            seen(task.test).item()

    return epoch


def plain_transformer(prime: int, mlps: int = 1) -> Any:
    """Pre-norm, causal, GELU; attention written out, as second derivatives need it. Several MLPs are blended by a
    gate, in a loop over them.
    """
    import torch
    from torch import nn
    from torch.nn.functional import gelu

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ln1, self.ln2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
            each = (
                nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)) for _ in range(mlps)
            )
            self.mlps = nn.ModuleList(each)
            self.of_state, self.of_stream, self.gate = (nn.Linear(WIDTH, out) for out in (WIDTH, WIDTH, mlps))
            self.update = nn.Linear(2 * WIDTH, WIDTH)
            self.register_buffer("later", torch.ones(4, 4, dtype=torch.bool).triu(1))

        def forward(self, x: Any, state: Any) -> Any:
            normal = self.ln1(x)
            q, k, v = (part(normal).unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in (self.q, self.k, self.v))
            scores = (q @ k.mT / (WIDTH // HEADS) ** 0.5).masked_fill(self.later, -torch.inf)
            x = x + self.o((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
            normal = self.ln2(x)
            if mlps == 1:
                return x + self.mlps[0](normal), state
            taken = self.gate(gelu(self.of_state(state) + self.of_stream(normal))).softmax(-1)
            for k, mlp in enumerate(self.mlps):
                x = x + taken[..., k, None] * mlp(normal)
            return x, self.update(torch.cat([state, x], dim=-1))

    class Transformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(prime + 2, WIDTH), nn.Embedding(5, WIDTH)
            self.blocks, self.ln = nn.ModuleList([Block() for _ in range(LAYERS)]), nn.LayerNorm(WIDTH)
            self.begin, self.head = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, prime)

        def forward(self, tokens: Any) -> Any:
            x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
            state = None if mlps == 1 else self.begin(x.cumsum(1) / torch.arange(1, 5)[:, None])
            for block in self.blocks:
                x, state = block(x, state)
            return self.head(self.ln(x)[:, -1])

    return Transformer()


def plain_routed(prime: int) -> Any:
    """Residual layers of heads in a loop, blended by a gate, LayerNorm after each."""
    import torch
    from torch import nn
    from torch.nn.functional import gelu

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            heads = (
                nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)) for _ in range(HEADS)
            )
            self.heads, self.ln = nn.ModuleList(heads), nn.LayerNorm(WIDTH)
            self.of_state, self.of_stream, self.gate = (nn.Linear(WIDTH, out) for out in (WIDTH, WIDTH, HEADS))
            self.update = nn.Linear(2 * WIDTH, WIDTH)

        def forward(self, x: Any, state: Any) -> Any:
            taken = self.gate(gelu(self.of_state(state) + self.of_stream(x))).softmax(-1)
            x = self.ln(x + sum(taken[:, k, None] * head(x) for k, head in enumerate(self.heads)))
            return x, self.update(torch.cat([state, x], dim=-1))

    class Routed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.begin = nn.Linear(2 * prime, WIDTH), nn.Linear(WIDTH, WIDTH)
            self.layers, self.head = nn.ModuleList([Layer() for _ in range(LAYERS)]), nn.Linear(WIDTH, prime)

        def forward(self, one_hot: Any) -> Any:
            x = self.embed(one_hot)
            state = self.begin(x)
            for layer in self.layers:
                x, state = layer(x, state)
            return self.head(x)

    return Routed()


NETWORKS: dict[str, tuple[Callable[[int], Any], dict[str, Any]]] = {
    "lal.transformer": (plain_transformer, {}),
    "lal.routed": (plain_routed, {"routing_regularizer": "none"}),
    "lal.routed-transformer": (partial(plain_transformer, mlps=HEADS), {"routing_regularizer": "none"}),
}
"""The plain network by the family it is the same as, and how that is trained."""


if __name__ == "__main__":
    main()
