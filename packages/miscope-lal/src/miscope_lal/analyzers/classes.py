"""Whether inputs of the same right answer are routed alike, and how much routing says of the answer."""

from __future__ import annotations

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Options, Snapshot
from miscope.analyzer import Count, Whole
from miscope_lal.label_information import adjusted_information, information, shuffled_information
from miscope_lal.routing_measures import WEIGHTS, by_layer, p_value, quantiles


class ClassOptions(Options):
    """How the null of shuffled inputs is drawn."""

    draws: Count = 199
    """Times that the answers are dealt to the inputs at random."""
    seed: Whole = 0


def classes(snapshot: Snapshot[ClassOptions]) -> Arrays:
    """Mean routing weights of each right answer, their variance within it, and what a dominant head says of the answer.

    Information in nats between the head with the largest weight and the answer, beside that of answers dealt to the
    inputs at random, which is not 0 for a sample; `adjusted` has that taken off, and is 1 where each is known from the
    other.
    """
    assert snapshot.probe.labels is not None
    labels, options = snapshot.probe.labels.numpy(), snapshot.options
    answers, member = np.unique(labels, return_inverse=True)
    counts = np.bincount(member)
    outputs: dict[str, np.ndarray] = {"answer": answers, "inputs": counts}
    for site, weights in by_layer(snapshot.activations).items():
        mean = np.stack([np.bincount(member, column) / counts for column in weights.T], axis=1)
        away = ((weights - mean[member]) ** 2).sum(axis=1)
        dominant = weights.argmax(axis=1)
        known = information(dominant, labels)
        null = shuffled_information(dominant, labels, draws=options.draws, seed=options.seed)
        outputs |= {
            f"{site}/mean": mean,
            f"{site}/within": np.bincount(member, away) / counts,
            f"{site}/information": np.array(known),
            f"{site}/information/null": quantiles(null),
            f"{site}/information/p": p_value(known, null),
            f"{site}/adjusted": np.array(adjusted_information(dominant, labels)),
        }
    return outputs


CLASSES = Analyzer(
    name="routing.classes",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=classes,
    needs=Needs(sites=(WEIGHTS,), labels=True),
    options=ClassOptions,
    not_invariant_to=("head order",),
    question="Does the right answer decide which head is taken?",
    formula="I(k; c) = sum p_kc ln(p_kc / (p_k p_c)), k = argmax w; V_c = mean over inputs of c of |w - w_c|^2",
    source="Vinh, Epps & Bailey 2010 for the adjusted index",
    outputs={
        "answer": "(C,) right answers",
        "inputs": "(C,) inputs with each",
        "SITE/mean": "(C, n) mean routing weights of the inputs with that answer",
        "SITE/within": "(C,) variance of the weights among them, all heads together",
        "SITE/information": "() nats that the dominant head and the answer have in common",
        "SITE/information/null": "(3,) 2.5, 50 and 97.5 % of it where answers are dealt out at random",
        "SITE/information/p": "() p-value of as much information then",
        "SITE/adjusted": "() adjusted mutual information: 1 if each is known from the other, 0 expected at random; NaN "
        "where one head dominates everywhere",
    },
)
