"""What the model does: losses, accuracies, margins and entropies on every part of the probe."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from miscope.analyzer import Analyzer, Grain
from miscope.artifact import Arrays
from miscope.moment import Moment
from miscope.probe import Probe


def metrics(moment: Moment) -> Arrays:
    """Loss, accuracy, margin and entropy of the answers on the training inputs, the test inputs, and all.

    Loss and entropy in nats, in float64; margin is the right answer's logit less the best wrong one's. Where the task
    has symmetries, the test loss and accuracy are split into inputs whose image under one is in the training set
    ('leaked') and those without ('clean'): a rise of test accuracy may be the symmetry, not the task.
    """
    assert moment.probe.labels is not None
    each = _per_input(moment.activations["logits"].double(), moment.probe.labels)
    found: dict[str, np.ndarray] = {}
    for name, chosen in _splits(moment.probe).items():
        found |= {f"{name}_{what}": value for what, value in _summary(each, chosen).items()}
    for name, chosen in _by_leakage(moment.probe).items():
        if chosen.any():
            found[f"test_loss_{name}"] = _scalar(each["loss"][chosen].mean())
            found[f"test_accuracy_{name}"] = _scalar(each["right"][chosen].mean())
    worst = each["margin"].argmin()
    return found | {"worst_input": np.array(int(worst))}


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


def _scalar(value: Tensor) -> np.ndarray:
    return np.array(float(value))


METRICS = Analyzer(
    name="behaviour.metrics",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=metrics,
    sites=("logits",),
    labels=True,
    outputs={
        "{train,test,all}_loss": "() mean negative log-likelihood, nats",
        "{train,test,all}_accuracy": "() share of inputs whose largest logit is the right one",
        "{train,test,all}_margin_mean": "() mean of the right logit less the best wrong one",
        "{train,test,all}_margin_min": "() smallest margin",
        "{train,test,all}_margin_p01": "() 1 % quantile of the margin",
        "{train,test,all}_entropy": "() mean entropy of the answer's distribution, nats",
        "test_loss_{leaked,clean}": "() test loss where a symmetric image is, or is not, in the training set, nats",
        "test_accuracy_{leaked,clean}": "() test accuracy on the same two parts",
        "worst_input": "() row of the probe with the smallest margin",
    },
)
