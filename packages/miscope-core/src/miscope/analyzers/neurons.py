"""What each unit of a hidden layer responds to, and how units settle on it over training."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from miscope.analyzer import Analyzer, Grain, Options
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.maths.commitment import commitments, switches, transients
from miscope.maths.factor_spectrum import block_fractions, conditional_means_basis, shared_labels
from miscope.moment import Moment, Trajectory

SPECIALISED = 0.85
"""Share of variance in one block above which the field calls a neuron specialised. An ideal relu(cos a + cos b) has
0.962 but an ideal relu(cos(a + b)) only 0.841, so read it beside the null-calibrated threshold."""


def frequencies(moment: Moment) -> Arrays:
    """Share of each neuron's variance over a grid of two factors that one block of the task basis explains.

    For a frequency k these are the eight coefficients over {1, cos k, sin k} x {1, cos k, sin k} without the mean
    (Nanda et al. 2023, section 4.2). White noise scores 8 / (q^2 - 1). Without a basis the blocks are the
    principal components of the units' conditional means, and `SITE/basis` says 'conditional means'.
    """
    first, second = (moment.bases.get(column) for column in moment.probe.grid)
    found: dict[str, np.ndarray] = {}
    for site, activation in moment.activations.items():
        units = activation.reshape(*moment.probe.shape, -1)
        bases = (first, second) if first and second else conditional_means_basis(units)
        found |= {f"{site}/{name}": array for name, array in _of_units(units, *bases).items()}
    return found


def _of_units(units: Tensor, first: Basis, second: Basis) -> dict[str, np.ndarray]:
    label = np.array(shared_labels(first, second), dtype=np.str_)
    fraction, variance = (tensor.numpy() for tensor in block_fractions(units, first, second))
    dead = variance == 0
    most = fraction.max(axis=0, initial=0)
    live = most[~dead]
    return {
        "basis": np.array([first.name]),
        "label": label,
        "fraction": fraction.astype(np.float16),
        "dominant": np.where(dead, np.array("", dtype=label.dtype), label[fraction.argmax(axis=0)]),
        "max_fraction": most.astype(np.float32),
        "variance": variance,
        "dead": dead,
        "dead_count": np.array(int(dead.sum())),
        "specialised_count": np.array(int((live >= SPECIALISED).sum())),
        "median_max_fraction": np.array(float(np.median(live)) if len(live) else np.nan),
    }


FREQUENCIES = Analyzer(
    name="neurons.frequencies",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=frequencies,
    sites=("blocks.*.mlp.hook_post",),
    bases=("*",),
    grid=2,
    outputs={
        "SITE/basis": "(1,) name of the basis; 'conditional means' for the data's own",
        "SITE/label": "(K,) labels of the blocks: true frequencies k from 1 in a Fourier basis",
        "SITE/fraction": "(K, M) float16, share of each neuron's variance in each block",
        "SITE/dominant": "(M,) label of the block with the largest share; '' for a dead neuron",
        "SITE/max_fraction": "(M,) that share",
        "SITE/variance": "(M,) variance of the activation over the grid",
        "SITE/dead": "(M,) whether the activation is the same for every input",
        "SITE/dead_count": "() number of dead neurons",
        "SITE/specialised_count": f"() live neurons whose largest share is at least {SPECIALISED}",
        "SITE/median_max_fraction": "() median largest share of live neurons",
    },
)


class ClusterOptions(Options):
    """When a neuron counts as committed."""

    threshold: float | None = None
    """Largest share from which a neuron is committed to its block; None: 99.9 % quantile at the first checkpoint."""
    specialised: float = SPECIALISED
    """Largest share from which it is specialised."""
    transient: float = 0.70
    """Largest share from which it counts towards transient blocks."""
    transient_share: float = 0.05
    """Share of all neurons that a block must once have had to be more than noise."""
    final_share: float = 0.10
    """Share of all neurons from which a block is there at the end."""


def clusters(trajectory: Trajectory) -> Arrays:
    """When each neuron settles on its block, how large the blocks' clusters are, and which of them come and go.

    A neuron is committed while its largest share is at least the threshold, by default the 99.9 % quantile of live
    neurons at the first checkpoint: a null, not a constant. Commitment is the first step from
    which it stays committed to its final block.
    """
    options = trajectory.options
    assert isinstance(options, ClusterOptions)
    arrays = trajectory.artifacts["neurons.frequencies"]
    found: dict[str, np.ndarray] = {}
    for site in sorted({name.rpartition("/")[0] for name in arrays}):
        share = np.asarray(arrays[f"{site}/max_fraction"], dtype=np.float64)
        label = arrays[f"{site}/label"][0]
        block = _index(arrays[f"{site}/dominant"], label)
        tau = options.threshold
        if tau is None:
            live = share[0][block[0] >= 0]
            tau = float(np.quantile(live, 0.999)) if len(live) else 0.0
        measured = _clusters(share, block, trajectory.steps, len(label), tau, options)
        named = {"label": label, "final": np.append(label, "")[measured.pop("final_block")]}
        found |= {f"{site}/{name}": array for name, array in (measured | named).items()}
    return found


def _clusters(  # noqa: PLR0913
    share: np.ndarray, block: np.ndarray, steps: np.ndarray, blocks: int, tau: float, options: ClusterOptions
) -> dict[str, np.ndarray]:
    committed = np.where(share >= tau, block, -1)
    settled = commitments(committed)
    last = steps.astype(np.float64)
    passing = np.where(share >= options.transient, block, -1)
    came_and_went = transients(
        _sizes(passing, blocks), neurons=share.shape[1], ever=options.transient_share, final=options.final_share
    )
    peaks = _sizes(passing, blocks).argmax(axis=0)
    homeless = [int(((passing[peaks[k]] == k) & (passing[-1] < 0)).sum()) for k in np.flatnonzero(came_and_went)]
    return {
        "threshold": np.array(tau),
        "size": _sizes(committed, blocks).astype(np.int32),
        "size_specialised": _sizes(np.where(share >= options.specialised, block, -1), blocks).astype(np.int32),
        "final_block": committed[-1],
        "commitment": np.where(settled >= 0, last[settled], np.nan),
        "first": np.where((committed >= 0).any(axis=0), last[(committed >= 0).argmax(axis=0)], np.nan),
        "switches": switches(committed).astype(np.int32),
        "transient": came_and_went,
        "transient_count": np.array(int(came_and_went.sum())),
        "homeless_count": np.array(sum(homeless)),
        "committed_count": np.array(int((committed[-1] >= 0).sum())),
        "committed_share": (committed >= 0).mean(axis=1),
    }


def _index(names: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Position of each name among the labels; -1 for ''."""
    order = np.argsort(label)
    at = np.searchsorted(label[order], names).clip(max=len(label) - 1)
    return np.where(label[order][at] == names, order[at], -1)


def _sizes(block: np.ndarray, blocks: int) -> np.ndarray:
    """(T, K) neurons in each block, of (T, M) block numbers with -1 for none."""
    return np.stack([np.bincount(row[row >= 0], minlength=blocks) for row in block])


CLUSTERS = Analyzer(
    name="neurons.clusters",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=clusters,
    reads=("neurons.frequencies",),
    options=ClusterOptions,
    outputs={
        "SITE/label": "(K,) labels of the blocks",
        "SITE/threshold": "() largest share from which a neuron is committed",
        "SITE/size": "(T, K) neurons committed to each block",
        "SITE/size_specialised": "(T, K) neurons specialised on each block",
        "SITE/committed_share": "(T,) share of all neurons that are committed",
        "SITE/final": "(M,) label of the block a neuron is committed to at the end; '' for none",
        "SITE/commitment": "(M,) step from which it stays committed to that block; NaN for none",
        "SITE/first": "(M,) first step at which it was committed to any; NaN for never",
        "SITE/switches": "(M,) times it was committed to another block than the last it was committed to",
        "SITE/transient": "(K,) whether the block had its share of neurons once and lost most of them by the end",
        "SITE/transient_count": "() number of those blocks",
        "SITE/homeless_count": "() neurons of transient blocks, at their peak, that end without a block",
        "SITE/committed_count": "() neurons committed at the end",
    },
)
