"""Which components of the task's basis the model computes with, by the votes of independent instruments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.analyzers.observed.components import votes_observed
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.errors import DoesNotApply
from miscope.maths.harmonics import second_harmonics
from miscope.needs import Needs
from miscope.snapshot import Snapshot

_NEURONS, _LOGITS, _EMBEDDING = "neurons.frequencies", "factors.shares", "spectra.embedding"

VOTERS = ("neurons", "answer", "own answer", "embedding")


class VoteOptions(Options):
    """When each instrument votes for a component."""

    specialised: float = 0.85
    """Share of its variance in the component from which a neuron is specialised on it."""
    neurons: Count = 5
    """Specialised neurons that make a vote."""
    answer: float = 0.01
    """Share of the logits' variance along the component's functions of the answer."""
    own_answer: float = 0.01
    """Share along its function of answer and output, cos k(a + b - c) for a sum."""
    median: float = 5.0
    """Times the median share of the embedding's power."""
    equal: float = 1.25
    """Times an equal share, the largest that embeddings drawn at random have at the paper's size."""
    null: float = 0.001
    """Probability that white noise in place of the logits gives a vote to any component."""
    majority: Count = 2
    """Votes that make a component key."""


def votes(snapshot: Snapshot[VoteOptions]) -> Arrays:
    """Which components each of four instruments finds in use: neurons, logits by answer and own answer, embedding.

    The logits' thresholds are fixed ones or what white noise exceeds with probability `null`, whichever is larger. An
    embedding has no say on the second harmonic of a component stronger there, which may be key all the same (37 and 39
    are, at p = 113); harmonics nobody else votes for are listed apart. Nothing but this checkpoint is read, so the
    set may be used while training runs. Nanda et al. 2023, section 4.
    """
    options = snapshot.options
    logits = snapshot.artifacts[_LOGITS]
    basis = next((basis for basis in snapshot.bases.values() if _about(basis, logits)), None)
    if basis is None:
        reason = "the family gives no basis over its answers, so there are no components to vote for"
        raise DoesNotApply(reason)
    inputs = len(snapshot.probe.inputs)
    floor = np.array(
        [_noise(len(block.rows), inputs - 1, options.null / len(basis.labels)) for block in basis.components]
    )
    embedding, harmonic = _embedding(snapshot.artifacts[_EMBEDDING], basis, options)
    ballot = np.stack(
        [
            _specialised(snapshot.artifacts[_NEURONS], basis.labels, options) >= options.neurons,
            logits["logits/answer"] >= np.maximum(options.answer, floor),
            logits["logits/own_answer"] >= np.maximum(options.own_answer, floor),
            embedding,
        ]
    )
    count = ballot.sum(axis=0)
    return {
        "label": np.array(basis.labels, dtype=np.str_),
        "voter": np.array(VOTERS),
        "vote": ballot,
        "votes": count.astype(np.uint8),
        "key": count >= options.majority,
        "harmonic": harmonic & (count == 0),
        "key_count": np.array(int((count >= options.majority).sum())),
        "union_count": np.array(int((count > 0).sum())),
        "intersection_count": np.array(int((count == len(VOTERS)).sum())),
    }


def _about(basis: Basis, logits: Arrays) -> bool:
    return "logits/answer" in logits and tuple(logits["logits/answer_label"].tolist()) == basis.labels


def _noise(rows: int, dimension: int, level: float) -> float:
    """Share of white noise in so many dimensions that so many rows exceed with probability `level`."""
    from scipy.stats import beta

    return float(beta.isf(level, rows / 2, (dimension - rows) / 2)) if dimension > rows else 1.0


def _specialised(arrays: Arrays, labels: Sequence[str], options: VoteOptions) -> np.ndarray:
    """(K,) neurons specialised on each component, over all sites."""
    counts = np.zeros(len(labels), dtype=int)
    for name in arrays:
        if name.endswith("/max_fraction"):
            site = name.removesuffix("/max_fraction")
            chosen = arrays[f"{site}/dominant"][arrays[name] >= options.specialised]
            counts += np.array([int((chosen == label).sum()) for label in labels])
    return counts


def _embedding(arrays: Arrays, basis: Basis, options: VoteOptions) -> tuple[np.ndarray, np.ndarray]:
    """(K,) what any embedding votes for, and what is the second harmonic of a component stronger in it."""
    doubled = second_harmonics(basis)
    voted, harmonic = np.zeros(len(doubled), dtype=bool), np.zeros(len(doubled), dtype=bool)
    for share in _shares(arrays, basis.labels).values():
        above = share >= np.maximum(options.median * np.median(share), options.equal / len(share))
        overtone = np.zeros(len(share), dtype=bool)
        for k in np.flatnonzero(above & (doubled >= 0)):
            overtone[doubled[k]] |= share[k] > share[doubled[k]]
        voted |= above & ~overtone
        harmonic |= above & overtone
    return voted, harmonic


def _shares(arrays: Arrays, labels: Sequence[str]) -> Mapping[str, np.ndarray]:
    roles = (name.removesuffix("/fraction") for name in arrays if name.endswith("/fraction"))
    return {r: arrays[f"{r}/fraction"] for r in roles if tuple(arrays[f"{r}/label"].tolist()) == tuple(labels)}


VOTES = Analyzer(
    name="keys.votes",
    version=2,
    grain=Grain.CHECKPOINT,
    compute=votes,
    observe=votes_observed,
    needs=Needs(reads=(_NEURONS, _LOGITS, _EMBEDDING), bases=("*",), grid=2, labels=True, answer_basis=True),
    options=VoteOptions,
    question="Which components of the task basis does the model compute with?",
    formula="key: at least two votes of neurons, logits by answer, logits by own answer, embedding",
    source="After Nanda et al. 2023, section 4 (arXiv 2301.05217); thresholds held against untrained networks",
    outputs={
        "label": "(K,) labels of the components of the answers' basis",
        "voter": "(4,) names of the instruments",
        "vote": "(4, K) whether each instrument finds the component in use",
        "votes": "(K,) number of votes",
        "key": "(K,) whether the component has a majority, two votes unless asked otherwise",
        "harmonic": "(K,) strong in an embedding only, and the second harmonic of a component stronger there",
        "key_count": "() key components",
        "union_count": "() components with any vote",
        "intersection_count": "() components with every vote",
    },
)
