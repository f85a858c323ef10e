"""What the figures of autoencoders have in common: title, curves, numbers in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from miscope import Choice, ViewData
from miscope.figures.figure_style import NULL
from miscope.figures.frame import line
from miscope.figures.headings import BELOW, lines_of

__all__ = [
    "DEGREE",
    "dashed",
    "decades",
    "of_untrained",
    "positive",
    "title",
    "untrained_arrays",
    "untrained_line",
    "warm_note",
]

_FEW_DECADES = 1.3
"""Up to so many 1, 2 and 5 of each are marked."""
_UNTRAINED = "of the untrained network (step 0)"
_MISSING = {
    "not trained": "miscope sae train ... --step first",
    "not trained so far": "miscope sae train ... --step first",
    "not analyzed": "miscope analyze its autoencoder",
}
"""What is to be done about what is missing."""

DEGREE = Choice(name="degree", options=("H4", "H1"), label="harmonics")
"""H1 counts a frequency alone, H4 with its harmonics up to the fourth."""


def title(shown: ViewData, text: str, note: str = "") -> dict[str, Any]:
    """A title, with the variant, the step and a note in one line below it.

    Where that is too long, as names of autoencoders are, it has the family for the variant, or neither.
    """
    at = f"{shown.step_label} {shown.step:,}" if shown.step is not None else ""
    names = [""] if shown.members else [shown.variant.name, shown.variant.family, ""]
    lines = [" · ".join(part for part in (name, at, note) if part) for name in names]
    below = next((line for line in lines if lines_of(line, BELOW) == [line]), lines[-1])
    return {"text": text, "subtitle": {"text": below}}


def warm_note(arrays: Mapping[str, np.ndarray]) -> str:
    """What is to be known where autoencoders of several steps are alike because each began with another."""
    if not arrays["warm"][0]:
        return ""
    count = len(arrays["left_out"])
    return " · warm series: neighbours began alike" + (f"; left out: {count} that began anew" if count else "")


def dashed(x: np.ndarray | Sequence[str], y: np.ndarray, name: str, **more: Any) -> dict[str, Any]:
    """What would be seen of nothing learned."""
    return line(x, y, name, NULL, line={"dash": "dash"}, **more)


def positive(values: np.ndarray) -> np.ndarray:
    """What a logarithmic axis has a place for; NaN for the others."""
    return np.where(values > 0, values, np.nan)


def decades(values: Iterable[np.ndarray]) -> dict[str, Any]:
    """A logarithmic axis of positive values that is marked at round numbers alone: a small panel has room for few."""
    known = np.concatenate([each[each > 0] for each in values])
    low, high = (np.log10(known.min()), np.log10(known.max())) if known.size else (0.0, 1.0)
    steps = (1, 2, 5) if high - low < _FEW_DECADES else (1,)
    powers = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    marks = [step * 10.0**power for power in powers for step in steps]
    return {"type": "log", "tickvals": marks, "ticktext": [f"{mark:,g}" for mark in marks]}


def untrained_line(x: np.ndarray, y: np.ndarray, name: str = _UNTRAINED, **more: Any) -> dict[str, Any]:
    """The curve of what is the same and of the network before its training."""
    style = {"dash": "6px,3px", "width": 2.2} | more.pop("line", {})
    return line(x, y, name, NULL, line=style, **more)


def untrained_arrays(shown: ViewData, reads: str) -> Mapping[str, np.ndarray] | None:
    """What an instrument left of the autoencoder that is the same and of the network before its training; None where
    that is not there."""
    other = shown.untrained
    return None if other is None or other.shown is None else other.shown.artifacts[reads]


def of_untrained(
    shown: ViewData, reads: str, curve: Callable[[Mapping[str, np.ndarray]], tuple[np.ndarray, np.ndarray]], **more: Any
) -> list[dict[str, Any]]:
    """The curve of that one: x and y of what its instrument left. [] where there can be none.

    Where there is none yet, a name in the legend says how to get it.
    """
    if shown.untrained is None:
        return []
    arrays = untrained_arrays(shown, reads)
    if arrays is None:
        nothing = np.full(1, np.nan)
        words = f"untrained network: {_MISSING.get(shown.untrained.missing, 'cannot be read')}"
        style = more.get("line", {})
        return [untrained_line(nothing, nothing, words, line=style, hoverinfo="skip", mode="lines")]
    x, y = curve(arrays)
    return [untrained_line(x, y, **more)]
