"""Where a curve that rises once does so: an error function fitted to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from miscope.snapshot import Series

__all__ = ["jump"]

_POINTS = 400
_STEEPEST = 50.0
"""Of log s; far beyond a rise between two records, and its exponential is still a number."""


def jump(series: Series, near: tuple[float, float] | None = None) -> tuple[float, float]:
    """(t*, s) of a Erf(s (t - t*)) + b fitted to the curve; NaN where it rises by less than a tenth.

    Miller, O'Neill & Bui 2024 (arXiv 2402.08946). The records are thinned to some hundred, equally spaced in log t.
    near: where to look first, such as the fit to a curve that is almost this one.
    """
    from scipy.optimize import least_squares
    from scipy.special import erf

    t, y = _thinned(series)
    rise = y.max() - y.min()
    if len(t) < 5 or rise < 0.1:
        return np.nan, np.nan
    middle, steep = near or _guess(t, y, rise)

    def steepness(p: np.ndarray) -> float:
        return np.exp(min(p[1], _STEEPEST))

    def residual(p: np.ndarray) -> np.ndarray:
        return p[0] * erf(steepness(p) * (t - p[2])) + p[3] - y

    def slopes(p: np.ndarray) -> np.ndarray:
        s = steepness(p)
        u = s * (t - p[2])
        bell = p[0] * 2 / np.sqrt(np.pi) * np.exp(-(u**2))
        return np.stack([erf(u), bell * u, -bell * s, np.ones_like(t)], axis=1)

    start = [rise / 2, np.log(steep), middle, y.min() + rise / 2]
    # A rise that the records resolve is found in ten or twenty evaluations; one between two records never is.
    scale: Any = {"jac": slopes, "x_scale": [1.0, 1.0, max(middle, 1.0), 1.0], "max_nfev": 100}
    fit = least_squares(residual, start, method="lm", **scale)
    inside = t[0] <= fit.x[2] <= t[-1]
    return (float(fit.x[2]), float(steepness(fit.x))) if fit.success and inside else (np.nan, np.nan)


def _guess(t: np.ndarray, y: np.ndarray, rise: float) -> tuple[float, float]:
    middle = float(t[(y >= y.min() + rise / 2).argmax()])
    return middle, 1 / max(middle / 4, float(t[-1] - t[0]) / len(t), 1e-9)


def _thinned(series: Series) -> tuple[np.ndarray, np.ndarray]:
    n = len(series.steps)
    chosen = np.unique(np.geomspace(1, n, min(n, _POINTS)).astype(int)) - 1
    return series.steps[chosen].astype(np.float64), series.values[chosen]
