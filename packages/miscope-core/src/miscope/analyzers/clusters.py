"""How neurons settle on components of the task basis over training: when, on which, and which come and go."""

from __future__ import annotations

import itertools

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.analyzers.neurons import SPECIALISED, bases_of
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.forward import activations
from miscope.maths.agreement import agreement_of_committed
from miscope.maths.commitment import commitments, switches, transients, transitions
from miscope.maths.false_discovery import benjamini_hochberg, empirical_p_values
from miscope.maths.label_index import label_index
from miscope.maths.relabelled_units import largest_when_relabelled
from miscope.needs import Needs
from miscope.snapshot import Trajectory


class ClusterOptions(Options):
    """When a neuron counts as committed."""

    threshold: float | None = None
    """Largest share from which a neuron is committed to its block; None: the 99.9 % quantile of a null."""
    specialised: float = SPECIALISED
    """Largest share from which it is specialised."""
    transient: float = 0.70
    """Largest share from which it counts towards transient blocks."""
    transient_share: float = 0.05
    """Share of all neurons that a block must once have had to be more than noise."""
    level: float = 0.05
    """False discovery rate among the neurons whose largest share is significant against the null."""
    final_share: float = 0.10
    """Share of all neurons from which a block is there at the end."""
    draws: Count = 2000
    """Neurons at least in the null of a record that does not begin at the initialisation."""
    seed: Whole = 0


def clusters(trajectory: Trajectory[ClusterOptions]) -> Arrays:
    """When each neuron settles on its block, how large the blocks' clusters are, and which of them come and go.

    A neuron is committed while its largest share is at least the threshold, by default the 99.9 % quantile of live
    neurons at the initialisation: a null, not a constant. Of a record that begins later, as an imported one may, the
    null is the first checkpoint's neurons with the factors' values in another order, each neuron's own, both factors'
    alike where they have as many: exactly the null distribution where all values are alike at first. Commitment is the
    first step from which it stays committed to its final block; at the first checkpoint of such a record it is the
    latest it can be.
    """
    arrays = trajectory.artifacts["neurons.frequencies"]
    outputs: dict[str, np.ndarray] = {}
    for site in sorted({name.rpartition("/")[0] for name in arrays}):
        share = np.asarray(arrays[f"{site}/max_fraction"], dtype=np.float64)
        label = arrays[f"{site}/label"][0]
        block = label_index(arrays[f"{site}/dominant"], label)
        null = share[0][block[0] >= 0] if trajectory.steps[0] == 0 else _relabelled(trajectory, site)
        measured = _clusters(share, block, len(label), null, trajectory)
        named = {"label": label, "final": np.append(label, "")[measured.pop("final_block")]}
        named["null"] = np.array(["initialisation" if trajectory.steps[0] == 0 else "relabelled"])
        outputs |= {f"{site}/{name}": array for name, array in (measured | named).items()}
    return outputs


def _relabelled(trajectory: Trajectory[ClusterOptions], site: str) -> np.ndarray:
    """(n,) largest shares of the first checkpoint's neurons with the factors' values in another order."""
    options, probe, model = trajectory.options, trajectory.probe, trajectory.model
    if model is None:
        reason = f"its record begins at step {trajectory.steps[0]}, and there is no model to draw a null from"
        raise DoesNotApply(reason)
    weights = {role: load()[0] for role, load in trajectory.weights.items()}
    activation = activations(model.answers, weights, probe.inputs, [site])[site]
    units = activation.reshape(*probe.shape, -1)
    return largest_when_relabelled(
        units,
        lambda moved: bases_of(moved, probe, trajectory.bases),
        draws=options.draws,
        seed=options.seed,
    )


def _clusters(
    share: np.ndarray, block: np.ndarray, blocks: int, null: np.ndarray, trajectory: Trajectory[ClusterOptions]
) -> dict[str, np.ndarray]:
    """What `clusters` finds at a site, of (T, M) largest shares, the numbers of the blocks they belong to, and the
    largest shares of (n,) neurons of the null."""
    options, tau = trajectory.options, trajectory.options.threshold
    if tau is None:
        tau = float(np.quantile(null, 0.999)) if len(null) else 0.0
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
        "significant_share": _significant(share, null, options.level),
        "stability": np.array([agreement_of_committed(a, b) for a, b in itertools.pairwise(committed)]),
        "likeness_to_end": np.array([agreement_of_committed(now, committed[-1]) for now in committed]),
    }


def _significant(share: np.ndarray, null: np.ndarray, level: float) -> np.ndarray:
    """(T,) share of neurons whose share is significant against the null, of (T, M) all tested together at each step."""
    return np.array([(benjamini_hochberg(empirical_p_values(now, null)) < level).mean() for now in share])


def _sizes(block: np.ndarray, blocks: int) -> np.ndarray:
    """(T, K) neurons in each block, of (T, M) block numbers with -1 for none."""
    return np.stack([np.bincount(row[row >= 0], minlength=blocks) for row in block])


CLUSTERS = Analyzer(
    name="neurons.clusters",
    version=6,
    grain=Grain.TRAJECTORY,
    compute=clusters,
    needs=Needs(reads=("neurons.frequencies",), weights=("*",), bases=("*",), grid=2, model=True),
    options=ClusterOptions,
    not_invariant_to=("relu scaling",),  # without a basis: the data's own one weighs large units more
    question="When does each neuron settle on its component, and which components come and go?",
    formula="committed to argmax_k F_k while max_k F_k >= tau; commitment: first step of the last unbroken stay",
    source="After Nanda et al. 2023, section 4.2; the threshold is the 99.9 % quantile of a null",
    outputs={
        "SITE/label": "(K,) labels of the blocks",
        "SITE/threshold": "() largest share from which a neuron is committed",
        "SITE/null": "(1,) initialisation, or relabelled where the record does not begin there",
        "SITE/size": "(T, K) neurons committed to each block",
        "SITE/size_specialised": "(T, K) neurons specialised on each block",
        "SITE/committed_share": "(T,) share of all neurons that are committed",
        "SITE/significant_share": "(T,) share of all neurons whose largest share is significant against the null, at a "
        "false discovery rate of 0.05 (Benjamini & Hochberg)",
        "SITE/stability": "(T-1,) adjusted Rand index of the clusters with the checkpoint before's, of the neurons "
        "committed at both: 1 for the same clusters, whatever they are called, 0 expected at random",
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
