"""Which inputs are learnt when: every answer at every checkpoint, and the order that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.graduation import agreement, forgotten, graduation
from miscope.maths.kaplan_meier import kaplan_meier
from miscope.needs import Needs
from miscope.probe import Probe
from miscope.snapshot import Snapshot, Trajectory

if TYPE_CHECKING:
    from torch import Tensor

_CORRECTNESS = "learning.correctness"
_HALF = float(np.finfo(np.float16).max)


def correctness(snapshot: Snapshot) -> Arrays:
    """Whether each answer of the probe is right, and its negative log-likelihood.

    correct is one bit an input (`numpy.unpackbits(correct, count=N)`), nll (N,) float16 in nats: 0 below 3e-8. A tie
    of the largest logits is not right.
    """
    labels = snapshot.probe.labels
    assert labels is not None
    answer, rivals = _against(snapshot.activations["logits"].double(), labels)
    right = (answer > rivals.amax(dim=-1)).numpy()
    nll = torch.nn.functional.softplus(rivals.logsumexp(dim=-1) - answer).numpy()
    return {
        "correct": np.packbits(right),
        "nll": np.minimum(nll, _HALF).astype(np.float16),
        "right_count": np.array(int(right.sum())),
    }


def _against(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The right answer's logit (N,), and all logits with that one put out of the running."""
    index = labels[:, None]
    return logits.gather(-1, index)[:, 0], logits.scatter(-1, index, -torch.inf)


CORRECTNESS = Analyzer(
    name=_CORRECTNESS,
    version=1,
    grain=Grain.CHECKPOINT,
    compute=correctness,
    needs=Needs(sites=("logits",), labels=True),
    question="Which inputs does the model get right at this checkpoint?",
    formula="nll_i = log(1 + sum over c != y of exp(z_c - z_y)), in float64",
    source="Toneva et al. 2019 (arXiv 1812.05159), section 3",
    outputs={
        "correct": "(ceil(N / 8),) uint8, one bit an input: whether the right answer has the largest logit",
        "nll": "(N,) float16, negative log-likelihood of the right answer, nats",
        "right_count": "() inputs answered rightly",
    },
)


class OrderOptions(Options):
    """When an input counts as learnt, and how the null is drawn."""

    windows: tuple[Count, ...] = (1, 3, 5)
    """Checkpoints in a row that must be right; each gives an order of its own."""
    window: Count = 3
    """The one that survival, symmetry and classes are told of."""
    draws: Count = 200
    """Shufflings of the null of the symmetry's agreement."""
    seed: Whole = 0


def order(trajectory: Trajectory[OrderOptions]) -> Arrays:
    """When each input is learnt for good, how often it is forgotten, and what inputs have in common that come early.

    An input graduates at the first checkpoint from which it is right for `window` checkpoints in a row; one that never
    does is censored: NaN, and in the survival curve lost after the last checkpoint at which it could have. Where the
    first checkpoint is not the initialisation, what is right there was learnt no later. Cartography: mean and standard
    deviation over checkpoints of the right answer's probability, and share of checkpoints at which it is right. Toneva
    et al. 2019; Swayamdipta et al. 2020.
    """
    options, probe, steps = trajectory.options, trajectory.probe, trajectory.steps
    if len(steps) < 2:
        raise DoesNotApply("an order needs 2 checkpoints, and it has 1")
    stored = trajectory.artifacts[_CORRECTNESS]
    right = np.unpackbits(stored["correct"], axis=1, count=len(probe.inputs)).astype(bool)
    window = min(options.window, len(steps))
    learnt = graduation(right, steps, window)
    parts = _parts(probe)
    outputs = {
        f"graduation/{w}": graduation(right, steps, w).astype(np.float32) for w in sorted({*options.windows, window})
    }
    outputs |= {"at": steps.astype(np.int64), "window": np.array(window)}
    outputs |= _survival(learnt, steps[: len(steps) - window + 1], steps, parts)
    outputs |= _deciles(learnt, parts)
    outputs |= _forgetting(right, parts)
    outputs |= _cartography(stored["nll"], right)
    outputs |= _symmetry(learnt, probe, options)
    return outputs | _by_class(learnt, probe)


def _parts(probe: Probe) -> dict[str, np.ndarray]:
    """Rows of the training and test set, and test rows by whether a symmetry leads from them into training."""
    if probe.train is None:
        return {"all": np.ones(len(probe.inputs), dtype=bool)}
    parts = {"train": probe.train, "test": ~probe.train}
    if probe.symmetries:
        leaked = np.any([probe.train[image] for image in probe.symmetries.values()], axis=0)
        parts |= {"leaked": ~probe.train & leaked, "clean": ~probe.train & ~leaked}
    return {name: rows for name, rows in parts.items() if rows.any()}


def _survival(
    learnt: np.ndarray, watched: np.ndarray, steps: np.ndarray, parts: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Share of each part not yet learnt, at every step; NaN after the last at which learning could be seen."""
    arrays: dict[str, np.ndarray] = {}
    never = np.isnan(learnt)
    time = np.where(never, float(watched[-1]), learnt)
    for name, rows in parts.items():
        curve = kaplan_meier(time[rows], ~never[rows], watched.astype(np.float64))
        later = np.full(len(steps) - len(watched), np.nan)
        for what, values in (("share", curve.share), ("low", curve.low), ("high", curve.high)):
            arrays[f"unlearnt/{name}/{what}"] = np.append(values, later).astype(np.float32)
        arrays[f"unlearnt/{name}/median"] = np.array(curve.median)
        arrays[f"unlearnt/{name}/censored"] = np.array(int(never[rows].sum()))
        arrays[f"unlearnt/{name}/count"] = np.array(int(rows.sum()))
    return arrays


def _deciles(learnt: np.ndarray, parts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Steps by which a tenth, half and nine tenths of each part are learnt; never is later than any step."""
    arrays: dict[str, np.ndarray] = {}
    for name, rows in parts.items():
        at = _shares_learnt(learnt[rows], (10, 50, 90))
        arrays |= {f"learnt/{name}/p{q}": np.array(float(step)) for q, step in zip((10, 50, 90), at, strict=True)}
        arrays[f"learnt/{name}/never"] = np.array(float(np.isnan(learnt[rows]).mean()))
    return arrays


def _shares_learnt(learnt: np.ndarray, percent: tuple[int, ...]) -> np.ndarray:
    """First steps by which so many percent are learnt; NaN for later than the last, or where there is nobody."""
    if not len(learnt):
        return np.full(len(percent), np.nan)
    at = np.percentile(np.where(np.isnan(learnt), np.inf, learnt), percent, method="inverted_cdf")
    return np.where(np.isfinite(at), at, np.nan)


def _forgetting(right: np.ndarray, parts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    lost = forgotten(right)
    gained = forgotten(~right)
    arrays = {
        "forgotten": np.minimum(lost.sum(axis=0), np.iinfo(np.uint16).max).astype(np.uint16),
        "never_right": ~right.any(axis=0),
    }
    for name, rows in parts.items():
        arrays[f"forgetting/{name}/lost"] = lost[:, rows].sum(axis=1).astype(np.int32)
        arrays[f"forgetting/{name}/gained"] = gained[:, rows].sum(axis=1).astype(np.int32)
        arrays[f"forgetting/{name}/mean"] = np.array(float(lost[:, rows].sum() / rows.sum()))
        once = right[:, rows].any(axis=0)
        kept = once & ~lost[:, rows].any(axis=0)
        arrays[f"forgetting/{name}/unforgettable"] = np.array(float(kept.sum() / max(once.sum(), 1)))
    return arrays


def _cartography(nll: np.ndarray, right: np.ndarray) -> dict[str, np.ndarray]:
    confidence = np.exp(-nll.astype(np.float32))
    return {
        "confidence": confidence.mean(axis=0, dtype=np.float64).astype(np.float32),
        "variability": confidence.std(axis=0, dtype=np.float64).astype(np.float32),
        "correctness": right.mean(axis=0).astype(np.float32),
    }


def _symmetry(learnt: np.ndarray, probe: Probe, options: OrderOptions) -> dict[str, np.ndarray]:
    everything = np.ones(len(learnt), dtype=bool)
    parts = {"all": everything} | ({} if probe.train is None else {"test": ~probe.train})
    arrays: dict[str, np.ndarray] = {}
    for name, image in probe.symmetries.items():
        for part, rows in parts.items():
            alike = agreement(learnt, image, rows, draws=options.draws, seed=options.seed)
            if alike is not None:
                measured = {"pearson": alike.pearson, "spearman": alike.spearman, "p": alike.p, "pairs": alike.pairs}
                arrays |= {f"symmetry/{name}/{part}/{what}": np.array(value) for what, value in measured.items()}
                arrays[f"symmetry/{name}/{part}/null"] = np.array(alike.null)
    return arrays


def _by_class(learnt: np.ndarray, probe: Probe) -> dict[str, np.ndarray]:
    """Quartiles of the step at which inputs of each right answer are learnt; never is later than any step."""
    assert probe.labels is not None
    labels = probe.labels.numpy()
    classes = np.unique(labels)
    arrays: dict[str, np.ndarray] = {"class": classes.astype(np.str_)}
    split = {"all": np.ones(len(labels), dtype=bool)} if probe.train is None else {}
    for part, rows in (split or {"train": probe.train, "test": ~np.asarray(probe.train)}).items():
        assert rows is not None
        each = [_shares_learnt(learnt[rows & (labels == value)], (25, 50, 75)) for value in classes]
        arrays[f"class/{part}/quartile"] = np.array(each, dtype=np.float32)
    return arrays


ORDER = Analyzer(
    name="learning.order",
    version=3,
    grain=Grain.TRAJECTORY,
    synonyms=("dataset cartography", "forgetting events"),
    compute=order,
    needs=Needs(reads=(_CORRECTNESS,), labels=True),
    options=OrderOptions,
    question="In what order are inputs learnt, and which are forgotten again?",
    formula="g_i = first s_t with right_i(t), ..., right_i(t + w - 1); S(t) = prod (1 - d_j / n_j)",
    source="Toneva et al. 2019 (arXiv 1812.05159); Swayamdipta et al. 2020 (arXiv 2009.10795); Kaplan & Meier 1958",
    outputs={
        "at": "(T,) steps of the checkpoints",
        "window": "() checkpoints in a row that make an input learnt, for what is told below",
        "graduation/WINDOW": "(N,) step from which an input is right for so many checkpoints in a row; NaN for never",
        "unlearnt/PART/{share,low,high}": "(T,) share of inputs not yet learnt and its 95 % band; PART is train, test, "
        "leaked and clean (test inputs with and without a symmetric image in training), or all",
        "unlearnt/PART/median": "() step by which half of them are learnt; NaN for later than the last",
        "unlearnt/PART/{censored,count}": "() inputs never learnt, and inputs",
        "learnt/PART/{p10,p50,p90}": "() step by which so many percent are learnt; NaN for later than the last",
        "learnt/PART/never": "() share of a part that is never learnt",
        "forgotten": "(N,) times an input was right at a checkpoint and wrong at the next",
        "never_right": "(N,) whether it was never right",
        "forgetting/PART/{lost,gained}": "(T-1,) inputs that turned wrong, and right, between checkpoints",
        "forgetting/PART/mean": "() times an input was forgotten, mean over inputs",
        "forgetting/PART/unforgettable": "() share of the inputs ever right that were never forgotten",
        "confidence": "(N,) mean over checkpoints of the right answer's probability",
        "variability": "(N,) standard deviation over checkpoints of that probability",
        "correctness": "(N,) share of checkpoints at which the answer is right",
        "symmetry/NAME/PART/{pearson,spearman}": "() correlation of the steps at which an input and its image "
        "are learnt, over pairs that both are; PART is all, or test where both are in it",
        "symmetry/NAME/PART/null": "(2,) 2.5 and 97.5 % of the rank correlation with the steps dealt out anew",
        "symmetry/NAME/PART/p": "() p-value of the rank correlation, by shuffling",
        "symmetry/NAME/PART/pairs": "() rows compared",
        "class": "(C,) right answers",
        "class/PART/quartile": "(C, 3) step by which a quarter, half and three quarters of a class are learnt; "
        "NaN for later than the last",
    },
)
