"""Reading artifacts whose arrays are named 'SITE/quantity' or 'ROLE/quantity': which there are, and in which basis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from miscope import Choice, ViewData

__all__ = ["apart", "basis_note", "choice_of", "dominant", "first_row", "holders", "null_of", "ticked", "unit_of"]

_OWN = ("singular", "conditional means")
"""Bases that an instrument falls back to where the family gives none."""

_ABOVE_NULL = 1.25
"""Times the largest share before training from which a component stands out."""

_ABOVE_MEDIAN = 5.0
"""Times the median share, where there is no checkpoint from before training."""


def holders(arrays: Mapping[str, np.ndarray], quantity: str) -> tuple[str, ...]:
    """The sites or roles for which the quantity is there: 'W_E' for 'W_E/fraction'."""
    return tuple(name.removesuffix(f"/{quantity}") for name in arrays if name.endswith(f"/{quantity}"))


def choice_of(control: str, analyzer: str, quantity: str, *, default: str | None = None) -> Choice:
    """A control that offers the sites or roles for which the analyzer left the quantity."""
    return Choice(name=control, options_from=_offer(analyzer, quantity), default=default)


def _offer(analyzer: str, quantity: str) -> Callable[[ViewData], Sequence[str]]:
    return lambda shown: holders(shown.artifacts[analyzer], quantity)


def first_row(array: np.ndarray) -> np.ndarray:
    """Labels at the first step, of an array that may be stacked over training; they are the same at every step."""
    return array[0] if array.ndim == 2 else array


def basis_note(arrays: Mapping[str, np.ndarray], holder: str) -> str:
    """'in its singular basis: no task basis' where an instrument fell back to the data's own; '' otherwise."""
    name = str(np.ravel(arrays[f"{holder}/basis"])[0])
    return f"in the data's own basis ({name}): the family gives none" if name in _OWN else ""


def unit_of(shown: ViewData, arrays: Mapping[str, np.ndarray], holder: str) -> str:
    """What a component's label counts, for axis titles: 'frequency k'."""
    name = str(np.ravel(arrays[f"{holder}/basis"])[0])
    return next((basis.unit for basis in shown.bases.values() if basis.name == name), f"{name} component")


def null_of(steps: np.ndarray, share: np.ndarray) -> float | None:
    """The largest share before training, which is chance; None without a checkpoint at step 0. share: (T, K)."""
    return float(share[0].max()) if steps[0] == 0 else None


def dominant(share: np.ndarray, null: float | None, most: int = 10) -> np.ndarray:
    """Indices of the components that stand out, strongest first, at most so many.

    share: (K,) or (T, K); over training a component counts by its largest share, if it stood out at some step.
    """
    share = np.atleast_2d(np.asarray(share, dtype=np.float64))
    median = np.median(share, axis=1, keepdims=True)
    floor = _ABOVE_MEDIAN * median if null is None else np.full_like(median, _ABOVE_NULL * null)
    stands_out = np.any(share > floor, axis=0)
    strongest = np.argsort(-share.max(axis=0), kind="stable")
    return strongest[stands_out[strongest]][:most]


_FEW = 12
"""Components of which an axis has room to name every one."""


def ticked(labels: np.ndarray, strong: np.ndarray) -> list[str]:
    """The labels that an axis names: all where they are few, else those of the strong components, in order.

    strong: indices, strongest first.
    """
    return (labels if len(labels) <= _FEW else labels[np.sort(strong)]).tolist()


def apart(strong: np.ndarray, count: int, most: int = 28) -> np.ndarray:
    """Of indices below `count`, strongest first, those far enough from a stronger one for a tick, in order.

    most: ticks that an axis has room for.
    """
    least, kept = max(1, round(count / most)), []
    for index in strong:
        if all(abs(int(index) - other) >= least for other in kept):
            kept.append(int(index))
    return np.array(sorted(kept), dtype=int)
