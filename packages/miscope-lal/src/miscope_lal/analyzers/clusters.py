"""Whether heads divide the task among them: their neurons by frequency, their inputs by frequency or by answer."""

from __future__ import annotations

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Options, Snapshot
from miscope.analyzer import Count, Whole
from miscope.errors import DoesNotApply
from miscope.maths.label_index import label_index
from miscope_lal.label_information import adjusted_information, information, shuffled_information
from miscope_lal.routing_measures import WEIGHTS, by_layer, p_value, quantiles

_PRE, _POST, _WEIGHTS = "mlp.hook_pre", "mlp.hook_post", "routing.hook_weights"
_NEURONS = "neurons.frequencies"


class ClusterOptions(Options):
    """How the null of shuffled inputs is drawn."""

    draws: Count = 199
    """Times that one of two labellings is dealt out at random."""
    seed: Whole = 0


def clusters(snapshot: Snapshot[ClusterOptions]) -> Arrays:
    """Agreement of routing with Fourier clusters and with the answer, as adjusted mutual information.

    `neurons`: of the head that a neuron belongs to and the frequency it responds to most (neurons.frequencies; those
    without one are left out). `inputs`: of an input's dominant head and the frequency whose neurons are loudest there,
    loudness being the mean over a cluster of a neuron's squared deviation before its nonlinearity, over that neuron's
    variance. `answer`: of the dominant head and the right answer. 1 where the groups are the same, 0 expected at
    random, with the p-value of as much information where one of both is dealt out at random.
    """
    reads, outputs = snapshot.artifacts[_NEURONS], dict[str, np.ndarray]()
    for site, weights in by_layer(snapshot.activations).items():
        block = site.removesuffix(_WEIGHTS)
        if f"{block}{_POST}/dominant" not in reads or block + _PRE not in snapshot.activations:
            continue
        label, dominant = (reads[f"{block}{_POST}/{name}"] for name in ("label", "dominant"))
        cluster, taken = label_index(dominant, label), weights.argmax(axis=1)
        head = np.arange(len(cluster)) // max(1, len(cluster) // weights.shape[1])
        pre = snapshot.activations[block + _PRE].double().numpy()
        known = cluster >= 0
        table = np.zeros((weights.shape[1], len(label)), dtype=np.int64)
        np.add.at(table, (head[known], cluster[known]), 1)
        outputs |= {f"{site}/label": label, f"{site}/neurons": table}
        pairs = {"neurons": (head[known], cluster[known]), "inputs": (taken, _loudest(pre, cluster))}
        if snapshot.probe.labels is not None:
            pairs["answer"] = taken, snapshot.probe.labels.numpy()
        for name, (one, other) in pairs.items():
            found = _agreement(one, other, snapshot.options)
            outputs |= {f"{site}/{name}/{what}": array for what, array in found.items()}
    if not outputs:
        raise DoesNotApply("no layer that routes has neurons whose frequencies are known")
    return outputs


def _loudest(pre: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """(N,) the cluster whose neurons (N, M) deviate most at each input; all 0 where no neuron has one."""
    size = (pre - pre.mean(axis=0)) ** 2
    loud = size / np.maximum(size.mean(axis=0), np.finfo(np.float64).tiny)
    there = np.unique(cluster[cluster >= 0])
    if not len(there):
        return np.zeros(len(pre), dtype=np.int64)
    return there[np.stack([loud[:, cluster == one].mean(axis=1) for one in there], axis=1).argmax(axis=1)]


def _agreement(one: np.ndarray, other: np.ndarray, options: ClusterOptions) -> dict[str, np.ndarray]:
    if len(one) < 2:
        return {"agreement": np.array(np.nan), "null": np.full(3, np.nan), "p": np.array(np.nan)}
    known = information(one, other)
    null = shuffled_information(one, other, draws=options.draws, seed=options.seed)
    return {
        "agreement": np.array(adjusted_information(one, other)),
        "information": np.array(known),
        "null": quantiles(null),
        "p": p_value(known, null),
    }


CLUSTERS = Analyzer(
    name="routing.clusters",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=clusters,
    needs=Needs(reads=(_NEURONS,), sites=(WEIGHTS, f"*.{_PRE}"), bases=("*",), grid=2),
    options=ClusterOptions,
    not_invariant_to=("head order",),
    question="Do heads divide frequencies, or answers, among them?",
    formula="(I - E I) / (mean(H_1, H_2) - E I) of head and cluster",
    source="Vinh, Epps & Bailey 2010; neurons' clusters after Nanda et al. 2023, section 4.2",
    outputs={
        "SITE/label": "(K,) frequencies",
        "SITE/neurons": "(n, K) neurons of each head that respond to each frequency most",
        "SITE/PAIR/agreement": "() adjusted mutual information; PAIR is neurons, inputs or answer",
        "SITE/PAIR/information": "() nats that both have in common",
        "SITE/PAIR/null": "(3,) 2.5, 50 and 97.5 % of that where one is dealt out at random",
        "SITE/PAIR/p": "() p-value of as much information then",
    },
)
