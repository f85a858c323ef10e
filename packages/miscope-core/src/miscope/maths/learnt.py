"""When a model has learnt a set, by its accuracy or by its loss, and with what delay one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from miscope.maths.dated_events import EVENT_WORDS

__all__ = ["BY", "DATED", "LEARNT", "NEVER_FELL", "definitions", "delay", "marks", "step_by", "words"]

BY = ("accuracy", "loss")
"""The two definitions, the preferred one first."""
DATED = tuple(EVENT_WORDS)
"""Arrays of `events.grokking` that are steps to mark on a time axis."""
LEARNT = {"memorised": "train", "generalised": "test"}
"""Events that have two, and the set that is learnt."""
NEVER_FELL = "never fell to half of its first value and of guessing"
"""What is said of a test loss that is not dated."""


def definitions(members: Sequence[Mapping[str, np.ndarray]]) -> dict[str, str]:
    """By what each of LEARNT is dated in all of several `events.grokking` artifacts: accuracy where all have recorded
    one, loss otherwise; what was dated in none of them is left out.
    """
    chosen: dict[str, str] = {}
    for event in LEARNT:
        by = {str(np.ravel(arrays[f"{event}/by"])[0]) for arrays in members if f"{event}/by" in arrays}
        if by:
            chosen[event] = BY[0] if by == {BY[0]} else BY[1]
    return chosen


def step_by(arrays: Mapping[str, np.ndarray], event: str, chosen: Mapping[str, str], what: str = "") -> np.ndarray:
    """The step of an event by the chosen definition, or another array of it: what='/ci' for its interval.

    NaN where there is none.
    """
    named = f"{event}/{chosen[event]}{what}" if event in chosen else f"{event}{what}"
    return arrays.get(named, np.full((2,) if what else (), np.nan))


def words(members: Sequence[Mapping[str, np.ndarray]], chosen: Mapping[str, str]) -> dict[str, str]:
    """'train accuracy ≥ 0.99' of each event of which a definition was chosen."""
    texts: dict[str, str] = {}
    for event, by in chosen.items():
        lines = {float(arrays[f"line/{by}"]) for arrays in members if f"line/{by}" in arrays}
        sign = "≥" if by == "accuracy" else "<"
        texts[event] = f"{LEARNT[event]} {by} {sign} {' or '.join(f'{line:g}' for line in sorted(lines))}"
    return texts


def marks(read: Sequence[Mapping[str, np.ndarray] | None]) -> list[dict[str, dict[str, float] | dict[str, str]]]:
    """Steps that happened, in order, of each of several `events.grokking` artifacts, and in words what those are by
    that can be dated in two ways: the same in all. None: the detector was not run.
    """
    there = [arrays for arrays in read if arrays is not None]
    chosen = definitions(there)
    marked: list[dict[str, dict[str, float] | dict[str, str]]] = []
    for arrays in read:
        dated = {name: float(step_by(arrays or {}, name, chosen)) for name in DATED}
        events = {name: step for name, step in dated.items() if np.isfinite(step)}
        marked.append({"events": events, "definitions": words(there, chosen) if arrays is not None else {}})
    return marked


def delay(memorised: float, generalised: float, span: tuple[float, float], least: float) -> dict[str, float]:
    """Whether a model grokked: generalised at `least` times the step of memorising, or later; and how much later.

    span: first and last step of the record. The names are those of `events.grokking`.
    """
    first, last = span
    both, censored = np.isfinite(memorised + generalised), np.isfinite(memorised) and np.isnan(generalised)
    late = both and generalised > memorised and generalised >= least * memorised
    # Where the record begins with the training set learnt, that was earlier still: a bound can say yes, not no. At step
    # 0 only weights made elsewhere have learnt it, and any step is later than twice that.
    warm = memorised == 0 < generalised
    bound = warm or memorised == first > 0
    return {
        "grokked": np.nan if warm or (bound and both and not late) else late,
        "censored": censored,
        "delay": np.nan if bound else generalised - memorised,
        "delay_at_least": (last if censored else generalised) - memorised if bound or censored else np.nan,
        "ratio": generalised / memorised if both and memorised > 0 and not bound else np.nan,
        "first": first,
        "last": last,
    }
