"""How fast the answers move: training as a path of functions, not of weights."""

from __future__ import annotations

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays, NestedArrays
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.path_course import course
from miscope.needs import Needs
from miscope.snapshot import Snapshot, Trajectory

_SAMPLE = "behaviour.sample"


class SampleOptions(Options):
    """Which logits are kept: the same ones at every checkpoint."""

    inputs: Count = 256
    """At most, drawn from the probe."""
    answers: Count = 16
    """Of each input, drawn for each anew."""
    seed: Whole = 0


def sample(snapshot: Snapshot[SampleOptions]) -> Arrays:
    """Some logits of some inputs, the same at every checkpoint; less their input's mean, which changes no answer."""
    options, logits = snapshot.options, snapshot.activations["logits"].double()
    random = np.random.default_rng(options.seed)
    count, answers = logits.shape
    rows = np.sort(random.permutation(count)[: options.inputs])
    columns = random.permuted(np.tile(np.arange(answers), (len(rows), 1)), axis=1)[:, : options.answers]
    chosen = logits[torch.from_numpy(rows)]
    centred = chosen - chosen.mean(dim=1, keepdim=True)
    return {
        "row": rows.astype(np.int32),
        "logit": centred.gather(1, torch.from_numpy(columns)).float().numpy(),
    }


SAMPLE = Analyzer(
    name=_SAMPLE,
    version=1,
    grain=Grain.CHECKPOINT,
    compute=sample,
    needs=Needs(sites=("logits",)),
    options=SampleOptions,
    question="What does it answer to a few inputs, in full?",
    formula="z_(i,c) - mean over c' of z_(i,c'), for inputs i and answers c drawn once",
    source="Logits as coordinates of training: Hoogland et al. 2024 (arXiv 2402.02364)",
    outputs={"row": "(n,) rows of the probe", "logit": "(n, k) float32, logits less their input's mean"},
)


def velocity(trajectory: Trajectory) -> NestedArrays:
    """How fast the logits change, and how straight: on training inputs, on test inputs.

    Speed is the mean of |z_{i+1} - z_i| over the sample, by the steps between the two checkpoints; its standard error
    is over inputs. Turning is the cosine of one move of all sampled logits with the next.
    """
    arrays, steps = trajectory.artifacts[_SAMPLE], trajectory.steps
    if len(steps) < 2:
        reason = "it has one checkpoint, from which none moves"
        raise DoesNotApply(reason)
    rows, logits = arrays["row"][0], arrays["logit"].astype(np.float64)
    train = trajectory.probe.train
    parts = {"all": np.ones(len(rows), dtype=bool)}
    if train is not None:
        parts = {"train": train[rows], "test": ~train[rows]}
    outputs: dict[str, np.ndarray | NestedArrays] = {"midpoint": (steps[1:] + steps[:-1]) / 2}
    for part, chosen in parts.items():
        if chosen.any():
            outputs[part] = _motion(logits[:, chosen], np.diff(steps).astype(np.float64))
    return outputs


def _motion(logits: np.ndarray, gaps: np.ndarray) -> dict[str, np.ndarray]:
    """Of logits (T, n, k) at checkpoints so far apart."""
    moves = np.diff(logits, axis=0)
    each = np.abs(moves).mean(axis=2) / gaps[:, None]
    inputs = each.shape[1]

    def mean(values: np.ndarray) -> np.ndarray:
        return values.mean(axis=(1, 2))

    return {
        "speed": each.mean(axis=1),
        "speed_sem": each.std(axis=1, ddof=1) / np.sqrt(inputs) if inputs > 1 else np.full(len(each), np.nan),
        **course(
            mean(moves**2),
            mean(moves[1:] * moves[:-1]),
            from_start=mean((logits - logits[0]) ** 2),
            to_end=mean((logits - logits[-1]) ** 2),
        ),
    }


VELOCITY = Analyzer(
    name="behaviour.velocity",
    version=2,
    grain=Grain.TRAJECTORY,
    compute=velocity,
    needs=Needs(reads=(_SAMPLE,)),
    question="How fast do the answers change, and do training and test inputs change together?",
    formula="speed = mean |z_(i+1) - z_i| / (s_(i+1) - s_i); turning = cosine of successive moves of z",
    source="Path length and turning in function space: Benjamin et al. 2019 (arXiv 1805.08289)",
    outputs={
        "midpoint": "(T-1,) steps, half-way between two checkpoints",
        "PART/speed": "(T-1,) mean absolute change of a logit a step; PART is train and test, or all",
        "PART/speed_sem": "(T-1,) its standard error over inputs; NaN for one input",
        "PART/turning": "(T-2,) cosine of each move with the next; NaN beside one of no length",
        "PART/length": "(T,) length of the path so far, root mean square over the sample",
        "PART/{from_start,to_end}": "(T,) distance from the first, to the last checkpoint, likewise",
        "PART/straightness": "() distance from the first to the last checkpoint over the length of the path",
    },
)
