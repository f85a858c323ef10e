"""What the model does: losses, accuracies, margins and entropies on every part of the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.analyzers.observed.answers import calibration_observed, metrics_observed
from miscope.artifact import Arrays
from miscope.lazily import torch
from miscope.maths.calibration import calibration_null, reliability
from miscope.needs import Needs
from miscope.probe import Probe
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor


def metrics(snapshot: Snapshot) -> Arrays:
    """Loss, accuracy, margin and entropy of the answers on the training inputs, the test inputs, and all.

    Loss and entropy in nats, in float64; margin is the right answer's logit less the best wrong one's. Where the task
    has symmetries, the test loss and accuracy are split into inputs whose image under one is in the training set
    ('leaked') and those without ('clean'): a rise of test accuracy may be the symmetry, not the task.
    """
    assert snapshot.probe.labels is not None
    each = _per_input(snapshot.activations["logits"].double(), snapshot.probe.labels)
    outputs: dict[str, np.ndarray] = {}
    for name, chosen in _splits(snapshot.probe).items():
        outputs |= {f"{name}_{what}": value for what, value in _summary(each, chosen).items()}
        outputs[f"{name}_guessing"] = _guessing(snapshot.probe.labels[chosen])
    for name, chosen in _by_leakage(snapshot.probe).items():
        if chosen.any():
            outputs[f"test_loss_{name}"] = _scalar(each["loss"][chosen].mean())
            outputs[f"test_accuracy_{name}"] = _scalar(each["right"][chosen].mean())
    worst = each["margin"].argmin()
    return outputs | {"worst_input": np.array(int(worst))}


def _per_input(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    answer = logits.gather(-1, labels[:, None])[:, 0]
    others = logits.scatter(-1, labels[:, None], -torch.inf)
    margin = answer - others.amax(dim=-1)
    # log(1 + e^x) of what the wrong answers weigh against the right one: no cancellation, however small the loss.
    loss = torch.nn.functional.softplus(others.logsumexp(dim=-1) - answer)
    norm = answer + loss
    mean_logit = ((logits - norm[:, None]).exp() * logits).sum(dim=-1)
    return {"loss": loss, "right": (margin > 0).double(), "margin": margin, "entropy": norm - mean_logit}


def _splits(probe: Probe) -> dict[str, Tensor]:
    everything = torch.ones(len(probe.inputs), dtype=torch.bool)
    if probe.train is None:
        return {"all": everything}
    train = torch.from_numpy(probe.train)
    return {name: part for name, part in (("train", train), ("test", ~train), ("all", everything)) if part.any()}


def _by_leakage(probe: Probe) -> dict[str, Tensor]:
    if probe.train is None or not probe.symmetries:
        return {}
    leaked = np.any([probe.train[image] for image in probe.symmetries.values()], axis=0)
    test = ~probe.train
    return {"leaked": torch.from_numpy(test & leaked), "clean": torch.from_numpy(test & ~leaked)}


def _summary(each: dict[str, Tensor], chosen: Tensor) -> dict[str, np.ndarray]:
    margin = each["margin"][chosen]
    return {
        "loss": _scalar(each["loss"][chosen].mean()),
        "accuracy": _scalar(each["right"][chosen].mean()),
        "margin_mean": _scalar(margin.mean()),
        "margin_min": _scalar(margin.min()),
        "margin_p01": _scalar(margin.quantile(0.01)),
        "entropy": _scalar(each["entropy"][chosen].mean()),
    }


def _guessing(labels: Tensor) -> np.ndarray:
    """(2,) loss and accuracy of the best answer that is the same for every input."""
    share = torch.unique(labels, return_counts=True)[1].double() / len(labels)
    return np.array([-float((share * share.log()).sum()), float(share.max())])


def _scalar(value: Tensor) -> np.ndarray:
    return np.array(float(value))


METRICS = Analyzer(
    name="behaviour.metrics",
    version=2,
    grain=Grain.CHECKPOINT,
    compute=metrics,
    observe=metrics_observed,
    needs=Needs(sites=("logits",), labels=True),
    question="How well does the model do on training and test data, and by how wide a margin?",
    formula="loss = mean of log(1 + sum over c != y of exp(z_c - z_y)); margin = z_y - max over c != y of z_c",
    source="Power et al. 2022 (arXiv 2201.02177); margins: Bartlett et al. 2017 (arXiv 1706.08498)",
    outputs={
        "{train,test,all}_loss": "() mean negative log-likelihood, nats",
        "{train,test,all}_accuracy": "() share of inputs whose largest logit is the right one",
        "{train,test,all}_margin_mean": "() mean of the right logit less the best wrong one",
        "{train,test,all}_margin_min": "() smallest margin",
        "{train,test,all}_margin_p01": "() 1 % quantile of the margin",
        "{train,test,all}_entropy": "() mean entropy of the answer's distribution, nats",
        "{train,test,all}_guessing": "(2,) loss, nats, and accuracy of the best answer that is the same for every "
        "input: entropy of the right answers, and share of the most frequent",
        "test_loss_{leaked,clean}": "() test loss where a symmetric image is, or is not, in the training set, nats",
        "test_accuracy_{leaked,clean}": "() test accuracy on the same two parts",
        "worst_input": "() row of the probe with the smallest margin",
    },
)


class CalibrationOptions(Options):
    """How confidences are sorted, and how the null is drawn."""

    bins: Count = 15
    """Bins of equal width over confidences from 0 to 1."""
    draws: Count = 200
    """Perfectly calibrated models in the null."""
    quantiles: tuple[float, ...] = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
    """Shares of inputs below whose loss the quantiles are told; they read the same from either end."""
    seed: Whole = 0


def calibration(snapshot: Snapshot[CalibrationOptions]) -> Arrays:
    """Whether the model is as often right as it says, the spread of its losses, and its accuracy on each right answer.

    Confidence is the largest probability. The calibration error of a perfectly calibrated model with as many answers of
    the same confidences is not 0 but lies in `error_null`. Losses in nats, float64.
    """
    options, labels = snapshot.options, snapshot.probe.labels
    assert labels is not None
    logits = snapshot.activations["logits"].double()
    each = _per_input(logits, labels)
    sure = torch.softmax(logits, dim=-1).amax(dim=-1).numpy()
    classes = np.unique(labels.numpy())
    outputs = {
        "edge": np.linspace(0, 1, options.bins + 1),
        "quantile": np.array(options.quantiles),
        "class": classes.astype(np.str_),
    }
    for name, chosen in _splits(snapshot.probe).items():
        rows = chosen.numpy()
        arrays = _calibrated(sure[rows], each["right"].numpy()[rows], options)
        arrays["loss_quantile"] = np.quantile(each["loss"].numpy()[rows], options.quantiles)
        arrays |= _by_class(labels.numpy()[rows], each["right"].numpy()[rows], classes)
        outputs |= {f"{name}/{what}": array for what, array in arrays.items()}
    return outputs


def _calibrated(sure: np.ndarray, right: np.ndarray, options: CalibrationOptions) -> dict[str, np.ndarray]:
    bins = reliability(sure, right, options.bins)
    null = calibration_null(sure, options.bins, draws=options.draws, seed=options.seed)
    return {
        "count": bins.count.astype(np.int32),
        "confidence": bins.confidence,
        "accuracy": bins.accuracy,
        "error": np.array(bins.error),
        "error_null": null,
        "mean_confidence": np.array(float(sure.mean())),
        "mean_accuracy": np.array(float(right.mean())),
    }


def _by_class(labels: np.ndarray, right: np.ndarray, classes: np.ndarray) -> dict[str, np.ndarray]:
    which = np.searchsorted(classes, labels)
    count = np.bincount(which, minlength=len(classes))
    good = np.bincount(which, weights=right, minlength=len(classes))
    share = np.where(count > 0, good / np.maximum(count, 1), np.nan)
    return {"class_accuracy": share.astype(np.float32), "class_count": count.astype(np.int32)}


CALIBRATION = Analyzer(
    name="behaviour.calibration",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("ECE", "confidence"),
    compute=calibration,
    observe=calibration_observed,
    needs=Needs(sites=("logits",), labels=True),
    options=CalibrationOptions,
    question="Is the model as often right as it is sure, and which answers does it get wrong?",
    formula="ECE = sum over bins of n_b / N |accuracy_b - confidence_b|",
    source="Guo et al. 2017 (arXiv 1706.04599), equations 1 to 3; null: Vaicenavicius et al. 2019 (arXiv 1902.06977)",
    outputs={
        "edge": "(B+1,) edges of the bins of confidence",
        "{train,test,all}/count": "(B,) answers in each bin",
        "{train,test,all}/confidence": "(B,) their mean confidence; NaN where there is none",
        "{train,test,all}/accuracy": "(B,) share of them that is right; NaN where there is none",
        "{train,test,all}/error": "() expected calibration error",
        "{train,test,all}/error_null": "(2,) 2.5 and 97.5 % of that error for a perfectly calibrated model",
        "{train,test,all}/mean_confidence": "() mean of the largest probability",
        "{train,test,all}/mean_accuracy": "() share of answers that are right",
        "quantile": "(Q,) shares of inputs",
        "{train,test,all}/loss_quantile": "(Q,) loss that such a share of inputs does not exceed, nats",
        "class": "(C,) right answers",
        "{train,test,all}/class_accuracy": "(C,) share of inputs with this answer that are right; NaN without any",
        "{train,test,all}/class_count": "(C,) inputs with this answer",
    },
)
