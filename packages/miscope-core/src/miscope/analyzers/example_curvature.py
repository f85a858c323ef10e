"""Curvature and noise of the loss that single examples show: Fisher information, and the gradient noise scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.analyzers.chosen_loss import LossOptions, chosen_loss
from miscope.artifact import Arrays
from miscope.cross_entropy import cross_entropy
from miscope.errors import DoesNotApply
from miscope.example_gradients import ExampleGradients
from miscope.lazily import torch
from miscope.loss_function import batches
from miscope.maths.draws import random_of
from miscope.maths.gradient_noise import gradient_noise
from miscope.maths.sampled_mean import sampled_mean
from miscope.maths.trace_estimates import named
from miscope.model import LOGITS
from miscope.needs import Needs
from miscope.objective import IGNORED, ForwardPass, Term
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.examples import Examples
    from miscope.loss_function import LossFunction


class FisherOptions(Options):
    """On how many labels, and how the model's own are drawn."""

    labels: Count = 256
    """Right answers of training examples at most, the same ones at every checkpoint."""
    draws: Count = 2
    """Random answers of the model for each."""
    by: Literal["signs", "labels"] = "signs"
    """Signs: a random mixture of all classes that has the covariance of the model's labels. Labels: one class, drawn as
    the model weighs it; of a sure model the rare ones, which make up the trace, are then hardly ever seen."""
    exact: Whole = 1024
    """Gradients up to which the sum over all classes is taken too: labels times classes."""
    seed: Whole = 0


def fisher(snapshot: Snapshot[FisherOptions]) -> Arrays:
    """Trace of the empirical Fisher information, with the right labels, and of the true one, with the model's own.

    Mean of |d log p(y|x) / d theta|^2 = |J^T (e_y - p)|^2 over labels y, each by itself, of several in a sequence too;
    J is the Jacobian of the logits. The true Fisher is that with y drawn from p, the trace of the Gauss-Newton part of
    the cross-entropy's Hessian: the mean of |J^T v|^2 for random v of covariance diag p - p p^T. The empirical one goes
    to zero with the loss and is none of the curvature (Kunstner et al. 2019). `exact` is the sum over all classes,
    where there are few. Standard errors are of means over all training labels, for what was drawn and for the labels
    not looked at. Cross-entropy alone, whatever its coefficient; float64; memory is bounded by gradients of 64 MiB.
    """
    options = snapshot.options
    loss = _likelihood(next(iter(snapshot.losses.values())))
    # At every checkpoint the same labels are looked at.
    asked, population = _asked(loss, options.labels, random_of(FISHER_NAME, seed=options.seed, step=0))
    answers, p = _answers(loss, snapshot.weights, asked)
    random = random_of(FISHER_NAME, seed=options.seed, step=snapshot.step)
    every = np.eye(p.shape[1])
    directions = [every[answers] - p]
    for _ in range(options.draws):
        directions.append(_by_signs(p, random) if options.by == "signs" else every[_drawn(p, random)] - p)
    if p.size <= options.exact:
        directions += [label - p for label in every]
    scored = _scored(asked, p)
    gradients = ExampleGradients(replace(loss, examples=scored), snapshot.weights)
    squares = gradients.squares(scored, [_instead(asked, each) for each in directions]).numpy()
    empirical, drawn, each = np.split(squares, [1, 1 + options.draws], axis=1)
    outputs = named("empirical", sampled_mean(empirical, population)) | named("true", sampled_mean(drawn, population))
    if each.size:
        outputs |= named("exact", sampled_mean((p * each).sum(axis=1, keepdims=True), population))
    return outputs | {"labels": np.array(len(p))}


def _likelihood(loss: LossFunction) -> LossFunction:
    """With a term whose gradient is J^T v. Raises DoesNotApply where the loss has no cross-entropy."""
    objective = loss.objective
    if not any(term.value is cross_entropy for term in objective.terms) or loss.examples.labels is None:
        names = ", ".join(term.name for term in objective.terms)
        raise DoesNotApply(f"its loss ({names}) has no cross-entropy of logits, so no labels that a model is asked for")
    score = Term(name="score", value=_score)
    return replace(loss, objective=replace(objective, terms=(score,), sites=(LOGITS,), additive=True))


def _score(seen: ForwardPass) -> Tensor:
    """Logits of one example at the position asked for, times the direction: what _scored puts in place of labels."""
    logits, direction, position = seen.logits, seen.labels[:, :-1], seen.labels[:, -1:].long()
    if logits.ndim == 3:
        logits = logits.gather(1, position[:, :, None].expand(-1, -1, logits.shape[2]))[:, 0]
    return (logits * direction).sum()


def _asked(loss: LossFunction, most: int, random: np.random.Generator) -> tuple[Examples, int]:
    """Some of the labels, each as an example of its own with the position it stands at; and how many there are."""
    labels = loss.examples.labels
    assert labels is not None, "a likelihood has labels"
    places = (labels != IGNORED).nonzero()
    population = len(places)
    if population > most:
        places = places[torch.from_numpy(np.sort(random.choice(population, most, replace=False)))]
    position = places[:, 1] if labels.ndim > 1 else torch.zeros_like(places[:, 0])
    answer = labels[tuple(places.T)]
    return replace(loss.examples.rows(places[:, 0]), labels=torch.stack([answer, position], dim=1)), population


def _scored(asked: Examples, directions: np.ndarray) -> Examples:
    """The same inputs and positions with directions (n, classes) in place of the answers."""
    return replace(asked, labels=_instead(asked, directions))


def _instead(asked: Examples, directions: np.ndarray) -> Tensor:
    """(n, classes + 1) directions, and the positions they stand at."""
    assert asked.labels is not None, "what is asked has labels"
    return torch.cat([torch.from_numpy(directions), asked.labels[:, 1:].double()], dim=1)


def _answers(loss: LossFunction, weights: Mapping[str, Tensor], asked: Examples) -> tuple[np.ndarray, np.ndarray]:
    """The right answers (n,), and what the model gives each answer (n, classes)."""
    assert asked.labels is not None, "what is asked has labels"
    exact = {role: tensor.double() for role, tensor in weights.items()}
    parts = []
    with torch.no_grad():
        for some in batches(loss.objective, asked):
            logits = loss.seen(exact, some).logits
            if logits.ndim == 3 and some.labels is not None:
                logits = logits[torch.arange(len(some)), some.labels[:, 1]]
            parts.append(torch.softmax(logits.double(), dim=-1))
    return asked.labels[:, 0].numpy(), torch.cat(parts).numpy()


def _by_signs(p: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(n, classes) with covariance diag p - p p^T: sqrt(p) times random signs, without their mean under p."""
    mixed = np.sqrt(p) * (2.0 * random.integers(0, 2, p.shape) - 1)
    return mixed - p * mixed.sum(axis=1, keepdims=True)


def _drawn(p: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(n,) a class of each row, as it weighs them."""
    below = p.cumsum(axis=1)
    return (random.random((len(p), 1)) * below[:, -1:] > below).sum(axis=1)


FISHER_NAME = "curvature.fisher"

FISHER = Analyzer(
    name=FISHER_NAME,
    version=1,
    grain=Grain.CHECKPOINT,
    compute=fisher,
    needs=Needs(weights=("*",), objective=True),
    opt_in=True,
    options=FisherOptions,
    not_invariant_to=("relu scaling", "token relabelling"),
    question="How much do the model's answers depend on its weights, by the right labels and by its own?",
    formula="mean |d log p(y|x) / d theta|^2; y the right label (empirical) or drawn from p(y|x) (true); the latter as "
    "mean |J^T v|^2, v = sqrt(p) s - p (sqrt(p) . s) with random signs s",
    source="Martens 2014 (arXiv 1412.1193); Kunstner et al. 2019 (arXiv 1905.12558); Jastrzebski et al. 2021 (arXiv "
    "2012.14193)",
    outputs={
        "empirical": "() trace with the right labels, nats^2 per squared unit of weight; of the training labels drawn, "
        "or of all where nobody knows which were trained on",
        "empirical/sem": "() its standard error as a mean over all of them; 0 where all were looked at",
        "true": "() trace with the model's own labels, by random draws",
        "true/sem": "() its standard error, of both draws",
        "exact": "() trace with every label as the model weighs it; where there are few",
        "exact/sem": "() its standard error as a mean over all labels; 0 where all were looked at",
        "labels": "() how many labels were looked at",
    },
)


class NoiseOptions(LossOptions):
    """Of which loss, and what the examples stand for."""

    population: Literal["training set", "distribution"] = "training set"
    """What batches are drawn from: the training set, or what it is itself a sample of."""
    entries: Count | None = 2048


def noise(snapshot: Snapshot[NoiseOptions]) -> Arrays:
    """Gradient noise scale: the batch size at which the noise of a batch's gradient is as long as the gradient.

    tr Sigma / |G|^2, with the covariance Sigma of gradients of single examples and their mean G, both estimated without
    bias; `scale/sem` by the jackknife over examples, 0 where all that batches are drawn from were looked at. An example
    of more labels weighs more, as in the loss. float64; memory is bounded by gradients of 64 MiB. McCandlish et al.
    2018, equation 2.9 and appendix A.1.
    """
    options = snapshot.options
    loss, whole = chosen_loss(snapshot), next(iter(snapshot.losses.values()))
    gradients = ExampleGradients(loss, snapshot.weights)
    weights = np.array([loss.objective.count(loss.examples.part(i, i + 1)) for i in range(len(loss.examples))])
    counted = weights > 0
    if counted.sum() < 2:
        raise DoesNotApply(f"noise is between examples, and {counted.sum()} of them has a loss")
    examples = loss.examples.rows(torch.from_numpy(np.flatnonzero(counted)))
    weights = torch.from_numpy(weights[counted] / weights[counted].mean())
    slope = torch.cat([g.flatten() for g in loss.gradient(snapshot.weights, list(snapshot.weights)).values()])
    squares, dots, start = [], [], 0
    for rows in gradients.of(examples):
        weighed = rows * weights[start : start + len(rows), None]
        squares.append(weighed.square().sum(dim=1))
        dots.append(weighed @ slope)
        start += len(rows)
    endless = options.population == "distribution"
    unseen = 1.0 if endless else 1 - len(loss.examples) / len(whole.examples)
    found = gradient_noise(
        torch.cat(squares).numpy(), torch.cat(dots).numpy(), float(slope.square().sum()), unseen=unseen
    )
    training = snapshot.variant.training
    batch = {} if training is None else {"batch": np.array(training.batch_size or len(whole.examples))}
    return {
        "scale": np.array(found.scale),
        "scale/sem": np.array(found.sem),
        "variance": np.array(found.variance),
        "slope": np.array(found.slope),
        "examples": np.array(len(examples)),
        **batch,
    }


NOISE = Analyzer(
    name="curvature.noise",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=noise,
    needs=Needs(weights=("*",), objective=True),
    opt_in=True,
    options=NoiseOptions,
    not_invariant_to=("relu scaling", "token relabelling"),
    question="How large must a batch be before its gradient tells more of the slope than of chance?",
    formula="tr Sigma / |G|^2",
    source="McCandlish et al. 2018 (arXiv 1812.06162), appendix A.1",
    outputs={
        "scale": "() noise scale, in examples; NaN where the estimate of |G|^2 is not positive",
        "scale/sem": "() its standard error over examples",
        "variance": "() tr Sigma of gradients of single examples, nats^2 per squared unit of weight",
        "slope": "() |G|^2, without what noise adds to it",
        "examples": "() how many were looked at",
        "batch": "() examples of an update of the training, where that is known",
    },
)
