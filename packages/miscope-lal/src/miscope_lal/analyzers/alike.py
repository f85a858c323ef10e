"""Whether inputs that are alike are routed alike, beside routing weights dealt to the inputs at random."""

from __future__ import annotations

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Options, Snapshot
from miscope.analyzer import Count, Whole
from miscope_lal.routing_measures import (
    WEIGHTS,
    between_share,
    by_layer,
    groupings,
    p_value,
    quantiles,
    shuffled_shares,
)


class AlikeOptions(Options):
    """How the null of shuffled inputs is drawn."""

    draws: Count = 199
    """Times that the routing weights are dealt to the inputs at random."""
    seed: Whole = 0


def alike(snapshot: Snapshot[AlikeOptions]) -> Arrays:
    """How far inputs of a group are routed alike, by layer and column of the probe (a, b, the answer).

    Of all inputs of the probe, at the answer position: the share of the variance of routing weights that lies between
    groups, beside that of weights dealt to the inputs at random, with the p-value of a share as large.
    """
    outputs: dict[str, np.ndarray] = {}
    for site, weights in by_layer(snapshot.activations).items():
        for name, group in groupings(snapshot.probe).items():
            found = _of_groups(weights, group, snapshot.options)
            outputs |= {f"{site}/{name}/{what}": array for what, array in found.items()}
    return outputs


def _of_groups(weights: np.ndarray, group: np.ndarray, options: AlikeOptions) -> dict[str, np.ndarray]:
    share = between_share(weights, group)
    within = (1 - share) * weights.var(axis=0).sum() if np.isfinite(share) else 0.0
    if not np.isfinite(share):
        nothing = np.array(np.nan)
        return {"alike": nothing, "null": np.full(3, np.nan), "p": nothing, "within": np.array(within)}
    null = shuffled_shares(weights, group, draws=options.draws, seed=options.seed)
    p = p_value(share, null)
    return {"alike": np.array(share), "null": quantiles(null), "p": p, "within": np.array(within)}


ALIKE = Analyzer(
    name="routing.alike",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=alike,
    needs=Needs(sites=(WEIGHTS,)),
    options=AlikeOptions,
    not_invariant_to=("head order",),
    question="Are inputs that share a value routed alike?",
    formula="alike = sum_g N_g |w_g - w|^2 / sum_i |w_i - w|^2",
    source="The permutation test: Anderson 2001",
    outputs={
        "SITE/COLUMN/alike": "() share of the weights' variance between groups of one value; NaN where there is none",
        "SITE/COLUMN/null": "(3,) 2.5, 50 and 97.5 % of it where weights are dealt to inputs at random",
        "SITE/COLUMN/p": "() p-value of a share as large at random",
        "SITE/COLUMN/within": "() mean variance within the groups, all heads together",
    },
)
