"""What each unit of a hidden layer responds to, and how units settle on it over training."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

from miscope.analyzer import Analyzer, Grain, Options
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.maths.agreement import agreement_of_committed
from miscope.maths.bands import band_of, effective_number, herfindahl
from miscope.maths.commitment import commitments, switches, transients, transitions
from miscope.maths.factor_spectrum import block_fractions, conditional_means_basis, shared_labels
from miscope.maths.false_discovery import benjamini_hochberg, chance_of
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
        least, most = torch.aminmax(units.reshape(-1, units.shape[-1]), dim=0)
        found |= {f"{site}/low": least.float().numpy(), f"{site}/high": most.float().numpy()}
    return found


_TIE = 1e-5
"""Relative difference of the two largest shares below which neither is the larger."""


def _of_units(units: Tensor, first: Basis, second: Basis) -> dict[str, np.ndarray]:
    label = np.array(shared_labels(first, second), dtype=np.str_)
    fraction, variance = (tensor.numpy() for tensor in block_fractions(units, first, second))
    dead = variance == 0
    most = fraction.max(axis=0, initial=0)
    # A unit that is active at one input has as much of every frequency; rounding would choose.
    tied = (fraction >= (1 - _TIE) * most).sum(axis=0) > 1
    live, total = most[~dead], max(float(variance.sum()), np.finfo(np.float64).tiny)
    return {
        "basis": np.array([first.name]),
        "label": label,
        "fraction": fraction.astype(np.float16),
        "dominant": np.where(dead | tied, np.array("", dtype=label.dtype), label[fraction.argmax(axis=0)]),
        "max_fraction": most.astype(np.float32),
        "variance": variance,
        "variance_fraction": fraction.astype(np.float64) @ variance / total,
        "weighted_max_fraction": np.array(float(most.astype(np.float64) @ variance / total)),
        "dead": dead,
        "dead_count": np.array(int(dead.sum())),
        "specialised_count": np.array(int((live >= SPECIALISED).sum())),
        "median_max_fraction": np.array(float(np.median(live)) if len(live) else np.nan),
    }


FREQUENCIES = Analyzer(
    name="neurons.frequencies",
    version=4,
    grain=Grain.CHECKPOINT,
    compute=frequencies,
    sites=("blocks.*.mlp.hook_post",),
    bases=("*",),
    grid=2,
    varies=("relu scaling",),
    question="What does each neuron respond to, and how purely?",
    formula="F_kj = sum of squares of neuron j's coefficients over (const, k) x (const, k), without the mean, over all",
    source="Nanda et al. 2023, section 4.2 (arXiv 2301.05217)",
    outputs={
        "SITE/basis": "(1,) name of the basis; 'conditional means' for the data's own",
        "SITE/label": "(K,) labels of the blocks: true frequencies k from 1 in a Fourier basis",
        "SITE/fraction": "(K, M) float16, share of each neuron's variance in each block",
        "SITE/dominant": "(M,) label of the block with the largest share; '' for a dead neuron, or where two have it",
        "SITE/max_fraction": "(M,) that share",
        "SITE/variance": "(M,) variance of the activation over the grid",
        "SITE/variance_fraction": "(K,) share of all neurons' variance together in each block",
        "SITE/weighted_max_fraction": "() mean of the neurons' largest shares, weighted by their variance",
        "SITE/{low,high}": "(M,) least and greatest activation over the grid",
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
    chance: float = 0.05
    """Share by chance among the neurons that are found to stand out from the first checkpoint's."""
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
        measured = _clusters(share, block, len(label), tau, trajectory)
        named = {"label": label, "final": np.append(label, "")[measured.pop("final_block")]}
        found |= {f"{site}/{name}": array for name, array in (measured | named).items()}
    return found


def _clusters(
    share: np.ndarray, block: np.ndarray, blocks: int, tau: float, trajectory: Trajectory
) -> dict[str, np.ndarray]:
    """What `clusters` finds at a site, of (T, M) largest shares and the numbers of the blocks they belong to."""
    options = trajectory.options
    assert isinstance(options, ClusterOptions)
    committed = np.where(share >= tau, block, -1)
    settled = commitments(committed)
    last = trajectory.steps.astype(np.float64)
    passing = np.where(share >= options.transient, block, -1)
    held = _sizes(passing, blocks)
    came_and_went = transients(held, neurons=share.shape[1], ever=options.transient_share, final=options.final_share)
    peaks = held.argmax(axis=0)
    moved, when = transitions(committed, blocks)
    homeless = [int(((passing[peaks[k]] == k) & (passing[-1] < 0)).sum()) for k in np.flatnonzero(came_and_went)]
    return {
        "threshold": np.array(tau),
        "size": _sizes(committed, blocks).astype(np.int32),
        "size_specialised": _sizes(np.where(share >= options.specialised, block, -1), blocks).astype(np.int32),
        "final_block": committed[-1],
        "commitment": np.where(settled >= 0, last[settled], np.nan),
        "first": np.where((committed >= 0).any(axis=0), last[(committed >= 0).argmax(axis=0)], np.nan),
        "switches": switches(committed).astype(np.int32),
        "transitions": moved.astype(np.int32),
        "switched": when.astype(np.int32),
        "size_passing": held.astype(np.int32),
        "transient": came_and_went,
        "transient_count": np.array(int(came_and_went.sum())),
        "homeless_count": np.array(sum(homeless)),
        "committed_count": np.array(int((committed[-1] >= 0).sum())),
        "committed_share": (committed >= 0).mean(axis=1),
        "found_share": _found(share, share[0][block[0] >= 0], options.chance),
        "stability": np.array([agreement_of_committed(a, b) for a, b in itertools.pairwise(committed)]),
        "likeness_to_end": np.array([agreement_of_committed(now, committed[-1]) for now in committed]),
    }


def _found(share: np.ndarray, null: np.ndarray, level: float) -> np.ndarray:
    """(T,) share of neurons whose share stands out from the null's, of (T, M) all tested together at each step."""
    return np.array([(benjamini_hochberg(chance_of(now, null)) < level).mean() for now in share])


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
    version=3,
    grain=Grain.TRAJECTORY,
    compute=clusters,
    reads=("neurons.frequencies",),
    options=ClusterOptions,
    question="When does each neuron settle on its component, and which components come and go?",
    formula="committed to argmax_k F_k while max_k F_k >= tau; commitment: first step of the last unbroken stay",
    source="After Nanda et al. 2023, section 4.2; the threshold is the 99.9 % quantile at the first checkpoint",
    outputs={
        "SITE/label": "(K,) labels of the blocks",
        "SITE/threshold": "() largest share from which a neuron is committed",
        "SITE/size": "(T, K) neurons committed to each block",
        "SITE/size_specialised": "(T, K) neurons specialised on each block",
        "SITE/committed_share": "(T,) share of all neurons that are committed",
        "SITE/found_share": "(T,) share of all neurons whose largest share stands out from the first checkpoint's, of "
        "those found at most 5 % by chance (Benjamini & Hochberg)",
        "SITE/stability": "(T-1,) adjusted Rand index of the clusters with the checkpoint before's, of the neurons "
        "committed at both: 1 for the same clusters, whatever they are called, 0 for chance",
        "SITE/likeness_to_end": "(T,) the same with the last checkpoint's",
        "SITE/final": "(M,) label of the block a neuron is committed to at the end; '' for none",
        "SITE/commitment": "(M,) step from which it stays committed to that block; NaN for none",
        "SITE/first": "(M,) first step at which it was committed to any; NaN for never",
        "SITE/switches": "(M,) times it was committed to another block than the last it was committed to",
        "SITE/transitions": "(K, K) switches from each block to each other one, all of training together",
        "SITE/switched": "(T,) neurons that switched since the checkpoint before",
        "SITE/size_passing": "(T, K) neurons whose share in the block is at least 0.7, of which transients are told",
        "SITE/transient": "(K,) whether the block had its share of neurons once and lost most of them by the end",
        "SITE/transient_count": "() number of those blocks",
        "SITE/homeless_count": "() neurons of transient blocks, at their peak, that end without a block",
        "SITE/committed_count": "() neurons committed at the end",
    },
)

_CLUSTERS = "neurons.clusters"
_NAMES = {1: ("all",), 2: ("low", "high"), 3: ("low", "mid", "high")}


class BandOptions(Options):
    """How components are put together."""

    bands: int = 3
    """Bands of neighbouring components, as equal in number as can be."""


def bands(trajectory: Trajectory) -> Arrays:
    """Neurons committed to and specialised on each band of components over training, and how concentrated they are.

    Concentration is told over components, as the Herfindahl index sum f^2 and as the effective number exp(entropy) of
    the committed neurons' shares. Bands are of neighbouring labels, in the basis' order. For modular addition they are
    a matter of naming: multiplying both factors by a unit is a symmetry that permutes all frequencies.
    """
    options = trajectory.options
    assert isinstance(options, BandOptions)
    arrays = trajectory.artifacts[_CLUSTERS]
    found: dict[str, np.ndarray] = {}
    for site in sorted({name.rpartition("/")[0] for name in arrays}):
        committed, special = (arrays[f"{site}/{name}"].astype(np.float64) for name in ("size", "size_specialised"))
        labels, count = arrays[f"{site}/label"], min(options.bands, committed.shape[1])
        band = band_of(committed.shape[1], count)
        member = (band[:, None] == np.arange(count)).astype(np.float64)
        named = {
            "band": np.array(_NAMES.get(count, tuple(str(i + 1) for i in range(count)))),
            "range": np.array([f"{labels[band == i][0]}-{labels[band == i][-1]}" for i in range(count)]),
            "committed": (committed @ member).astype(np.int32),
            "specialised": (special @ member).astype(np.int32),
            "herfindahl": herfindahl(committed),
            "effective": effective_number(committed),
            "band_herfindahl": herfindahl(committed @ member),
            "final_effective": np.array(effective_number(committed)[-1]),
        }
        found |= {f"{site}/{name}": array for name, array in named.items()}
    return found


BANDS = Analyzer(
    name="neurons.bands",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=bands,
    reads=(_CLUSTERS,),
    options=BandOptions,
    question="Over how many components, and which bands of them, do the neurons specialise?",
    formula="H = sum_k f_k^2 and exp(-sum_k f_k ln f_k), f_k the share of committed neurons on component k",
    source="Herfindahl-Hirschman index; Hill 1973 for the effective number",
    outputs={
        "SITE/band": "(B,) name of each band",
        "SITE/range": "(B,) its first and last component",
        "SITE/committed": "(T, B) neurons committed to a component of the band",
        "SITE/specialised": "(T, B) neurons specialised on a component of the band",
        "SITE/herfindahl": "(T,) sum of squared shares over components; NaN while no neuron is committed",
        "SITE/effective": "(T,) effective number of components, exp(entropy)",
        "SITE/band_herfindahl": "(T,) sum of squared shares over bands",
        "SITE/final_effective": "() effective number of components at the end",
    },
)
