"""Whether files, and what is already there, are of one training: the same configuration, losses and weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from miscope.errors import BadValue
from miscope.patterns import matches

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Account", "check_agreement", "same_numbers"]

_MAY_DIFFER = (
    "*epoch*", "*steps", "step", "*_step", "*every*", "*interval*", "save*", "log*", "*dir", "*path*", "*folder*",
    "run*", "*device*", "*time*", "*date*", "*wandb*", "*project*", "*stop*", "*workers*", "*threads*", "*verbose*",
)  # fmt: skip
"""Words of a configuration that say how long, where and under which name, not what: a resumed run changes them."""

_APART = "Import one of them with the parameter in which they differ (--param), or under another name (--as NAME)."
_SAME_LOSS = 1e-5
"""Relative difference of two records of one loss: six digits, as losses are printed."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """What one source says of a training; of checkpoints only the steps, until one is asked for."""

    source: str
    """A file's name, or the variant's."""
    config: Mapping[str, object] = field(default_factory=dict)
    losses: Mapping[str, Iterable[tuple[int, float]]] = field(default_factory=dict)
    """Metrics by name, (step, value)."""
    steps: Sequence[int] = ()
    weights: Callable[[int], Mapping[str, Tensor]] = lambda step: {}
    """At one of the steps, by role."""


def check_agreement(
    variant: str, accounts: Sequence[Account], *, ignore: Sequence[str] = (), apart: str | None = None
) -> None:
    """BadValue, naming both, at the first pair of accounts that cannot be of one training.

    They disagree where their configurations give one word two values, where one metric has two values at a step, or
    where the weights of a step differ. ignore: patterns of words that may differ; those that say how long a training
    was, or where it was kept, always may. apart: what to do then; None: what `miscope import` has options for.
    """
    try:
        _agree_on_words(accounts, ignore)
        _agree_on_losses(accounts)
        _agree_on_weights(accounts)
    except _Differ as found:
        raise found.refused(variant, apart) from None


@final
class _Differ(Exception):
    """Two accounts that cannot be of one training."""

    def __init__(self, one: str, other: str, known: str, more: str = "") -> None:
        """known: in what they differ. more: what `miscope import` can do about that beside keeping them apart."""
        self._both = f"{one} and {other}" if one != other else f"Two states of {one}"
        self._known, self._more = known, more

    def refused(self, variant: str, apart: str | None) -> BadValue:
        what = f"{self._both} are not of one training, and both would be {variant}."
        return BadValue(what, self._known, f"{_APART} {self._more}".rstrip() if apart is None else apart)


def _agree_on_words(accounts: Sequence[Account], ignore: Sequence[str]) -> None:
    seen: dict[str, tuple[object, str]] = {}
    for account in accounts:
        for word, value in account.config.items():
            if any(matches(word.lower(), pattern) for pattern in (*_MAY_DIFFER, *ignore)):
                continue
            before, source = seen.setdefault(word, (value, account.source))
            if _plain(before) != _plain(value):
                known = f"{source} says {word}={before!r}, {account.source} says {word}={value!r}."
                raise _Differ(source, account.source, known, f"--ignore {word} leaves it out of account.")


def _agree_on_losses(accounts: Sequence[Account]) -> None:
    seen: dict[str, dict[int, tuple[float, str]]] = {}
    for account in accounts:
        for name, series in account.losses.items():
            there = seen.setdefault(name, {})
            for step, value in series:
                before, source = there.setdefault(step, (value, account.source))
                if not _same(before, value) and source == account.source:
                    raise BadValue(
                        f"{source} records {name} at step {step} twice.",
                        f"It is {before:.6g}, and {value:.6g}.",
                        "Keep one value for each step, or the runs in files of their own.",
                    )
                if not _same(before, value):
                    known = f"At step {step} {name} is {before:.6g} by {source}, and {value:.6g} by {account.source}."
                    raise _Differ(source, account.source, known)


def _agree_on_weights(accounts: Sequence[Account]) -> None:
    first: dict[int, Account] = {}
    for account in accounts:
        for step in account.steps:
            other = first.setdefault(step, account)
            if other is account:
                continue
            before, now = other.weights(step), account.weights(step)
            differing = [role for role in before if role not in now or not same_numbers(before[role], now[role])]
            if differing:
                known = f"Both hold step {step}, with other weights: {', '.join(differing[:4])}."
                raise _Differ(other.source, account.source, known)


def _same(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or abs(one - other) <= _SAME_LOSS * max(abs(one), abs(other))


def same_numbers(one: Tensor, other: Tensor) -> bool:
    """Every number the same, what is no number included."""
    return one.shape == other.shape and bool(((one == other) | (one.isnan() & other.isnan())).all())


def _plain(value: object) -> object:
    """Numbers alike however they are written: 1 and 1.0, a list and a tuple."""
    if isinstance(value, bool) or not isinstance(value, int | float | list | tuple):
        return value
    return float(value) if isinstance(value, int | float) else [_plain(each) for each in value]
