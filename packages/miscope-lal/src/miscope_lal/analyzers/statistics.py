"""How decided routing is, how much each head is used, and which head each input takes."""

from __future__ import annotations

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Snapshot
from miscope_lal.routing_measures import WEIGHTS, by_layer, entropies


def statistics(snapshot: Snapshot) -> Arrays:
    """Entropy and use of the heads, by layer and overall.

    Of all inputs of the probe, at the answer position. Batches: none, the weights are few.
    """
    layers = by_layer(snapshot.activations)
    outputs: dict[str, np.ndarray] = {}
    for site, weights in layers.items():
        outputs |= {f"{site}/{name}": array for name, array in _of_layer(weights).items()}
    means = [weights.mean(axis=0) for weights in layers.values()]
    outputs["entropy"] = np.array(np.mean([outputs[f"{site}/entropy"] for site in layers]))
    outputs["largest"] = np.array(np.mean([outputs[f"{site}/largest"] for site in layers]))
    if len({len(mean) for mean in means}) == 1:
        outputs |= {f"use/{head}": np.array(use) for head, use in enumerate(np.mean(means, axis=0))}
    return outputs


def _of_layer(weights: np.ndarray) -> dict[str, np.ndarray]:
    use = weights.mean(axis=0)
    return {
        "entropy": np.array(entropies(weights).mean()),
        "largest": np.array(weights.max(axis=1).mean()),
        "use": use,
        "use_entropy": np.array(entropies(use)),
        "dominant_share": np.bincount(weights.argmax(axis=1), minlength=len(use)) / len(weights),
    }


def statistics_observed(seen: ObservedArtifact) -> list[Observation]:
    """How decided routing is, between none and all."""
    uses = [name for name in seen.arrays if name.startswith("use/")]
    if len(uses) < 2:
        return []
    entropy, most = float(seen.arrays["entropy"]), float(np.log(len(uses)))
    at = seen.at(seen.step or 0)
    text = (
        f"At {at} routing among {len(uses)} heads has an entropy of {entropy:.3g} nats (0: decided; {most:.3g}: not)."
    )
    return [Observation(text=text, value=entropy)]


STATISTICS = Analyzer(
    name="routing.statistics",
    version=2,
    grain=Grain.CHECKPOINT,
    synonyms=("mixture of experts", "gating"),
    compute=statistics,
    observe=statistics_observed,
    needs=Needs(sites=(WEIGHTS,)),
    not_invariant_to=("head order",),
    question="How decided is routing, and how much is each head used?",
    formula="H = mean_i -sum_k w_ik ln w_ik; use_k = mean_i w_ik",
    source="Shazeer et al. 2017 (arXiv 1701.06538) on gates",
    outputs={
        "entropy": "() mean over inputs and layers of the entropy of an input's routing weights, nats; at most ln n",
        "largest": "() mean over inputs and layers of the largest weight",
        "use/HEAD": "() mean weight of each head over inputs and layers; they sum to 1",
        "SITE/entropy": "() mean entropy in that layer, nats",
        "SITE/largest": "() mean largest weight in that layer",
        "SITE/use": "(n,) mean weight of each head",
        "SITE/use_entropy": "() entropy of these means, nats: ln n where all heads are used alike",
        "SITE/dominant_share": "(n,) share of the inputs at which each head has the largest weight",
    },
)


def routing_map(snapshot: Snapshot) -> Arrays:
    """Routing weights of every input, and the head with the largest, laid out as the probe's grid is.

    At the answer position. A tie goes to the head of the lower number.
    """
    shape = snapshot.probe.shape or (len(snapshot.probe.inputs),)
    outputs: dict[str, np.ndarray] = {}
    for site, weights in by_layer(snapshot.activations).items():
        outputs[f"{site}/weights"] = weights.reshape(*shape, -1).astype(np.float32)
        outputs[f"{site}/dominant"] = weights.argmax(axis=1).reshape(shape).astype(np.int16)
    return outputs


MAP = Analyzer(
    name="routing.map",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=routing_map,
    needs=Needs(sites=(WEIGHTS,)),
    not_invariant_to=("head order",),
    question="Which head does each question take, in each layer?",
    formula="argmax_k w_k(a, b)",
    source="The routing weights themselves",
    outputs={
        "SITE/weights": "(..., n) float32, routing weights, laid out as the grid; of a probe without one (N, n)",
        "SITE/dominant": "(...) the head with the largest",
    },
)
