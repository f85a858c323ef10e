"""Where the answer looks: attention patterns over the probe."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from miscope.analyzer import Analyzer, Grain
from miscope.artifact import Arrays
from miscope.moment import Moment


def patterns(moment: Moment) -> Arrays:
    """Attention of the answer's query to every key: mean, spread and entropy over the probe, and maps on a grid.

    Under each symmetry of the task, the correlation of one key's attention with another's on the image input: a head
    that treats swapped inputs alike has corr(A_a(a, b), A_b(b, a)) = 1. Entropy in nats.
    """
    found: dict[str, np.ndarray] = {}
    for site, pattern in moment.activations.items():
        found |= {f"{site}/{name}": array for name, array in _statistics(pattern.double()).items()}
        for name, image in moment.probe.symmetries.items():
            correlation = _correlation(pattern.double(), torch.from_numpy(image))
            found[f"{site}/symmetry/{name}"] = correlation.numpy()
        if len(moment.probe.grid) == 2:
            maps = pattern.permute(1, 2, 0).reshape(*pattern.shape[1:], *moment.probe.shape)
            found[f"{site}/map"] = maps.half().numpy()
    return found


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
    """(H, key, key'): of the attention to key with that to key' on the image input; 0 where one never moves."""
    centred = pattern - pattern.mean(dim=0)
    covariance = torch.einsum("nhk,nhl->hkl", centred, centred[image])
    scale = centred.square().sum(dim=0).sqrt()
    product = scale[:, :, None] * scale[:, None, :]
    still = product <= 1e-12 * len(pattern)
    return torch.where(still, 0.0, covariance / product.masked_fill(still, 1.0))


PATTERNS = Analyzer(
    name="attention.patterns",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=patterns,
    sites=("blocks.*.attn.hook_pattern",),
    outputs={
        "SITE/mean": "(H, key) mean attention of the answer's query to each key",
        "SITE/std": "(H, key) its standard deviation over inputs",
        "SITE/entropy": "(H,) mean entropy, nats",
        "SITE/support": "(H,) mean exp(entropy): how many keys it looks at",
        "SITE/mean_entropy": "() mean entropy over heads, nats",
        "SITE/symmetry/NAME": "(H, key, key') correlation of attention to key with that to key' on the image input",
        "SITE/map": "(H, key, q_a, q_b) float16, attention on the probe's grid of two factors, if it has one",
    },
)
