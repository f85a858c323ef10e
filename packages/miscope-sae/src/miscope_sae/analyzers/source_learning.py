"""What a network could do at each of the checkpoints that a crosscoder is built on."""

from __future__ import annotations

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Probe, Trajectory
from miscope.errors import DoesNotApply
from miscope.model import LOGITS
from miscope_sae.measuring.splicing import CLEAN, answered
from miscope_sae.rows.probe_parts import ALL, SOURCE_TEST, SOURCE_TRAIN

_RIGHT = 0.99
"""Share of right answers from which on it can do what it is asked."""


def source_learning(trajectory: Trajectory) -> Arrays:
    """Loss and accuracy of what it is built on, at each of several checkpoints, on the source's own probe."""
    sources = trajectory.sources
    if len(sources) < 2 or len({each.source.variant for each in sources}) > 1:
        raise DoesNotApply("it is not built on several checkpoints of one variant")
    where, probe, model = sources[0].source, sources[0].probe, sources[0].model
    if LOGITS not in model.sites:
        raise DoesNotApply(f"{where.variant} has no logits")
    if probe.labels is None or probe.labels.ndim != 1:
        raise DoesNotApply(f"nobody knows the right answers of the probe {probe.name!r} of {where.variant}")
    parts = _parts(probe)
    known = np.flatnonzero(probe.labels.numpy() >= 0)
    scores = [answered(source, {}, probe.labels, known) for source in sources]
    outputs = {"at": np.array([source.source.step for source in sources], dtype=np.int64)}
    for part, rows in parts.items():
        inside = rows[known]
        if inside.any():
            outputs[f"{part}/ce"] = np.array([each[f"{CLEAN}/ce"][inside].mean() for each in scores])
            outputs[f"{part}/accuracy"] = np.array([each[f"{CLEAN}/right"][inside].mean() for each in scores])
    return outputs


def _parts(probe: Probe) -> dict[str, np.ndarray]:
    """Which inputs of the source's probe, (N,) bool, belong to each part, of those that have any."""
    parts = {ALL: np.ones(len(probe.inputs), dtype=bool)}
    if probe.train is not None:
        parts |= {SOURCE_TRAIN: probe.train, SOURCE_TEST: ~probe.train}
    return {name: part for name, part in parts.items() if part.any()}


def source_learning_observed(seen: ObservedArtifact) -> list[Observation]:
    """By when it answers right what it was trained on, and what it was not."""
    arrays, said = seen.arrays, []
    for part, words in ((SOURCE_TRAIN, "was trained on"), (SOURCE_TEST, "was not trained on")):
        if f"{part}/accuracy" not in arrays:
            continue
        right = np.flatnonzero(arrays[f"{part}/accuracy"] > _RIGHT)
        if len(right):
            step = float(arrays["at"][right[0]])
            text = (
                f"Of inputs that it {words}, what this is built on answers {_RIGHT:.0%} right from {seen.at(step)} on."
            )
            said.append(Observation(text=text, value=step))
    return said


SOURCE_LEARNING = Analyzer(
    name="sae.source_learning",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=source_learning,
    observe=source_learning_observed,
    needs=Needs(sources=True),
    question="What could the network do at each of the checkpoints that are looked at together?",
    formula="ce = mean of -log p(right answer); accuracy = share of inputs at which it is the largest",
    source="Memorisation long before generalisation: Power et al. 2022 (arXiv 2201.02177)",
    outputs={
        "at": "(T,) steps of what it is built on, ascending",
        "PART/ce": "(T,) mean cross-entropy of the source, nats; PART is all, and source_train, source_test where that "
        "is known",
        "PART/accuracy": "(T,) share of right answers",
    },
)
