"""By which heads, layer after layer, inputs go through the network."""

from __future__ import annotations

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Options, Snapshot
from miscope.analyzer import Count, Whole
from miscope_lal.label_information import entropy_of_counts
from miscope_lal.routing_measures import WEIGHTS, by_layer, p_value, paths_of, quantiles


class PathOptions(Options):
    """How the null of shuffled inputs is drawn."""

    draws: Count = 199
    """Times that each layer's dominant heads are dealt to the inputs at random."""
    seed: Whole = 0


def paths(snapshot: Snapshot[PathOptions]) -> Arrays:
    """Each input's signature of dominant heads, layer by layer: how many there are, and how evenly they are taken.

    `bound` is the sum of the layers' entropies less the entropy of the signatures: nats that layers know of each other
    (the total correlation, Watanabe 1960), 0 where each layer decides by itself. The null deals each layer's dominant
    heads to the inputs at random, apart from the other layers': it has the layers' own entropies, and no bound but that
    of a sample.
    """
    dominant = [weights.argmax(axis=1) for weights in by_layer(snapshot.activations).values()]
    found, options = paths_of(dominant), snapshot.options
    by_itself = sum(entropy_of_counts(np.bincount(heads)) for heads in dominant)
    entropy = entropy_of_counts(found.count)
    generator = np.random.default_rng(options.seed)
    shuffled = [paths_of([generator.permutation(heads) for heads in dominant]).count for _ in range(options.draws)]
    bounds = by_itself - np.array([entropy_of_counts(count) for count in shuffled])
    shape = snapshot.probe.shape or (len(found.taken),)
    return {
        "heads": found.heads.astype(np.int16),
        "count": found.count,
        "taken": found.taken.reshape(shape).astype(np.int32),
        "number": np.array(len(found.count)),
        "number/null": quantiles(np.array([len(count) for count in shuffled])),
        "entropy": np.array(entropy),
        "bound": np.array(by_itself - entropy),
        "bound/null": quantiles(bounds),
        "bound/p": p_value(by_itself - entropy, bounds),
    }


PATHS = Analyzer(
    name="routing.paths",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=paths,
    needs=Needs(sites=(WEIGHTS,)),
    options=PathOptions,
    not_invariant_to=("head order",),
    question="By how many paths through the heads are inputs answered, and do layers decide together?",
    formula="H = -sum_s p_s ln p_s over signatures s = (argmax_k w_1k, ..., argmax_k w_Lk); bound = sum_l H_l - H",
    source="Watanabe 1960, total correlation; signatures as the original of Least Action Learning has them",
    outputs={
        "heads": "(P, L) dominant head at each layer of each signature, the commonest first",
        "count": "(P,) inputs that have it",
        "taken": "(...) number of each input's signature",
        "number": "() distinct signatures",
        "number/null": "(3,) 2.5, 50 and 97.5 % of their number where layers are shuffled apart",
        "entropy": "() of the signatures over inputs, nats",
        "bound": "() nats that the layers' choices have in common",
        "bound/null": "(3,) 2.5, 50 and 97.5 % of it where layers are shuffled apart",
        "bound/p": "() p-value of a bound as large then",
    },
)
