"""One variant in a few lines: its windows of training, what it ended as and why, and the story of its components."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from miscope.analyzer import Analyzer, Grain, Options
from miscope.analyzers.observed.components import components_observed
from miscope.analyzers.observed.training import windows_observed
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.cascade import cascade, stays_above
from miscope.maths.verdict import Limits, verdict
from miscope.needs import Needs
from miscope.snapshot import Series, Trajectory

_EVENTS, _RANKS, _CLUSTERS = "events.grokking", "ranks.weights", "neurons.clusters"
_VOTES, _EMBEDDING = "keys.votes", "spectra.embedding"
_OF_CLUSTERS = ("size", "label", "final", "commitment", "homeless_count")
WINDOWS = ("memorising", "plateau", "generalising", "after")


class WindowOptions(Options):
    """Where the lines of the verdict are drawn."""

    good_loss: float = 1e-5
    """Final test loss up to which a variant that generalised is whole, nats."""
    rebound: float = 0.2
    """Rise of the test loss from its smallest value to the end, nats, from which what was learnt was lost again."""
    late: float = 12_000
    """Steps after which generalisation is late."""


def windows(trajectory: Trajectory[WindowOptions]) -> Arrays:
    """The four windows of training with the losses at their edges, the crossing of ranks, and a verdict with reasons.

    Memorising ends with memorisation, the plateau with the onset of the fall of the test loss, generalising with
    generalisation; a window whose end never came is open and lasts to the end of training. The crossing is the first
    checkpoint at which an MLP's output weights have no more effective directions than its input weights, once they had
    more: (sum s)^2 / sum s^2 of their singular values.
    """
    options, events = trajectory.options, trajectory.artifacts[_EVENTS]
    first, last = float(min([*trajectory.steps[:1], events["first"]])), float(events["last"])
    edge = _edges({name: float(events[name]) for name in ("memorised", "onset", "generalised")}, first, last)
    outputs: dict[str, np.ndarray] = {
        "window": np.array(WINDOWS),
        "start": edge[0],
        "end": edge[1],
        "open": edge[2] > 0,
    }
    for name in ("train_loss", "test_loss"):
        if name in trajectory.metrics:
            outputs[name] = np.stack([_at(trajectory.metrics[name], at) for at in edge[:2]], axis=1)
    for name, step in _crossings(trajectory).items():
        outputs[f"{name}/rank_crossing"] = np.array(step)
        outputs[f"{name}/rank_crossing_lead"] = np.array(float(events["generalised"]) - step)
    limits = Limits(good_loss=options.good_loss, rebound=options.rebound, late=options.late)
    judgement = verdict(
        {name: float(events[name]) for name in events if events[name].ndim == 0}, _rise(trajectory), limits
    )
    return outputs | {
        "verdict": np.array([judgement.label]),
        "criterion": np.array([test.criterion for test in judgement.tests]),
        "value": np.array([test.value for test in judgement.tests]),
        "limit": np.array([test.limit for test in judgement.tests]),
        "met": np.array([test.met for test in judgement.tests]),
        "reason": np.array(judgement.reasons),
    }


def _edges(events: Mapping[str, float], first: float, last: float) -> np.ndarray:
    """(3, 4) start, end and whether it is open, of each window; NaN for one that was never entered or is empty."""
    edges = np.full((3, len(WINDOWS)), np.nan)
    edges[2] = 0
    start = first
    for i, end in enumerate((events["memorised"], events["onset"], events["generalised"], last)):
        if np.isnan(end):
            edges[:, i] = start, last, 1
            break
        if end > start:
            edges[:2, i] = start, end
        start = max(start, end)
    return edges


def _at(series: Series, steps: np.ndarray) -> np.ndarray:
    """The last value recorded by each step; NaN for a step that is NaN."""
    known = np.isfinite(steps)
    at = np.searchsorted(series.steps, np.where(known, steps, 0), side="right") - 1
    return np.where(known, series.values[np.maximum(at, 0)], np.nan)


def _rise(trajectory: Trajectory) -> float:
    """How far the test loss has risen from its smallest value to the end, nats; infinite where it ended as no number,
    NaN where none was recorded.
    """
    loss = trajectory.metrics["test_loss"].values if "test_loss" in trajectory.metrics else np.zeros(0)
    finite = loss[np.isfinite(loss)]
    if not len(finite):
        return np.nan
    return float(loss[-1] - finite.min()) if np.isfinite(loss[-1]) else np.inf


def _crossings(trajectory: Trajectory) -> dict[str, float]:
    ranks = trajectory.artifacts[_RANKS]
    what = "participation_sigma"
    layers = [name.removesuffix(f".W_out/{what}") for name in ranks if name.endswith(f".W_out/{what}")]
    steps = {}
    for layer in layers:
        if f"{layer}.W_in/{what}" in ranks:
            above = ranks[f"{layer}.W_out/{what}"] > ranks[f"{layer}.W_in/{what}"]
            crossed = ~above & np.maximum.accumulate(above)
            steps[layer] = float(trajectory.steps[crossed.argmax()]) if crossed.any() else np.nan
    return steps


WINDOWS_OF_TRAINING = Analyzer(
    name="summary.windows",
    version=4,
    grain=Grain.TRAJECTORY,
    compute=windows,
    observe=windows_observed,
    needs=Needs(reads=(_EVENTS, _RANKS), metrics=("*_loss",)),
    options=WindowOptions,
    question="What were the windows of this training, and what did the variant end as?",
    formula="memorising | plateau | generalising | after, cut at memorised, onset (10 % of the log fall), generalised",
    source="the windows and classes of the first miscope, measured from events.grokking",
    outputs={
        "window": "(4,) names of the windows",
        "{start,end}": "(4,) first and last step of each; NaN for one that is empty or was never entered",
        "open": "(4,) whether its end never came",
        "{train_loss,test_loss}": "(4, 2) last recorded loss by its start and by its end, nats",
        "NAME/rank_crossing": "() first step at which an MLP's W_out has no more effective directions than its W_in",
        "NAME/rank_crossing_lead": "() steps from there to generalisation",
        "verdict": "(1,) not memorised, memorised only, lost again, degraded, not converged, learnt before the record, "
        "without delay, "
        "late, or healthy",
        "criterion": "(n,) what was tested, in order; the first that is not met decides",
        "value": "(n,) what was measured",
        "limit": "(n,) where the line is drawn",
        "met": "(n,) whether it is met",
        "reason": "(m,) sentences that say why",
    },
)


class ComponentOptions(Options):
    """When a component has a cluster of neurons."""

    cluster: float = 0.05
    """Share of all neurons of the layer from which it has one."""
    final: float = 0.10
    """Share at the end from which it is committed."""
    power: float = 0.5
    """Share of the embedding's power that the final key components must hold to have the upper hand."""


def components(trajectory: Trajectory[ComponentOptions]) -> Arrays:
    """Which component gathers neurons first, in what order the others follow, and which lose them again.

    A neuron counts for the component it is committed to (`neurons.clusters`, a null-calibrated threshold). The first
    mover is the first component to have a cluster, two at the same checkpoint being both. The embedding crosses over at
    the first step from which the components that are key at the end hold most of its power for good. Where the first
    checkpoint is not the initialisation, what is there already came no later, and who was first is not known.
    """
    options, steps = trajectory.options, trajectory.steps
    clusters, onset = trajectory.artifacts[_CLUSTERS], float(trajectory.artifacts[_EVENTS]["onset"])
    sites = [name.removesuffix("/size") for name in clusters if name.endswith("/size")]
    if not sites:
        reason = "no hidden layer has neurons that could settle on a component"
        raise DoesNotApply(reason)
    outputs: dict[str, np.ndarray] = {"at": steps.astype(np.int64)}
    for site in sites:
        arrays = {name: clusters[f"{site}/{name}"] for name in _OF_CLUSTERS}
        outputs |= {f"{site}/{name}": array for name, array in _story(arrays, steps, onset, options).items()}
    return outputs | _keys(trajectory, options)


def _story(arrays: Mapping[str, np.ndarray], steps: np.ndarray, onset: float, options: ComponentOptions) -> Arrays:
    neurons, labels = len(arrays["final"]), arrays["label"]
    share = arrays["size"] / neurons
    told = cascade(share, steps.astype(np.float64), cluster=options.cluster, final=options.final)
    already = (told.arrived == steps[0]) & (steps[0] > 0)
    came = np.isfinite(told.arrived).any() and not already.any()
    movers = np.flatnonzero(told.arrived == np.nanmin(told.arrived)) if came else np.zeros(0, dtype=np.int64)
    there = (told.arrived <= onset) & ~(told.left <= onset) & (steps[0] <= onset)
    homeless = int(arrays["homeless_count"])
    times = told.arrived[told.order]
    return {
        "label": labels,
        "share": share.astype(np.float16),
        "state": told.state,
        "arrived": told.arrived,
        "already": already,
        "half": told.half,
        "left": told.left,
        "order": labels[told.order],
        "spread": np.array(float(np.ptp(times)) if len(times) and not already[told.order].any() else np.nan),
        "first_mover": labels[movers],
        "first_mover_step": np.array(float(np.nanmin(told.arrived)) if len(movers) else np.nan),
        "first_mover_stayed": np.array(float(np.isin(movers, told.order).mean()) if len(movers) else np.nan),
        "at_onset": labels[there],
        "onset_stayed": np.array(float(np.isin(np.flatnonzero(there), told.order).mean()) if there.any() else np.nan),
        **{
            f"{name}_count": np.array(int((told.state == name).sum())) for name in ("committed", "growing", "transient")
        },
        "homeless_count": np.array(homeless),
        "homeless_share": np.array(homeless / neurons),
        "commitment": _quartiles(arrays["commitment"]),
    }


def _quartiles(values: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    return np.percentile(known, (25, 50, 75)) if len(known) else np.full(3, np.nan)


def _keys(trajectory: Trajectory, options: ComponentOptions) -> dict[str, np.ndarray]:
    votes, embedding = trajectory.artifacts[_VOTES], trajectory.artifacts[_EMBEDDING]
    labels, key = votes["label"][0], votes["key"]
    arrays = {"key": labels[key[-1]], "key_lost": labels[key.any(axis=0) & ~key[-1]]}
    for role in [name.removesuffix("/fraction") for name in embedding if name.endswith("/fraction")]:
        chosen = np.isin(embedding[f"{role}/label"][0], labels[key[-1]])
        if chosen.any():
            share = embedding[f"{role}/fraction"][:, chosen].sum(axis=1, dtype=np.float64)
            arrays[f"{role}/key_share"] = share
            crossed = stays_above(share, trajectory.steps, options.power)
            arrays[f"{role}/crossover"] = np.array(np.nan if crossed == trajectory.steps[0] > 0 else crossed)
    return arrays


COMPONENTS = Analyzer(
    name="summary.components",
    version=2,
    grain=Grain.TRAJECTORY,
    compute=components,
    observe=components_observed,
    needs=Needs(reads=(_CLUSTERS, _VOTES, _EMBEDDING, _EVENTS), bases=("*",), grid=2, labels=True, answer_basis=True),
    options=ComponentOptions,
    question="Which component moves first, in what order do the others follow, and which are lost again?",
    formula="arrived_k = first s_t with size_k(t) >= 0.05 M; crossover: sum over keys f_k(t) > 1/2 from s_t on",
    source="the first mover, cascade and transient frequencies of the first miscope, with thresholds from a null",
    outputs={
        "at": "(T,) steps of the checkpoints",
        "SITE/label": "(K,) labels of the components",
        "SITE/share": "(T, K) share of the layer's neurons committed to each",
        "SITE/state": "(K,) never, transient, growing or committed",
        "SITE/{arrived,half,left}": "(K,) step at which it has a cluster, has half of its final size, and has lost it",
        "SITE/already": "(K,) whether it has one at the first checkpoint, where that is not the initialisation",
        "SITE/order": "(n,) labels of the components that have a cluster at the end, in the order they came",
        "SITE/spread": "() steps between the first and the last of them; NaN where one was there already",
        "SITE/first_mover": "(m,) labels of the first to have a cluster, more than one if they came together; none "
        "where one was there already",
        "SITE/first_mover_step": "() when that was",
        "SITE/first_mover_stayed": "() share of them that have a cluster at the end",
        "SITE/at_onset": "(m,) components with a cluster when the test loss began to fall",
        "SITE/onset_stayed": "() share of them that have a cluster at the end",
        "SITE/{committed,growing,transient}_count": "() components in that state",
        "SITE/{homeless_count,homeless_share}": "() neurons of transient components that end without any",
        "SITE/commitment": "(3,) quartiles of the step from which neurons stay committed",
        "key": "(n,) components that are key at the end",
        "key_lost": "(m,) components that were key and are not at the end",
        "ROLE/key_share": "(T,) share of the embedding's power in the components that are key at the end",
        "ROLE/crossover": "() step from which that stays above a half; NaN where it does not, or did before the record",
    },
)
