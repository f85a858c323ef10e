"""What the answer attends to: attention patterns over the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.artifact import Arrays
from miscope.lazily import torch
from miscope.maths.evenly_spaced import evenly_spaced
from miscope.model import matching
from miscope.needs import Needs
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

_STILL = 1e-6
"""Standard deviation of an attention below which what is left of it is the rounding of float32."""


def patterns(snapshot: Snapshot) -> Arrays:
    """Attention of the answer's query to every key: mean, spread and entropy over the probe, and maps on a grid.

    Under each symmetry of the task, the correlation of one key's attention with another's on the image input: a head
    that treats swapped inputs alike has corr(A_a(a, b), A_b(b, a)) = 1; NaN where attention to either key hardly moves,
    with a standard deviation below 1e-6. Entropy in nats.
    """
    outputs: dict[str, np.ndarray] = {}
    for site, pattern in snapshot.activations.items():
        outputs |= {f"{site}/{name}": array for name, array in _statistics(pattern.double()).items()}
        for name, image in snapshot.probe.symmetries.items():
            correlation = _correlation(pattern.double(), torch.from_numpy(image))
            outputs[f"{site}/symmetry/{name}"] = correlation.numpy()
        if len(snapshot.probe.grid) == 2:
            maps = pattern.permute(1, 2, 0).reshape(*pattern.shape[1:], *snapshot.probe.shape)
            outputs[f"{site}/map"] = maps.half().numpy()
    return outputs


def _statistics(pattern: Tensor) -> dict[str, np.ndarray]:
    entropy = -torch.xlogy(pattern, pattern).sum(dim=-1)
    return {
        "mean": pattern.mean(dim=0).numpy(),
        "std": pattern.std(dim=0, correction=0).numpy(),
        "entropy": entropy.mean(dim=0).numpy(),
        "support": entropy.exp().mean(dim=0).numpy(),
        "mean_entropy": np.array(float(entropy.mean())),
    }


def _correlation(pattern: Tensor, image: Tensor) -> Tensor:
    """(H, key, key'): of the attention to key with that to key' on the image input; NaN where one hardly moves."""
    centred = pattern - pattern.mean(dim=0)
    covariance = torch.einsum("nhk,nhl->hkl", centred, centred[image]) / len(pattern)
    scale = centred.square().mean(dim=0).sqrt()
    scale = scale.masked_fill(scale < _STILL, torch.nan)
    return covariance / (scale[:, :, None] * scale[:, None, :])


PATTERNS = Analyzer(
    name="attention.patterns",
    version=2,
    grain=Grain.CHECKPOINT,
    compute=patterns,
    needs=Needs(sites=("blocks.*.attn.hook_pattern",)),
    question="Which keys does the answer attend to, how sharply, and do heads treat symmetric inputs alike?",
    formula="entropy = -sum_k A log A; symmetry = corr(A[h, k](x), A[h, k'](image of x)) over the probe",
    source="Nanda et al. 2023, section 4.2 and figure 3 (arXiv 2301.05217)",
    outputs={
        "SITE/mean": "(H, key) mean attention of the answer's query to each key",
        "SITE/std": "(H, key) its standard deviation over inputs",
        "SITE/entropy": "(H,) mean entropy, nats",
        "SITE/support": "(H,) mean exp(entropy): how many keys it attends to",
        "SITE/mean_entropy": "() mean entropy over heads, nats",
        "SITE/symmetry/NAME": "(H, key, key') correlation of attention to key with that to key' on the image input; "
        "NaN where either hardly moves (standard deviation below 1e-6)",
        "SITE/map": "(H, key, q_a, q_b) float16, attention on the probe's grid of two factors, if it has one",
    },
)


class SequenceOptions(Options):
    """How many inputs are averaged over."""

    inputs: Count = 256
    """At most so many, evenly spread over the probe."""


def sequence(snapshot: Snapshot[SequenceOptions]) -> Arrays:
    """Attention of every query to every key, mean over inputs of the probe, and by how far back the key lies.

    The profile is over queries that have a key so far back: profile[d] = mean over q >= d of A[q, q - d].
    """
    options = snapshot.options
    assert snapshot.model is not None
    sites = matching(PATTERNS.needs.sites, sorted(snapshot.model.sites))
    count = len(snapshot.probe.inputs)
    rows = evenly_spaced(count, options.inputs)
    seen = snapshot.model.run(snapshot.weights, snapshot.probe.inputs[torch.from_numpy(rows)], sites)
    outputs: dict[str, np.ndarray] = {}
    for site in sites:
        pattern = seen[site].double()
        mean, length = pattern.mean(dim=0), pattern.shape[-1]
        back = [mean.diagonal(-distance, -2, -1).mean(-1) for distance in range(length)]
        entropy = -torch.xlogy(pattern, pattern).sum(dim=-1).mean(dim=0)
        outputs[f"{site}/mean"] = mean.half().numpy()
        outputs[f"{site}/profile"] = torch.stack(back, dim=1).float().numpy()
        outputs[f"{site}/entropy"] = entropy.float().numpy()
    return outputs


SEQUENCE = Analyzer(
    name="attention.sequence",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=sequence,
    needs=Needs(
        # Says to whom it applies; what is read comes from a run at all positions of few inputs.
        sites=PATTERNS.needs.sites,
        weights=("*",),
        model=True,
    ),
    options=SequenceOptions,
    question="Where along the sequence does each head attend, from every position?",
    formula="mean over inputs of A[h, q, k]; profile[h, d] = mean over q >= d of A[h, q, q - d]",
    source="Elhage et al. 2021, 'A mathematical framework for transformer circuits', section on attention patterns",
    outputs={
        "SITE/mean": "(H, query, key) float16, mean attention",
        "SITE/profile": "(H, distance) float32, mean attention to the key so many positions back",
        "SITE/entropy": "(H, query) float32, mean entropy of each position's attention, nats",
    },
)
