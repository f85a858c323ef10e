"""Toy networks of no family, as a researcher has them: what is recorded or imported is tested on them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from miscope.probe import Probe

__all__ = [
    "NAMES",
    "PAIRS",
    "SUMS",
    "TRAIN",
    "Adder",
    "Convolutional",
    "Recurrent",
    "adder",
    "learn",
    "pairs",
    "seeded",
]

N = 5
PAIRS = torch.cartesian_prod(torch.arange(N), torch.arange(N))
SUMS = PAIRS.sum(1) % N
TRAIN = torch.randperm(N * N, generator=torch.Generator().manual_seed(1)) < 17
NAMES = {"embed": "hook_embed", "act": "blocks.0.mlp.hook_post", "embed.weight": "W_E"}


class Adder(nn.Module):
    """Two embeddings, one hidden layer."""

    def __init__(self, width: int = 12, squared: bool = False) -> None:
        super().__init__()
        self.embed, self.hidden, self.head = nn.Embedding(N, 8), nn.Linear(16, width), nn.Linear(width, N)
        self.act = nn.Identity() if squared else nn.ReLU()
        self.squared = squared

    def forward(self, tokens: Tensor) -> Tensor:
        units = self.act(self.hidden(self.embed(tokens).flatten(1)))
        return self.head(units**2 if self.squared else units)


class Recurrent(nn.Module):
    """One token after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.cell, self.head = nn.Embedding(N, 8), nn.LSTM(8, 12, batch_first=True), nn.Linear(12, N)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.cell(self.embed(tokens))[0])


class Convolutional(nn.Module):
    """A convolution with a batch normalisation, on images."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Linear(12, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(torch.relu(self.norm(self.conv(images))).flatten(1))


def adder(width: int = 12, squared: bool = False) -> nn.Module:
    """The adder; what a record names to have it made anew."""
    return Adder(width, squared)


def nobody_says_what(width: int = 12):
    """Makes one too, and does not say so."""
    return Adder(width)


def pairs(**changes: object) -> Probe:
    """All pairs with their sums, and what is known of them."""
    a, b = PAIRS.T.numpy()
    columns = {"a": a, "b": b, "sum": SUMS.numpy()}
    fields = {"labels": SUMS, "columns": columns, "grid": ("a", "b"), "train": TRAIN.numpy(), **changes}
    return Probe(name="pairs", inputs=PAIRS, **fields)  # pyright: ignore[reportArgumentType]


def seeded(seed: int = 0, kind: type[nn.Module] = Adder) -> nn.Module:
    """A network with the first weights of that seed."""
    torch.manual_seed(seed)
    return kind()


def learn(model: nn.Module, optimizer: torch.optim.Optimizer) -> float:
    """One update; the loss before it."""
    logits = model(PAIRS)
    logits = logits[:, -1] if logits.ndim == 3 else logits
    loss = nn.functional.cross_entropy(logits[TRAIN], SUMS[TRAIN])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
