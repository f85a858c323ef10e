"""What Adam does to the weights: its averages, how large its updates are beside the decay and beside the weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Grain, Options
from miscope.analyzers.adam_state import AdamWeight, adam_weights
from miscope.analyzers.observed.weights import balance_observed
from miscope.artifact import NestedArrays
from miscope.maths.adam import angle_between, equilibrium_angle
from miscope.needs import Needs
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

_TOTAL = "total"


class MomentOptions(Options):
    """Whether the forms of the system that these numbers were first published with are computed beside."""

    original: bool = False
    """Beside them, under 'original/', what Least Action Learning's own code computed: eps inside the root, no bias
    correction, the update of all weights over sqrt(lambda) times the decayed ones. Only to compare with its figures."""


def moments(snapshot: Snapshot[MomentOptions]) -> Mapping[str, NestedArrays]:
    """Adam's averages, raw and without their bias, and the length of the update over that of the decay.

    Of each weight and of all together, which are the weights that Adam or AdamW trains. m and v are the averages after
    the update that led to this step, t the updates made, m_hat = m / (1 - beta1^t), v_hat = v / (1 - beta2^t), and eps
    the optimizer's own. `sqrt_v_*` and `ratio_*` are of sqrt(v) and |m| / (sqrt(v) + eps), with 'corrected_' of
    sqrt(v_hat) and |m_hat| / (sqrt(v_hat) + eps). `update_over_decay` is |m_hat / (sqrt(v_hat) + eps)| / |lambda w|,
    L2 norms over exactly the weights that are decayed apart from the gradient; the rate cancels, but for the factors of
    role groups, by which both count. It is 1 where update and decay are in balance, and NaN where nothing is decayed.
    One weight in float64 is in memory at a time.
    """
    return balance(adam_weights(snapshot), original=snapshot.options.original)


def balance(adams: Iterable[AdamWeight], *, original: bool) -> dict[str, dict[str, np.ndarray]]:
    """The outputs of `optimizer.moments` by weight and part; one weight or more."""
    parts: dict[str, dict[str, float]] = {}
    forms: list[dict[str, float]] = []
    for adam in adams:
        parts[adam.role] = _parts(adam)
        forms += [_original_parts(adam)] if original else []
    outputs = {name: _numbers([one]) for name, one in parts.items()}
    outputs[_TOTAL] = _numbers(list(parts.values()))
    return outputs | ({"original": _original(forms)} if forms else {})


def _parts(adam: AdamWeight) -> dict[str, float]:
    """Sums and largest values, which add up over weights."""
    averages, factor = adam.averages, adam.group.lr_factor
    of = {
        "sqrt_v": averages.root,
        "ratio": averages.mean.abs() / (averages.root + averages.eps),
        "corrected_sqrt_v": averages.root_hat,
        "corrected_ratio": averages.update.abs(),
    }
    decayed = adam.decay > 0 and factor > 0
    return {
        "size": float(adam.weight.numel()),
        **{f"{name}_sum": float(values.sum()) for name, values in of.items()},
        **{f"{name}_max": float(values.max()) for name, values in of.items()},
        "small": float((averages.root_hat < averages.eps).sum()),
        "update": factor**2 * _squares(averages.update) if decayed else 0.0,
        "decay": (factor * adam.decay) ** 2 * _squares(adam.weight) if decayed else 0.0,
    }


def _squares(tensor: Tensor) -> float:
    return float(tensor.square().sum())


_MEASURES = ("sqrt_v", "ratio", "corrected_sqrt_v", "corrected_ratio")


def _numbers(parts: Sequence[Mapping[str, float]]) -> dict[str, np.ndarray]:
    def summed(name: str) -> float:
        return sum(part[name] for part in parts)

    size, decay = summed("size"), summed("decay")
    numbers = {f"{name}_mean": summed(f"{name}_sum") / size for name in _MEASURES}
    numbers |= {f"{name}_max": max(part[f"{name}_max"] for part in parts) for name in _MEASURES}
    numbers["below_eps"] = summed("small") / size
    numbers["update_over_decay"] = (summed("update") / decay) ** 0.5 if decay > 0 else np.nan
    return {name: np.asarray(value) for name, value in numbers.items()}


def _original_parts(adam: AdamWeight) -> dict[str, float]:
    """As lal computed them: sqrt(v + eps) for sqrt(v) and for sqrt(v) + eps, averages with their bias, sqrt(lambda)."""
    root = (adam.averages.square + adam.averages.eps).sqrt()
    ratio = adam.averages.mean.abs() / root
    return {
        "size": float(root.numel()),
        "sqrt_v_sum": float(root.sum()),
        "sqrt_v_max": float(root.max()),
        "ratio_sum": float(ratio.sum()),
        "ratio_max": float(ratio.max()),
        "update": _squares(ratio),
        "decay": adam.decay * _squares(adam.weight),
    }


def _original(parts: Sequence[Mapping[str, float]]) -> dict[str, np.ndarray]:
    sums = {name: sum(part[name] for part in parts) for name in parts[0]}
    numbers = {f"{name}_mean": sums[f"{name}_sum"] / sums["size"] for name in _MEASURES[:2]}
    numbers |= {f"{name}_max": max(part[f"{name}_max"] for part in parts) for name in _MEASURES[:2]}
    numbers["update_over_decay"] = (sums["update"] / sums["decay"]) ** 0.5 if sums["decay"] > 0 else np.nan
    return {name: np.asarray(value) for name, value in numbers.items()}


_OF_ADAM = ("residual rotation", "relu scaling")
"""Adam looks at every number alone, so another basis or another scale makes other averages and updates."""

MOMENTS = Analyzer(
    name="optimizer.moments",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("AdamW", "second moment"),
    compute=moments,
    observe=balance_observed,
    needs=Needs(weights=("*",), optimizer=True),
    options=MomentOptions,
    not_invariant_to=_OF_ADAM,
    question="How large are Adam's averages, and are its updates in balance with the weight decay?",
    formula="|m_hat / (sqrt(v_hat) + eps)|_2 / |lambda w|_2 over the decayed weights; m_hat = m / (1 - beta1^t)",
    source="Kingma & Ba 2015 (arXiv 1412.6980); Loshchilov & Hutter 2019 (arXiv 1711.05101); Kosson et al. 2023 (arXiv "
    "2305.17212): the ratio's equilibrium is 1",
    outputs={
        "NAME/sqrt_v_{mean,max}": "() of sqrt(v), in units of the gradient; the larger, the smaller the step that a "
        "gradient makes. NAME is a weight's role, or total for all that Adam trains",
        "NAME/ratio_{mean,max}": "() of |m| / (sqrt(v) + eps)",
        "NAME/corrected_sqrt_v_{mean,max}": "() of sqrt(v_hat)",
        "NAME/corrected_ratio_{mean,max}": "() of |m_hat| / (sqrt(v_hat) + eps), the update at a rate of 1",
        "NAME/below_eps": "() share of the numbers whose sqrt(v_hat) is below eps, which then bounds their updates",
        "NAME/update_over_decay": "() length of the update over that of the decay, of the weights decayed apart from "
        "the gradient; NaN where none is",
        "original/{sqrt_v_mean,sqrt_v_max,ratio_mean,ratio_max}": "() with the option: the same with sqrt(v + eps) for "
        "sqrt(v) and for sqrt(v) + eps",
        "original/update_over_decay": "() with the option: |m / sqrt(v + eps)| of all weights over sqrt(lambda) |w| of "
        "the decayed ones",
    },
)


QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def rates(snapshot: Snapshot) -> NestedArrays:
    """How fast Adam moves each weight: relative to its size, as an angle, and by the rate that each number has.

    `relative_update` is rate |u| / |w| with u = m_hat / (sqrt(v_hat) + eps), the decay apart. `angle` is that between
    the weight before the last update, taken back exactly, and after it. `equilibrium_angle` is where AdamW's angle
    settles for a weight whose scale the function does not see (one that a normalisation follows), is decayed, and has
    been trained at one rate for many times 1 / (rate lambda) updates, under gradients that are independent from update
    to update; `equilibrium_angle_without_momentum` is the same for beta1 = 0. Of other weights it is no more than a
    scale to compare with: a gradient that lasts turns them otherwise. `effective_rate` is rate / (sqrt(v_hat) + eps),
    number by number. At a rate of 0, the first update of a warmup, nothing moves. One weight in float64 is in memory
    at a time, and of all together one float64 for each number.
    """
    outputs: dict[str, NestedArrays] = {}
    sums = np.zeros(2)
    every = []
    for adam in adam_weights(snapshot):
        group, averages = adam.group, adam.averages
        moved, size = group.learning_rate**2 * _squares(averages.update), _squares(adam.weight)
        effective = (group.learning_rate / (averages.root_hat + averages.eps)).ravel().numpy()
        beta = averages.betas[0]
        outputs[adam.role] = {
            "relative_update": _relative(moved, size),
            "angle": np.asarray(angle_between(adam.before, adam.weight)),
            "equilibrium_angle": np.asarray(equilibrium_angle(group.learning_rate, adam.decay, beta)),
            "equilibrium_angle_without_momentum": np.asarray(equilibrium_angle(group.learning_rate, adam.decay)),
            **_quantiles(effective),
        }
        sums += moved, size
        every.append(effective)
    outputs[_TOTAL] = {"relative_update": _relative(*sums), **_quantiles(np.concatenate(every))}
    return outputs


def _relative(moved: float, size: float) -> np.ndarray:
    return np.asarray((moved / size) ** 0.5 if size > 0 else np.nan)


def _quantiles(values: np.ndarray) -> dict[str, np.ndarray]:
    found = np.quantile(values, QUANTILES)
    return {"effective_rate": found, "effective_rate_median": np.asarray(found[len(QUANTILES) // 2])}


RATES = Analyzer(
    name="optimizer.rates",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=rates,
    needs=Needs(weights=("*",), optimizer=True),
    not_invariant_to=_OF_ADAM,
    question="How fast does each weight move, by its own measure?",
    formula="rate |u| / |w|; angle(w_(t-1), w_t); rate / (sqrt(v_hat) + eps); u = m_hat / (sqrt(v_hat) + eps)",
    source="Kosson et al. 2023 (arXiv 2305.17212), table 1: sqrt(2 rate lambda (1 - beta1) / (1 + beta1)) of AdamW",
    outputs={
        "NAME/relative_update": "() length of the last update over that of the weight, without the decay; NAME is a "
        "weight's role, or total for all that Adam trains",
        "ROLE/angle": "() radians between the weight before the last update and after it",
        "ROLE/equilibrium_angle": "() radians at which a scale-invariant weight would turn in equilibrium under "
        "independent gradients; NaN where it is not decayed apart from the gradient",
        "ROLE/equilibrium_angle_without_momentum": "() the same for beta1 = 0: sqrt(2 rate lambda)",
        "NAME/effective_rate": "(5,) 5, 25, 50, 75 and 95 % quantiles of rate / (sqrt(v_hat) + eps) over its numbers",
        "NAME/effective_rate_median": "() the one in the middle",
    },
)
