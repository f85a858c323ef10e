"""How well a crosscoder finds births that are known: of activations drawn so that they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Snapshot
from miscope.errors import DoesNotApply
from miscope_sae.measuring.matching import NEAR, cosines
from miscope_sae.roles import DECODER

if TYPE_CHECKING:
    from miscope import SourceCheckpoint

_BIRTHS = "sae.births"
_FEATURE = "feature"
"""What the rows of a weight count that holds known features."""
_FULL = 0.99
"""Of a feature's largest norm: where it is fully there, its direction is looked for."""


def births_found(snapshot: Snapshot) -> Arrays:
    """Of F known features, the latent nearest to each, and how far that is born, dies and turns with the feature.

    Looked for at the last checkpoint where the feature is fully there, among latents that are active at some input.
    """
    arrays = snapshot.artifacts[_BIRTHS]
    truth, at = _truth(snapshot.sources), arrays["at"]
    decoder = snapshot.weights[DECODER].flatten(1).unflatten(1, (len(at), -1)).double().numpy()
    fires = np.flatnonzero(np.isfinite(arrays["presence"][:, 0]))
    strength = np.linalg.norm(truth, axis=2)
    latent, cosine = _nearest(truth, strength, decoder, fires)
    born, dies, last = _lives(strength)
    found = cosine > NEAR
    birth, death = (arrays[name][np.maximum(latent, 0)] for name in ("birth", "death"))
    true_birth = np.where(born >= 0, at[born], np.nan)
    true_death = np.where(dies < len(at), at[np.minimum(dies, len(at) - 1)], np.nan)
    told = np.stack([cosines(truth[:, one], truth[last[one], one][None])[:, 0] for one in range(truth.shape[1])])
    there = (strength > 0).T[found]
    turning = np.abs(arrays["to_last"][np.maximum(latent, 0)] - told)[found][there]
    return {
        "latent": np.where(found, latent, -1),
        "cosine": cosine,
        "birth": true_birth,
        "death": true_death,
        "found_birth": np.where(found, birth, np.nan),
        "found_death": np.where(found, death, np.nan),
        "matched": np.array(found.mean()),
        "matched_by_chance": np.array(_near_by_chance(len(fires), truth.shape[2])),
        "births": np.array(_same(birth, true_birth, found)),
        "births_in_any_order": np.array(_same_in_any_order(birth, true_birth, found)),
        "deaths": np.array(_same(death, true_death, found)),
        "deaths_in_any_order": np.array(_same_in_any_order(death, true_death, found)),
        "turning_error": np.array(np.nanmean(turning) if np.isfinite(turning).any() else np.nan),
        "turning_error_of_none": np.array((1 - told)[found][there].mean() if found.any() else np.nan),
    }


def _truth(sources: Sequence[SourceCheckpoint]) -> np.ndarray:
    """(T, F, d) what each feature writes at each checkpoint; raises DoesNotApply where no weight has that."""
    roles = [role for role in sources[0].model.roles.values() if role.axes[:1] == (_FEATURE,)]
    if not roles:
        raise DoesNotApply(f"{sources[0].source.variant} has no weight whose rows are known features")
    return np.stack([each.weights[roles[0].name].double().numpy() for each in sources])


def _nearest(
    truth: np.ndarray, strength: np.ndarray, decoder: np.ndarray, fires: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(F,) the latent whose direction is nearest where a feature is fully there, and the cosine; -1 and NaN of none."""
    latent, cosine = np.full(truth.shape[1], -1), np.full(truth.shape[1], np.nan)
    for feature in np.flatnonzero(strength.any(axis=0)) if len(fires) else ():
        sizes = strength[:, feature]
        full = np.flatnonzero(sizes >= _FULL * sizes.max())[-1]
        alike = cosines(truth[full, feature][None], decoder[fires, full])[0]
        latent[feature], cosine[feature] = fires[alike.argmax()], alike.max()
    return latent, cosine


def _near_by_chance(count: int, width: int) -> float:
    """Chance that one of so many random directions has a cosine above 0.9 with a given one.

    The share of a sphere within an angle is half of the regularised incomplete beta function of its sine squared.
    """
    from scipy.special import betainc

    near = 0.5 * float(betainc((width - 1) / 2, 0.5, 1 - NEAR**2)) if width > 1 else 0.5
    return 1 - (1 - near) ** count


def _lives(strength: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(F,) each: the first checkpoint of (T, F) strengths at which a feature is there, -1 where it never is; the first
    at which it is gone, T where it stays; the last at which it is there."""
    there, count = strength > 0, len(strength)
    ever = there.any(axis=0)
    last = count - 1 - there[::-1].argmax(axis=0)
    return np.where(ever, there.argmax(axis=0), -1), np.where(ever, last + 1, count), last


def _same(found: np.ndarray, true: np.ndarray, which: np.ndarray) -> float:
    """The share of those for which both are the same step, or none."""
    if not which.any():
        return float("nan")
    one, other = found[which], true[which]
    return float(((one == other) | (np.isnan(one) & np.isnan(other))).mean())


def _same_in_any_order(found: np.ndarray, true: np.ndarray, which: np.ndarray) -> float:
    """The mean of that over all ways to hand the found steps to the features."""
    if not which.any():
        return float("nan")
    one, other = (np.nan_to_num(values[which], nan=-1.0) for values in (found, true))
    return float(np.mean(one[:, None] == other))


def births_found_observed(seen: ObservedArtifact) -> list[Observation]:
    """How many of the known features it finds, and how many of their births."""
    arrays = seen.arrays
    if not float(arrays["matched"]):
        return [Observation(text=f"Of {len(arrays['latent']):,} known features it finds none.", value=0.0)]
    text = (
        f"Of {len(arrays['latent']):,} known features it finds {float(arrays['matched']):.0%}, of these "
        f"{float(arrays['births']):.0%} with their birth ({float(arrays['births_in_any_order']):.0%} by chance) and "
        f"{float(arrays['deaths']):.0%} with their death; the cosine by which they turn is off by "
        f"{float(arrays['turning_error']):.2g}."
    )
    return [Observation(text=text, value=float(arrays["births"]))]


BIRTHS_FOUND = Analyzer(
    name="sae.births_found",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=births_found,
    observe=births_found_observed,
    needs=Needs(reads=(_BIRTHS,), weights=(DECODER,), sources=True),
    question="Does a crosscoder like this one find births, deaths and turning where they are known?",
    formula="a feature is found where a latent's direction has cosine > 0.9 with it at the last checkpoint where it is "
    "fully there; its birth, where both are born at the same checkpoint",
    source="Activations of known features: Sharkey, Braun and Millidge 2022; crosscoders: Lindsey et al. 2024",
    outputs={
        "latent": "(F,) the latent that is each known feature; -1 where none is",
        "cosine": "(F,) of the direction of the nearest latent with the feature's, where that is fully there",
        "birth": "(F,) step of the source at which the feature is born; NaN where it never is",
        "death": "(F,) first step at which it is gone for good; NaN where it stays",
        "found_birth": "(F,) the same of its latent; NaN where none is it",
        "found_death": "(F,) the same of its latent",
        "matched": "() share of the features that a latent is",
        "matched_by_chance": "() the share that random directions would be, as many as there are active latents",
        "births": "() of these, share whose latent is born at the same checkpoint",
        "births_in_any_order": "() its mean, were the births of these latents handed out in any order",
        "deaths": "() of these, share whose latent dies at the same checkpoint, or stays as they do",
        "deaths_in_any_order": "() its mean, were the deaths of these latents handed out in any order",
        "turning_error_of_none": "() that of latents that do not turn at all",
        "turning_error": "() mean |error| of the cosine with the last direction, over checkpoints where both are there",
    },
)
