"""What a training ended as, and why: an ordered list of tests of which the first that fails gives the name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Limits", "Outcome", "Test", "labelled", "verdict"]

_RISEN = 0.1
"""Share of the final test loss by which it lies above its smallest value where it no longer falls."""


@final
@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where the lines are drawn."""

    good_loss: float
    rebound: float
    late: float


@final
@dataclass(frozen=True, kw_only=True)
class Test:
    """One criterion, what was measured and where the line is."""

    criterion: str
    value: float
    limit: float
    met: bool
    label: str
    """What a variant is that does not meet it."""
    reason: str
    """Why, as a sentence."""


@final
@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A label, the reasons for it, and every test in order."""

    label: str
    reasons: tuple[str, ...]
    tests: tuple[Test, ...]


def verdict(events: Mapping[str, float], rise: float, limits: Limits) -> Outcome:
    """What became of a variant with these events (`events.grokking`) and this rise of its test loss at the end."""
    tests = tuple(_tests(events, rise, limits))
    failed = [test for test in tests if not test.met]
    label = failed[0].label if failed else "healthy"
    memorised, generalised = events["memorised"], events["generalised"]
    well = f"it memorised by step {memorised:,.0f} and generalised by step {generalised:,.0f}"
    # What comes after the first failure may only follow from it.
    reasons = [failed[0].reason] if failed else [f"{well}, and its final test loss is {events['final_loss']:.2g}"]
    return Outcome(label=label, reasons=tuple(reasons), tests=tests)


def labelled(reason: str, step_label: str) -> str:
    """A reason in which 'step 672' is called as the family calls its steps: 'epoch 672'."""
    return re.sub(r"\bstep (?=\d)", f"{step_label} ", reason)


def _tests(events: Mapping[str, float], rise: float, limits: Limits) -> list[Test]:
    memorised, generalised, final = events["memorised"], events["generalised"], events["final_loss"]
    ratio = generalised / memorised if memorised > 0 else np.nan
    first, grokked, delay = events["first"], events["grokked"], events["line/delay"]
    learnt = np.isfinite(memorised) and np.isfinite(generalised)
    # At the end of a fall there is no loss: longer training would have lowered it further.
    rose = rise > _RISEN * final
    whole = [
        ("memorised by the end", memorised, events["last"], np.isfinite(memorised), "not memorised"),
        ("generalised by the end", generalised, events["last"], np.isfinite(generalised), "memorised only"),
        ("rise of the test loss at the end, nats", rise, limits.rebound, not rise >= limits.rebound, "lost again"),
        (
            "final test loss, nats",
            final,
            limits.good_loss,
            final <= limits.good_loss,
            "degraded" if rose else "not converged",
        ),
        ("first step of the record", first, 0, not (learnt and np.isnan(grokked)), "learnt before the record"),
        ("generalised over memorised", ratio, delay, grokked != 0 or not learnt, "without delay"),
        ("step of generalisation", generalised, limits.late, not generalised > limits.late, "late"),
    ]
    why = (
        f"the training loss or accuracy did not reach its mark by step {events['last']:,.0f}",
        f"it memorised by step {memorised:,.0f} and had not generalised by step {events['last']:,.0f}",
        _rose(rise, limits.rebound),
        f"its final test loss is {final:.2g}, above {limits.good_loss:g}" + ("" if rose else ", and was still falling"),
        f"its record begins at step {first:,.0f}, when it had learnt already, so that its delay is not known",
        f"it generalised {ratio:.2g} times as late as it memorised, less than {delay:g}",
        f"it generalised at step {generalised:,.0f}, after {limits.late:,.0f}",
    )
    return [
        Test(criterion=what, value=float(value), limit=float(limit), met=bool(met), label=label, reason=reason)
        for (what, value, limit, met, label), reason in zip(whole, why, strict=True)
    ]


def _rose(rise: float, limit: float) -> str:
    if np.isinf(rise):
        return "its test loss ended as no number"
    return f"its test loss rose by {rise:.2g} nats from its smallest value to the end, by {limit:g} or more"
