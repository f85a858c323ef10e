"""What routing would be if the gates had learned nothing: the null of untrained gates on a trained stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Options, Trajectory
from miscope.analyzer import Count, Whole
from miscope.errors import DoesNotApply
from miscope.forward import activations
from miscope.lazily import torch
from miscope.patterns import matching
from miscope_lal.label_information import information
from miscope_lal.routing_measures import WEIGHTS, between_share, by_layer, entropies, groupings

if TYPE_CHECKING:
    from torch import Tensor

_GATES = "*routing.*"


class UntrainedOptions(Options):
    """How many untrained gates are drawn."""

    draws: Count = 19
    """Networks with gates of their own."""
    seed: Whole = 0


def untrained(trajectory: Trajectory[UntrainedOptions]) -> Arrays:
    """Entropy and selectivity of the last checkpoint's routing beside those of gates that were never trained.

    Each draw has the last checkpoint's weights, but for the gates and what carries the routing state: these are the
    first checkpoint's, their entries in another order, each tensor's own, so that they are as large as untrained gates
    are. `p` is two-sided, twice the smaller of both tails' empirical p-values, so not below 2 / (1 + draws). One pass
    over the probe for each draw.
    """
    options, probe = trajectory.options, trajectory.probe
    gates = matching((_GATES,), trajectory.weights)
    if not gates:
        raise DoesNotApply("no weight is called a gate's ('*routing.*')")
    last = {role: load()[-1] for role, load in trajectory.weights.items()}
    first = {role: trajectory.weights[role]()[0] for role in gates}
    measured = _measured(trajectory, last)
    draws = [_measured(trajectory, last | _shuffled(first, options.seed, draw)) for draw in range(options.draws)]
    outputs: dict[str, np.ndarray] = {"inputs": np.array(len(probe.inputs))}
    for name, value in measured.items():
        null = np.array([drawn[name] for drawn in draws])
        tails = [1 + (null >= value).sum(), 1 + (null <= value).sum()]
        p = min(1.0, 2 * min(tails) / (1 + len(null))) if np.isfinite([value, *null]).all() else np.nan
        outputs |= {name: np.array(value), f"{name}/null": null, f"{name}/p": np.array(p)}
    return outputs


def _measured(trajectory: Trajectory[UntrainedOptions], weights: Mapping[str, Tensor]) -> dict[str, float]:
    model, probe = trajectory.model, trajectory.probe
    assert model is not None
    sites = matching((WEIGHTS,), sorted(model.sites))
    found: dict[str, float] = {}
    for site, routing in by_layer(activations(model.answers, weights, probe.inputs, sites)).items():
        found[f"{site}/entropy"] = float(entropies(routing).mean())
        for name, group in groupings(probe).items():
            found[f"{site}/{name}/alike"] = between_share(routing, group)
        if probe.labels is not None:
            found[f"{site}/information"] = information(routing.argmax(axis=1), probe.labels.numpy())
    return found


def _shuffled(first: Mapping[str, Tensor], seed: int, draw: int) -> dict[str, Tensor]:
    """The same entries in another order, each tensor's own."""
    generator = np.random.default_rng([seed, draw])
    orders = {role: torch.from_numpy(generator.permutation(weight.numel())) for role, weight in first.items()}
    return {role: weight.flatten()[orders[role]].view_as(weight) for role, weight in first.items()}


UNTRAINED = Analyzer(
    name="routing.untrained",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=untrained,
    needs=Needs(sites=(WEIGHTS,), weights=("*",), model=True),
    opt_in=True,
    options=UntrainedOptions,
    # The entries that are shuffled lie in another order.
    not_invariant_to=("neuron order", "head order", "residual rotation"),
    question="Is routing more decided, and more selective, than gates are that learned nothing?",
    formula="p = 2 min(P(null >= x), P(null <= x)) over gates of shuffled first weights on the last stream",
    source="A randomisation test (Edgington 1995) of measures of routing.statistics, routing.alike, routing.classes",
    outputs={
        "inputs": "() of the probe",
        "SITE/entropy": "() mean entropy of an input's routing weights at the last checkpoint, nats",
        "SITE/COLUMN/alike": "() share of their variance between groups of one value of the column",
        "SITE/information": "() nats that the dominant head and the answer have in common",
        "STATISTIC/null": "(draws,) of untrained gates; STATISTIC is each of these",
        "STATISTIC/p": "() two-sided p-value",
    },
)
