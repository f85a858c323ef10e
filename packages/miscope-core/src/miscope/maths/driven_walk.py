"""Walks that something drives: along one direction, or towards a place. Nulls for a path that is not aimless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.maths.random_walk import directions, walk

__all__ = ["Drive", "drift_of", "drifting", "pull_of", "pulled"]

_ROUNDS = 100


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """Towards a place: an Ornstein-Uhlenbeck process."""

    pull: float
    """Share of the way to that place which each step goes, 0 to 1."""
    reach: float
    """Distance of that place from the start."""


def drift_of(lengths: np.ndarray, distance: float) -> float:
    """Cosine between every step and one common direction that brings a walk as far from its start as was measured.

    Of steps c l_i u + noise across u: E|end - start|^2 = sum l^2 + c^2 ((sum l)^2 - sum l^2). 0 where it is no further
    than a walk without drift gets.
    """
    alone, together = float((lengths**2).sum()), float(lengths.sum()) ** 2
    if together <= alone:
        return 0.0
    return float(np.sqrt(np.clip((distance**2 - alone) / (together - alone), 0, 1)))


def drifting(lengths: np.ndarray, dimension: int, drift: float, random: np.random.Generator) -> np.ndarray:
    """A walk (T, m) of these step lengths with this cosine between every step and the first axis."""
    along = np.concatenate([[0.0], np.cumsum(drift * lengths)])
    across = walk(lengths * np.sqrt(1 - drift**2), max(1, dimension - 1), random)
    return np.concatenate([along[:, None], across], axis=1)


def pull_of(gram: np.ndarray) -> Drive:
    """Least squares of each step on where it starts, x' - x = pull (place - x) + noise, from inner products (T, T).

    Without the bias that noise gives it (Kendall 1954): a step is part of all later states, so that an aimless walk
    seems to be pulled back to its own mean; the pull is that which makes the sum of products what it is expected to be.
    """
    n = len(gram) - 1
    centre = np.eye(n) - 1 / n
    state, after = centre @ gram[:n, :n] @ centre, centre @ gram[1:, :n] @ centre
    later = centre @ gram[1:, 1:] @ centre
    products, squares = np.trace(after) - np.trace(state), np.trace(state)
    if squares <= 0:
        return Drive(pull=0.0, reach=0.0)
    pull, behind = float(np.clip(-products / squares, 0, 1)), np.arange(n - 1, -1, -1)
    for _ in range(_ROUNDS):
        keep = 1 - pull
        noise = np.diag(later) - 2 * keep * np.diag(after) + keep**2 * np.diag(state)
        carried = behind if pull < 1e-12 else (1 - keep**behind) / pull
        bias = float((noise.clip(min=0) * carried).sum()) / (n - 1)
        pull = float(np.clip((pull + np.clip(-(products + bias) / squares, 0, 1)) / 2, 0, 1))
    if pull < 1e-9:
        return Drive(pull=0.0, reach=0.0)
    place = np.concatenate([np.full(n, 1 / n), [0.0]])
    place[-1] += 1 / (n * pull)
    place[0] -= 1 + 1 / (n * pull)
    # The place is known up to the mean of the noise over the pull.
    uncertain = float(noise.clip(min=0).sum()) / (n * (n - 1) * pull**2)
    return Drive(pull=pull, reach=float(np.sqrt(max(place @ gram @ place - uncertain, 0.0))))


def pulled(lengths: np.ndarray, dimension: int, drive: Drive, random: np.random.Generator) -> np.ndarray:
    """A walk (T, m) of these step lengths, each of them pull (place - x) and as much noise as its length leaves."""
    n = len(lengths)
    noise = np.concatenate([random.standard_normal((n, 1)), directions(n, max(1, dimension - 1), random)], axis=1)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    place = np.zeros(noise.shape[1])
    place[0] = drive.reach
    points = np.zeros((n + 1, noise.shape[1]))
    for i in range(n):
        aimed = drive.pull * (place - points[i])
        size, along = float(aimed @ aimed), float(aimed @ noise[i])
        left = along**2 + lengths[i] ** 2 - size
        if size < lengths[i] ** 2:
            step = aimed + (np.sqrt(left) - along) * noise[i]
        else:
            step = aimed * (lengths[i] / np.sqrt(size)) if size > 0 else aimed
        points[i + 1] = points[i] + step
    return points
