"""The curvature of networks of nobody's family: a recorded loop's, a recurrent one, attention that is fused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

import miscope
from miscope.testing import tables
from miscope.testing import toy_modules as own

NAMES = tuple(f"curvature.{name}" for name in ("gradient", "trace", "eigenvalues", "fisher", "noise"))
N = 5


class Attentive(nn.Module):
    """Tokens that attend to each other by PyTorch's own layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(N, 4), nn.Linear(8, N)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, tokens: Tensor) -> Tensor:
        stream = self.embed(tokens)
        return self.head(self.attention(stream, stream, stream, need_weights=False)[0].flatten(1))


@pytest.mark.parametrize("kind", [own.Adder, own.Recurrent, Attentive])
def test_curvature_of_a_recorded_network_is_that_of_its_loss(kind: type[nn.Module], tmp_path: Path) -> None:
    place = miscope.open(tmp_path / "w", plugins=tables())
    model = own.seeded(kind=kind)
    with place.record("one", model, probe=own.pairs()) as recorder:
        recorder.checkpoint(0, model)
    variant = place.find(recorder.variant.name)
    outcomes = list(variant.analyze(*NAMES))
    assert [(outcome.state, outcome.error) for outcome in outcomes] == [("saved", "")]
    slope, exact = by_hand(model.double())
    assert variant.arrays("curvature.gradient", step=0)["norm"] == pytest.approx(slope, rel=1e-9)
    found = variant.arrays("curvature.trace", step=0)
    assert abs(float(found["trace"]) - exact) < 4 * float(found["trace/sem"])
    assert float(found["trace/sem"]) < 0.5 * abs(exact)


def by_hand(model: nn.Module) -> tuple[float, float]:
    """Length of the gradient of the loss on the training pairs, and the trace of its Hessian, one weight at a time."""
    weights = list(model.parameters())
    with sdpa_kernel(SDPBackend.MATH):
        logits = model(own.PAIRS)
    logits = logits[:, -1] if logits.ndim == 3 else logits
    loss = nn.functional.cross_entropy(logits[own.TRAIN], own.SUMS[own.TRAIN])
    slopes = torch.autograd.grad(loss, weights, create_graph=True)
    trace = sum(
        torch.autograd.grad(entry, w, retain_graph=True)[0].flatten()[i]
        for w, slope in zip(weights, slopes, strict=True)
        for i, entry in enumerate(slope.flatten())
    )
    return torch.cat([slope.flatten() for slope in slopes]).norm().item(), float(trace)
