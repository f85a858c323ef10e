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
from collections.abc import Callable
from functools import partial
from typing import Any

from epochs import Epoch, cpu_seconds, epochs_of, trainer_of

WIDTH, HEADS, LAYERS = 128, 4, 2
FRACTION_BY_PRIME = {17: 0.5, 113: 0.3}


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
    alone = (
        "Forward and backward alone: the gradient of the training loss, ours with the heads of a layer as one product, "
        "the plain network's with a loop over them."
    )
    print(json.dumps({"title": "An epoch of Least Action Learning", "rows": rows, "notes": [note, alone]}))


def compared(prime: int, rounds: int) -> list[dict[str, Any]]:
    """One row for each family, our epoch, the plain loop's and their ratio; then one for passes of routed heads."""
    rows = []
    for family, (plain, training) in NETWORKS.items():
        trainer, task = our_training(family, prime, training)
        rows.append(row(family, prime, (epochs_of(trainer), usual(plain(prime), task)), rounds))
    return [*rows, row("lal.routed, forward and backward alone", prime, routed_passes(prime), rounds)]


def row(what: str, prime: int, epochs: tuple[Epoch, Epoch], rounds: int) -> dict[str, Any]:
    """What each of the two takes, in turns, after one that does not count."""
    for epoch in epochs:
        epoch()
    taken = [[cpu_seconds(epoch) for epoch in epochs] for _ in range(rounds)]
    mine, other = (1e3 * statistics.median(times) for times in zip(*taken, strict=True))
    return {"an epoch of": what, "p": prime, "ms": mine, "plain loop, ms": other, "plain / ours": other / mine}


def routed_passes(prime: int) -> tuple[Epoch, Epoch]:
    """The gradient of the training loss with all heads of a layer as one product, and with a loop over them."""
    _, task = our_training("lal.routed", prime, {"routing_regularizer": "none"})
    weights = {role: weight.requires_grad_() for role, weight in task.initial_weights().items()}
    network = plain_routed(prime)
    batched = gradient(lambda inputs: task.logits(weights, inputs), list(weights.values()), task)
    return batched, gradient(network, list(network.parameters()), task)


def gradient(logits: Callable[[Any], Any], weights: list[Any], task: Any) -> Epoch:
    """Of the training loss, by the weights that it depends on."""
    import torch
    from torch.nn.functional import cross_entropy

    def one() -> None:
        loss = cross_entropy(logits(task.train.inputs).double(), task.train.labels)
        torch.autograd.grad(loss, weights, allow_unused=True)

    return one


def our_training(name: str, prime: int, training: dict[str, Any]) -> tuple[Any, Any]:
    """What `miscope train` runs, without its files, and its task."""
    import miscope_lal
    from miscope.family import make_variant

    family = next(each for each in miscope_lal.miscope_families() if each.name == name)
    sizes = {"prime": prime, "hidden_dim": WIDTH, "n_layers": LAYERS, "n_heads": HEADS}
    variant = make_variant(family, sizes, {"train_fraction": FRACTION_BY_PRIME[prime], **training})
    task = family.task(variant)
    return trainer_of(variant, task, lambda: family.model(variant.params)), task


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
