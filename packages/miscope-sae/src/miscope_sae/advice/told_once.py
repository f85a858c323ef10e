"""Rules of what is said of an autoencoder's training by one of its metrics: each at the first record it is true of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from miscope_sae.training import THRESHOLD_RATE

__all__ = ["DENSE", "Collapsed", "Dead", "Dense", "Missed", "Risen", "ToldOnce", "Unsettled"]

DENSE, _DEAD = (0.15, 0.2), (0.5, 0.7)
"""Of all latents, at an input and in the end: each is told as it is first passed."""
_COLLAPSED, _WITHIN = 0.05, 0.1
"""Of all latents, and of all updates."""
_RISEN = 10.0
"""Times the least loss."""
_MISSED = 2.0
"""Times the L0 that was aimed at, or a part of it."""
_SETTLED = 3 / THRESHOLD_RATE
"""Updates after which a running threshold has forgotten what the first batches kept."""


class ToldOnce(ABC):
    """What is remembered of the records of one metric, as far as one remark needs it: a frozen value."""

    field: str
    """Which field of the training or the parameters the remark is about."""

    @abstractmethod
    def after(self, step: int, value: float) -> tuple[ToldOnce, str | None]:
        """The same after one more record, and what is to be said at it."""


@final
@dataclass(frozen=True, kw_only=True)
class Dense(ToldOnce):
    """Many latents at an input, once the penalty that is to make them few is whole."""

    field: str
    latents: int
    warmup: int
    left: tuple[float, ...] = DENSE

    def after(self, step: int, value: float) -> tuple[Dense, str | None]:
        share, left = _passed(self.left, value / self.latents)
        if share is None or step < self.warmup:
            return self, None
        more = f"{value:.3g} of {self.latents:,} latents are active at an input, more than {share:.0%}"
        return replace(self, left=left), f"at step {step:,} {more}: the penalty is too weak to make them few."


@final
@dataclass(frozen=True, kw_only=True)
class Dead(ToldOnce):
    """Many latents that no input has."""

    latents: int
    window: int
    field: str = "latents"
    left: tuple[float, ...] = _DEAD

    def after(self, step: int, value: float) -> tuple[Dead, str | None]:
        share, left = _passed(self.left, value / self.latents)
        if share is None:
            return self, None
        many = f"{value:,.0f} of {self.latents:,} latents, more than {share:.0%}"
        told = f"at step {step:,} {many}, have not been active for {self.window:,} updates."
        return replace(self, left=left), told


@final
@dataclass(frozen=True, kw_only=True)
class Collapsed(ToldOnce):
    """An L0 that falls from many latents to few within a part of the training."""

    latents: int
    steps: int
    field: str = "sparsity_warmup_steps"
    many: tuple[int, float] | None = None
    """The last record of many latents."""
    told: bool = False

    def after(self, step: int, value: float) -> tuple[Collapsed, str | None]:
        if self.told:
            return self, None
        if value > DENSE[0] * self.latents:
            return replace(self, many=(step, value)), None
        if value >= _COLLAPSED * self.latents or self.many is None or step - self.many[0] > _WITHIN * self.steps:
            return self, None
        fell = f"L0 fell from {self.many[1]:.3g} at step {self.many[0]:,} to {value:.3g} at step {step:,}"
        known = f"within a tenth of the training, of {self.latents:,} latents"
        return replace(self, told=True), f"{fell}, {known}: latents that fall so fast do not come back."


@final
@dataclass(frozen=True, kw_only=True)
class Unsettled(ToldOnce):
    """Held-out inputs with far more latents, or fewer, than a batch keeps, though there was time, or in the end."""

    kept: float
    steps: int
    field: str = "steps"
    told: bool = False
    """While there was still time."""

    def after(self, step: int, value: float) -> tuple[Unsettled, str | None]:
        ends = step == self.steps
        if not _far(value, self.kept) or not (ends or (not self.told and _SETTLED <= step < self.steps)):
            return self, None
        when = "in the end" if ends else "still"
        known = f"at step {step:,} a held-out input has {value:.3g} latents {when}, and k is {self.kept:g}"
        message = f"{known}: the running threshold that replaces k has not settled. Train longer."
        return replace(self, told=True), message


@final
@dataclass(frozen=True, kw_only=True)
class Missed(ToldOnce):
    """The L0 that a penalty was to bring, not there in the end."""

    aim: float
    steps: int
    field: str = "target_l0"

    def after(self, step: int, value: float) -> tuple[Missed, str | None]:
        if step != self.steps or not _far(value, self.aim):
            return self, None
        known = f"at step {step:,} a held-out input has {value:.3g} latents in the end, and the aim was {self.aim:g}"
        return self, f"{known}: train longer."


@final
@dataclass(frozen=True, kw_only=True)
class Risen(ToldOnce):
    """A loss of many times its least. While the penalty rises, so does the loss: then only what is worse than nothing
    learned counts."""

    warmup: int
    field: str = "learning_rate"
    first: float | None = None
    best: tuple[int, float] | None = None
    told: bool = False

    def after(self, step: int, value: float) -> tuple[Risen, str | None]:
        if self.told:
            return self, None
        if self.best is None or self.first is None:
            return replace(self, first=value, best=(step, value)), None
        at, least = self.best
        if value > _RISEN * least and (at >= self.warmup or value > self.first):
            rose = f"the loss is {value:.3g}, {value / least:.3g} times the {least:.3g} of step {at:,}"
            return replace(self, told=True), f"at step {step:,} {rose}: it diverges."
        # What was reached under a weaker penalty is no measure of what comes later.
        better = value < least or at < self.warmup <= step
        return (replace(self, best=(step, value)) if better else self), None


def _passed(left: Sequence[float], share: float) -> tuple[float | None, tuple[float, ...]]:
    """The largest of these shares, ascending, that is passed, None where none is; and those that are not yet."""
    passed = [each for each in left if share > each]
    return (passed[-1] if passed else None), tuple(left[len(passed) :])


def _far(value: float, aim: float) -> bool:
    return not aim / _MISSED <= value <= aim * _MISSED
