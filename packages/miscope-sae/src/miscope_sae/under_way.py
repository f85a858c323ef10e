"""What is said of an autoencoder's training by what is recorded so far: many latents, dead ones, a rising loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from miscope import Remark
from miscope_sae.training import THRESHOLD_RATE, JumpReluTraining, L1Training, SparseTraining

__all__ = ["Recorded", "UnderWay"]

Recorded: TypeAlias = "Mapping[str, Sequence[tuple[int, float]]]"
"""(step, value), by metric."""

_DENSE, _DEAD = (0.15, 0.2), (0.5, 0.7)
"""Of all latents, at an input and in the end: each is told as it is first passed."""
_COLLAPSED, _WITHIN = 0.05, 0.1
"""Of all latents, and of all updates."""
_RISEN = 10.0
"""Times the least loss."""
_MISSED = 2.0
"""Times the L0 that was aimed at, or a part of it."""
_SETTLED = 3 / THRESHOLD_RATE
"""Updates after which a running threshold has forgotten what the first batches kept."""


@final
@dataclass(frozen=True, kw_only=True)
class UnderWay:
    """A training while it runs."""

    training: SparseTraining
    latents: int
    kept: float | None = None
    """Latents that an input keeps on average, where once trained a running threshold decides which."""

    def remarks(self, recorded: Recorded) -> Iterator[Remark]:
        """Each at the first record that it is true of, so more records take nothing back."""
        yield from self._dense(recorded.get("test_l0", ()))
        yield from self._collapsed(recorded.get("test_l0", ()))
        yield from self._unsettled(recorded.get("test_l0", ()))
        yield from self._missed(recorded.get("test_l0", ()))
        yield from self._dead(recorded.get("test_dead_neurons", ()))
        yield from self._risen(recorded.get("train_loss", ()))

    def _dense(self, l0: Sequence[tuple[int, float]]) -> Iterator[Remark]:
        """Where a penalty makes latents few; elsewhere their number was chosen."""
        if (field := self._strength) is None:
            return
        warm = [(step, value) for step, value in l0 if step >= self.training.sparsity_warmup_steps]
        for share, step, value in _passed(warm, _DENSE, self.latents):
            more = f"{value:.3g} of {self.latents:,} latents are active at an input, more than {share:.0%}"
            yield _warning(field, f"at step {step:,} {more}: the penalty is too weak to make them few.")

    def _collapsed(self, l0: Sequence[tuple[int, float]]) -> Iterator[Remark]:
        most, least = _DENSE[0] * self.latents, _COLLAPSED * self.latents
        last = None
        for step, value in l0:
            if value > most:
                last = step, value
            elif value < least and last is not None and step - last[0] <= _WITHIN * self.training.steps:
                fell = f"L0 fell from {last[1]:.3g} at step {last[0]:,} to {value:.3g} at step {step:,}"
                known = f"within a tenth of the training, of {self.latents:,} latents"
                yield _warning("sparsity_warmup_steps", f"{fell}, {known}: latents that fall so fast do not come back.")
                return

    def _unsettled(self, l0: Sequence[tuple[int, float]]) -> Iterator[Remark]:
        """Where held-out inputs have far more latents, or fewer, than a batch keeps, though there was time, or in the
        end."""
        if self.kept is None:
            return
        off = [(step, value) for step, value in l0 if _far(value, self.kept)]
        late = [each for each in off if _SETTLED <= each[0] < self.training.steps]
        for step, value in [*late[:1], *(each for each in off if each[0] == self.training.steps)]:
            when = "in the end" if step == self.training.steps else "still"
            told = f"at step {step:,} a held-out input has {value:.3g} latents {when}, and k is {self.kept:g}"
            yield _warning("steps", f"{told}: the running threshold that replaces k has not settled. Train longer.")

    def _missed(self, l0: Sequence[tuple[int, float]]) -> Iterator[Remark]:
        """Where the L0 that a penalty was to bring is not there in the end."""
        aim = self.training.target_l0 if isinstance(self.training, JumpReluTraining) else None
        for step, value in l0:
            if aim is not None and step == self.training.steps and _far(value, aim):
                told = f"at step {step:,} a held-out input has {value:.3g} latents in the end, and the aim was {aim:g}"
                yield _warning("target_l0", f"{told}: train longer.")

    def _dead(self, counts: Sequence[tuple[int, float]]) -> Iterator[Remark]:
        window = self.training.dead_window_steps
        for share, step, value in _passed(counts, _DEAD, self.latents):
            many = f"{value:,.0f} of {self.latents:,} latents, more than {share:.0%}"
            yield _warning("latents", f"at step {step:,} {many}, have not been active for {window:,} updates.")

    def _risen(self, losses: Sequence[tuple[int, float]]) -> Iterator[Remark]:
        """While the penalty rises, so does the loss: then only what is worse than nothing learned counts."""
        warmup, best = self.training.sparsity_warmup_steps, None
        for step, value in losses:
            if best is not None and value > _RISEN * best[1] and (best[0] >= warmup or value > losses[0][1]):
                rose = f"the loss is {value:.3g}, {value / best[1]:.3g} times the {best[1]:.3g} of step {best[0]:,}"
                yield _warning("learning_rate", f"at step {step:,} {rose}: it diverges.")
                return
            # What was reached under a weaker penalty is no measure of what comes later.
            if best is None or value < best[1] or best[0] < warmup <= step:
                best = step, value

    @property
    def _strength(self) -> str | None:
        """The field that says how few latents there are to be, of a penalty."""
        if isinstance(self.training, L1Training):
            return "rho" if self.training.l1_alpha is None else "l1_alpha"
        if isinstance(self.training, JumpReluTraining):
            return "l0_alpha" if self.training.target_l0 is None else "target_l0"
        return None


def _passed(
    records: Sequence[tuple[int, float]], shares: Sequence[float], latents: int
) -> Iterator[tuple[float, int, float]]:
    """(share, step, value) where so many of the latents were first passed; of several shares at once the largest.

    shares: ascending.
    """
    left = tuple(shares)
    for step, value in records:
        passed = [share for share in left if value > share * latents]
        if passed:
            yield passed[-1], step, value
            left = left[len(passed) :]


def _far(value: float, aim: float) -> bool:
    return not aim / _MISSED <= value <= aim * _MISSED


def _warning(field: str, message: str) -> Remark:
    return Remark(severity="warning", field=field, message=message)
