"""What it answers, what that is worth and needs, and how smooth it is: sentences of what the model answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from miscope.analyzers.observed.words import interval_of, listed, number, share
from miscope.maths.false_discovery import benjamini_hochberg
from miscope.observation import Observation, ObservedArtifact

__all__ = ["calibration_observed", "effects_observed", "metrics_observed", "smoothness_observed"]

_SPLITS = ("train", "test", "all")
_SETS = {"train": "training inputs", "test": "test inputs", "all": "inputs of the probe"}
_LEVEL = 0.05
"""Expected share of false ones among the parts that are called needed."""


def metrics_observed(seen: ObservedArtifact) -> list[Observation]:
    """Losses at the last checkpoint, of all inputs of the probe: no sample of them, so nothing to estimate."""
    arrays = seen.arrays
    there = [split for split in _SPLITS if f"{split}_loss" in arrays]
    told = [split for split in there if split != "all"] or there
    losses = [f"{number(float(arrays[f'{split}_loss']))} nats on {_SETS[split]}" for split in told]
    text = f"Its mean loss at {seen.at(seen.step or 0)} is {listed(losses)}, counted over every input of the probe."
    return [Observation(text=text, value=float(arrays[f"{told[-1]}_loss"]))] if told else []


def calibration_observed(seen: ObservedArtifact) -> list[Observation]:
    """The share of right answers, and whether the model is as often right as it is sure, beside its null."""
    there = [split for split in _SPLITS if f"{split}/error" in seen.arrays]
    split = "test" if "test" in there else there[-1] if there else None
    if split is None:
        return []
    of = {name.partition("/")[2]: array for name, array in seen.arrays.items() if name.startswith(f"{split}/")}
    return [_right(seen, of, split), *_calibrated(of, split)]


def _right(seen: ObservedArtifact, of: Mapping[str, np.ndarray], split: str) -> Observation:
    from scipy.stats import binomtest

    count, accuracy = int(of["count"].sum()), float(of["mean_accuracy"])
    right = round(accuracy * count)
    band = binomtest(right, count).proportion_ci(method="wilson")
    interval = (float(band.low), float(band.high))
    doubt = f"95 % Wilson interval {share(interval[0])} to {share(interval[1])}"
    text = f"At {seen.at(seen.step or 0)} {right:,} of {count:,} {_SETS[split]} are answered right"
    return Observation(text=f"{text}: {share(accuracy)} ({doubt}).", value=accuracy, interval=interval)


def _calibrated(of: Mapping[str, np.ndarray], split: str) -> Iterator[Observation]:
    error, (low, high) = float(of["error"]), of["error_null"]
    if np.isfinite([error, low, high]).all():
        verdict = "miscalibrated" if error > high else "not told from a perfectly calibrated model"
        null = f"that would show {number(low)} to {number(high)} in 95 % of cases"
        text = f"On {_SETS[split]} it is {verdict}: its expected calibration error is {number(error)}"
        reference = null if error <= high else f"a perfectly calibrated model {null.removeprefix('that ')}"
        yield Observation(text=f"{text}; {reference}.", value=error)


def smoothness_observed(seen: ObservedArtifact) -> list[Observation]:
    """How much of the predicted answers' power is at low frequencies, beside other numberings of the classes."""
    value, ends = float(seen.arrays["without_constant"]), interval_of(seen.arrays["null_without_constant"][[0, 2]])
    if not np.isfinite(value) or ends is None:
        return []
    text = f"At {seen.at(seen.step or 0)} {share(value)} of the power of its table of answers, without the constant"
    text += (
        f", is at low frequencies; with the classes numbered at random {share(ends[0])} to {share(ends[1])} would be"
    )
    text += " in 95 % of cases"
    exact = float(seen.arrays.get("answer_without_constant", np.array(np.nan)))
    told = f", and of the right answers {share(exact)} are" if np.isfinite(exact) else ""
    return [Observation(text=f"{text}{told}.", value=value)]


def effects_observed(seen: ObservedArtifact) -> list[Observation]:
    """Which parts the answers need by mean ablation, and which are not told from no effect."""
    from scipy.stats import norm

    arrays = seen.arrays
    split = next((split for split in ("test", "all", "train") if f"{split}/loss" in arrays), None)
    if split is None or int(arrays["inputs"]) < 2:
        return []
    mode = arrays["mode"].tolist().index("mean")
    change, sem = arrays[f"{split}/loss"][mode], arrays[f"{split}/loss_sem"][mode]
    moves = np.isfinite(change) & (sem > 0)
    p = np.where(moves, 2 * norm.sf(np.abs(change) / np.where(moves, sem, 1)), 1.0)
    needed = (benjamini_hochberg(p) < _LEVEL) & (change > 0)
    units, many = arrays["unit"].tolist(), len(change)
    drawn = (
        f"{int(arrays['inputs']):,} inputs drawn" if split == "all" else f"those among {int(arrays['inputs']):,} drawn"
    )
    how = f"two-sided normal test of paired differences over {drawn}, Benjamini-Hochberg at"
    null = f"{how} {_LEVEL:g} over {many} parts"
    if not needed.any():
        text = f"Of no part does mean ablation raise the loss on {_SETS[split]} beyond chance ({null})."
        return [Observation(text=text, value=0.0)]
    order = [i for i in np.argsort(-change) if needed[i]]
    most = order[0]
    interval = (float(change[most] - 1.96 * sem[most]), float(change[most] + 1.96 * sem[most]))
    strongest = f"most for {units[most]}, by {number(float(change[most]))} nats"
    band = f"95 %: {number(interval[0])} to {number(interval[1])}, p {_p(float(p[most]))}"
    text = f"Mean ablation of {listed([units[i] for i in order])} raises the loss on {_SETS[split]}"
    value = float(change[most])
    return [Observation(text=f"{text}, {strongest} ({band}); {null}.", value=value, interval=interval)]


def _p(value: float) -> str:
    return "< 1e-15" if value < 1e-15 else f"= {value:.2g}"
