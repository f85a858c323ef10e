"""Curvature and noise of the loss that single examples show: Fisher information, and the gradient noise scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.analyzers.chosen_loss import LossOptions, chosen_loss
from miscope.artifact import Arrays
from miscope.cross_entropy import CROSS_ENTROPY, cross_entropy
from miscope.errors import DoesNotApply
from miscope.example_gradients import ExampleGradients
from miscope.lazily import torch
from miscope.maths.draws import random_of
from miscope.maths.gradient_noise import gradient_noise
from miscope.maths.sampled_mean import sampled_mean
from miscope.maths.trace_estimates import Estimate
from miscope.needs import Needs
from miscope.objective import IGNORED
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.examples import Examples
    from miscope.loss_function import LossFunction


class FisherOptions(Options):
    """On how many labels, and how often the model is asked for others."""

    labels: Count = 256
    """Right answers of training examples at most, the same ones at every checkpoint."""
    draws: Count = 2
    """Labels drawn from the model for each."""
    exact: Whole = 1024
    """Gradients up to which the sum over all classes is taken too: labels times classes."""
    seed: Whole = 0


def fisher(snapshot: Snapshot[FisherOptions]) -> Arrays:
    """Trace of the empirical Fisher information, with the right labels, and of the true one, with the model's own.

    Mean of |d log p(y|x) / d theta|^2 over labels y, each a gradient of its own, of several in a sequence too. Of the
    true Fisher y is drawn from the model, and it is the trace of the Gauss-Newton part of the cross-entropy's Hessian;
    the empirical one goes to zero with the loss, and is none of the curvature (Kunstner et al. 2019). `exact` is the
    sum over all classes, where there are few. Standard errors are of means over all training labels, for the labels
    drawn and for the examples that were not looked at. Cross-entropy alone, whatever its coefficient; float64; memory
    is bounded by gradients of 64 MiB. Martens 2014; Jastrzebski et al. 2021.
    """
    options = snapshot.options
    loss = _likelihood(next(iter(snapshot.losses.values())))
    random = random_of(FISHER_NAME, seed=options.seed, step=0)
    asked, population = _asked(loss, options.labels, random)
    gradients = ExampleGradients(replace(loss, examples=asked), snapshot.weights)
    outputs = _named("empirical", sampled_mean(_squares(gradients, asked)[:, None], population))
    probabilities = _probabilities(loss, snapshot.weights, asked)
    draws = random_of(FISHER_NAME, seed=options.seed, step=snapshot.step).random((len(asked), options.draws))
    below = probabilities.cumsum(axis=1)
    labels = (draws[:, :, None] * below[:, -1:, None] > below[:, None, :]).sum(axis=2)
    drawn = np.stack([_squares(gradients, _relabelled(asked, column)) for column in labels.T], axis=1)
    outputs |= _named("true", sampled_mean(drawn, population))
    if probabilities.size <= options.exact:
        every = [_squares(gradients, _relabelled(asked, np.full(len(asked), c))) for c in range(probabilities.shape[1])]
        outputs |= _named("exact", sampled_mean((probabilities.T * every).sum(axis=0)[:, None], population))
    return outputs | {"labels": np.array(len(asked))}


def _likelihood(loss: LossFunction) -> LossFunction:
    """Its cross-entropy alone. Raises DoesNotApply where that is no part of it."""
    objective = loss.objective
    if not any(term.value is cross_entropy for term in objective.terms) or loss.examples.labels is None:
        names = ", ".join(term.name for term in objective.terms)
        raise DoesNotApply(f"its loss ({names}) has no cross-entropy of logits, so no labels that a model is asked for")
    return replace(loss, objective=replace(objective, terms=(CROSS_ENTROPY,), additive=True))


def _asked(loss: LossFunction, most: int, random: np.random.Generator) -> tuple[Examples, int]:
    """Some of the labels, each as an example that asks for it alone; and how many there are."""
    labels = loss.examples.labels
    assert labels is not None, "a likelihood has labels"
    places = (labels != IGNORED).nonzero()
    population = len(places)
    if population > most:
        places = places[torch.from_numpy(np.sort(random.choice(population, most, replace=False)))]
    some = loss.examples.rows(places[:, 0])
    if labels.ndim == 1:
        return some, population
    alone = torch.full_like(labels[places[:, 0]], IGNORED)
    alone[torch.arange(len(places)), places[:, 1]] = labels[places[:, 0], places[:, 1]]
    return replace(some, labels=alone), population


def _relabelled(asked: Examples, given: np.ndarray) -> Examples:
    """The same questions with these answers, (n,)."""
    labels = asked.labels
    assert labels is not None, "what is asked has labels"
    column = torch.from_numpy(np.asarray(given, dtype=np.int64))
    return replace(asked, labels=torch.where(labels == IGNORED, labels, column.view(-1, *[1] * (labels.ndim - 1))))


def _probabilities(loss: LossFunction, weights: Mapping[str, Tensor], asked: Examples) -> np.ndarray:
    """(n, classes) what the model gives each answer where it is asked."""
    assert asked.labels is not None, "what is asked has labels"
    exact = {role: tensor.double() for role, tensor in weights.items()}
    with torch.no_grad():
        logits = loss.seen(exact, asked).logits[asked.labels != IGNORED]
    return torch.softmax(logits.double(), dim=-1).numpy()


def _squares(gradients: ExampleGradients, examples: Examples) -> np.ndarray:
    """(n,) squared lengths."""
    return np.concatenate([rows.square().sum(dim=1).numpy() for rows in gradients.of(examples)])


def _named(name: str, estimate: Estimate) -> dict[str, np.ndarray]:
    return {name: np.array(estimate.value), f"{name}/sem": np.array(estimate.sem)}


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
    formula="mean |d log p(y|x) / d theta|^2; y the right label (empirical) or drawn from p(y|x) (true)",
    source="Martens 2014 (arXiv 1412.1193); Kunstner et al. 2019 (arXiv 1905.12558); Jastrzebski et al. 2021 (arXiv "
    "2012.14193)",
    outputs={
        "empirical": "() trace with the right labels, nats^2 per squared unit of weight; of the training labels drawn, "
        "or of all where nobody knows which were trained on",
        "empirical/sem": "() its standard error as a mean over all of them; 0 where all were looked at",
        "true": "() trace with labels drawn from the model",
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
