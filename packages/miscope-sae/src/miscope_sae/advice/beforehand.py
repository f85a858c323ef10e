"""What is known of a training before it begins: what cannot work, what looks unwise, and what its fields come to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from miscope import Remark
from miscope.schedule import Every, Explicit, planned_steps
from miscope_sae.advice.jump_sizes import bandwidth, first_threshold, l0_strength
from miscope_sae.advice.lengths import length_fields
from miscope_sae.advice.stream_remarks import of_stream
from miscope_sae.params import INPUTS_A_LATENT
from miscope_sae.rows.distinct import alike
from miscope_sae.seed_ranges import LATENT_RATIO, out_of_range
from miscope_sae.setting import Setting
from miscope_sae.terms import l1_strength, rows_at_once
from miscope_sae.training import JumpReluTraining, L1Training, TopKTraining

if TYPE_CHECKING:
    from pydantic import BaseModel

    from miscope_sae.rows.source_rows import SourceRows
    from miscope_sae.rows.training_rows import TrainingRows

__all__ = ["Beforehand"]

_RHO, _RHO_USUAL = (0.03, 0.3), 0.1
"""Between which an L1 penalty finds features: below an autoencoder copies, above latents are shrunk to nothing."""
_FLOAT = 4
_SHARE_OF_MEMORY = 0.8
_MEASURED = 4
"""Arrays at once of the latents that are measured: before and after, and the latter in double precision."""
_OF_INPUTS = 6
"""Arrays of their size: inputs, parts of them, what is encoded, what is reconstructed, the error."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Beforehand:
    """A training that is about to begin."""

    setting: Setting
    params: BaseModel
    rows: TrainingRows
    """What it is shown."""
    held: tuple[float, float]
    """(inputs, latents) arrays at once, while the loss is measured and in an update."""
    sources: Sequence[SourceRows]
    """What it is built on."""
    free: int
    """Bytes of memory that nobody uses."""

    @property
    def weights(self) -> int:
        """Numbers that are trained."""
        return sum(math.prod(shape) for shape in self.setting.shapes.values())

    def remarks(self) -> Iterator[Remark]:
        """Errors, warnings, and what fields come to."""
        yield from self._errors()
        yield from self._ranges()
        yield from of_stream(self.rows.stream, self._batch) if self.rows.stream else self._of_probe()
        yield from self._penalty()
        yield from self._schedules()
        yield from self._sizes()
        yield from self._sparsity()

    @property
    def memory(self) -> int:
        """Bytes: weights, their gradient and Adam's two averages; latents of all inputs trained on, where the loss is
        measured, and of an update, or, where that is more, what Adam's step is computed in, as much as the weights;
        the inputs, whole, in two parts, normalised and reconstructed.

        With a stream those held out are measured, and an update's are beside them. While few latents are dead; those
        learn by further arrays where there is an `aux_alpha`.
        """
        stream, latents, (measuring, updating) = self.rows.stream, self.setting.latents, self.held
        batch, seen = self._batch, len(self.setting.rows() if stream is None else self.rows.test)
        # Where all are of an update, that one's latents are those that are measured.
        part = min(max(seen, batch) if stream else seen, rows_at_once(latents))
        beside = (2 * batch if stream or batch < seen else 0) + _MEASURED * part
        rows = max(measuring * seen + beside, updating * batch)
        inputs = self.rows.inputs.numel() + (batch * self.rows.inputs[:1].numel() if stream else 0)
        besides = max(latents * rows, self.weights)
        return round(_FLOAT * (4 * self.weights + besides + _OF_INPUTS * inputs)) + self._of_sources

    @property
    def _of_sources(self) -> int:
        """Bytes of their own inputs, and of the activations of several, which were put side by side."""
        apart = self.sources if len(self.sources) > 1 else ()
        return self.sources[0].source.probe.inputs.nbytes + sum(rows.all.nbytes for rows in apart)

    @property
    def _batch(self) -> int:
        """Inputs of an update."""
        seen, size = len(self.setting.rows()), self.setting.training.batch_size
        most = seen if size is None else size
        return min(most, seen) if self.rows.stream is None else most

    @cached_property
    def _alike(self) -> np.ndarray:
        """(N,) a number for each input, the same for those that are no different."""
        return alike(self.rows.inputs.flatten(1).numpy())

    @property
    def _distinct(self) -> int:
        return int(self._alike.max()) + 1

    def _errors(self) -> Iterator[Remark]:
        latents = self.setting.latents
        if (k := self._kept) is not None and k > latents:
            yield _error("k", f"{k:g} latents cannot be kept of {latents}.")
        aim = getattr(self.setting.training, "target_l0", None)
        if aim is not None and aim > latents:
            yield _error("target_l0", f"{aim:g} latents cannot be active of {latents}.")
        if self.memory > _SHARE_OF_MEMORY * self.free:
            room = f"80 % of what is free here is {_bytes(_SHARE_OF_MEMORY * self.free)}"
            yield _error("latents", f"it takes about {_bytes(self.memory)} of memory, and {room}.")

    def _ranges(self) -> Iterator[Remark]:
        """What lies outside, where that is allowed; elsewhere it was refused.

        Fewer latents than usual are no news where there are too few inputs for more.
        """
        training = self.setting.training
        values = {name: getattr(training, name) for name in type(training).model_fields}
        # Fewer updates than usual are what a training is warm for.
        for name, told in out_of_range(values | ({"steps": None} if self._warm else {})).items():
            yield _warning(name, f"{told}, its usual range.")
        least, most = (ratio * self.setting.width for ratio in LATENT_RATIO)
        enough = self.rows.stream is not None or least * INPUTS_A_LATENT <= self._distinct
        few = self.setting.latents < least and enough
        if few or self.setting.latents > most:
            told = f"{self.setting.latents} is outside {least} to {most}, its usual range"
            yield _warning("latents", f"{told}: {LATENT_RATIO[0]} to {LATENT_RATIO[1]} times the width.")

    def _of_probe(self) -> Iterator[Remark]:
        yield from self._inputs()
        yield from self._held_out()

    def _inputs(self) -> Iterator[Remark]:
        latents, distinct, all_of_them = self.setting.latents, self._distinct, len(self.rows.inputs)
        if latents * INPUTS_A_LATENT <= distinct:
            return
        there = f"{distinct:,} distinct inputs" + (f" among {all_of_them:,}" if distinct < all_of_them else "")
        short = "fewer than latents" if distinct < latents else f"fewer than {INPUTS_A_LATENT} for each latent"
        usual = LATENT_RATIO[1] * self.setting.width
        advice = f"{min(max(1, distinct // INPUTS_A_LATENT), usual):,} latents would have {INPUTS_A_LATENT} each"
        yield _warning("latents", f"{latents:,} for {there}, {short}: a latent can learn one by heart. {advice}.")

    def _held_out(self) -> Iterator[Remark]:
        """Of rows by position: inputs that begin alike have the same activations up to where they part."""
        held = ~self.rows.kept
        copies = int(np.isin(self._alike[held], self._alike[self.rows.kept]).sum())
        if getattr(self.params, "positions", "answer") == "all" and copies:
            what = f"{copies:,} of {int(held.sum()):,} rows held out are the same as rows trained on"
            yield _warning("positions", f"{what}, of other inputs: these do not tell how new rows fare.")

    def _penalty(self) -> Iterator[Remark]:
        training = self.setting.training
        if isinstance(training, L1Training):
            rho, (least, most) = self._rho(training), _RHO
            if not least <= rho <= most:
                why = "inputs are copied and no feature is found" if rho < least else "latents shrink or die"
                usual = 2 * _RHO_USUAL * self.setting.typical_latent(training.expected_l0) / self._width_out
                yield _warning(
                    "rho" if training.l1_alpha is None else "l1_alpha",
                    f"the penalty takes a share rho={rho:.3g} of a typical latent; outside {least} to {most} {why}. "
                    f"Usual is rho={_RHO_USUAL}, here l1_alpha={usual:.3g}.",
                )
        if isinstance(training, TopKTraining) and training.resample_steps and training.aux_alpha:
            yield _warning("resample_steps", "dead latents learn by aux_alpha already; one of the two is enough.")

    def _schedules(self) -> Iterator[Remark]:
        training, steps = self.setting.training, self.setting.training.steps
        warmup, kept = training.sparsity_warmup_steps, training.checkpoints
        if isinstance(training, L1Training | JumpReluTraining) and not warmup and not self._warm:
            usual = f"{length_fields(steps)['sparsity_warmup_steps']} updates, a twentieth of all, are usual"
            yield _warning("sparsity_warmup_steps", f"the penalty is whole at once, which kills latents; {usual}.")
        if isinstance(training, L1Training | JumpReluTraining) and warmup > steps:
            yield _warning("sparsity_warmup_steps", f"of {warmup:,} for {steps:,}, the penalty never becomes whole.")
        if isinstance(kept, Every) and kept.n > steps:
            yield _warning("checkpoints", f"every {kept.n:,} steps of {steps:,}: only the first and the final one.")
        beyond = [f"{step:,}" for step in kept.steps if step > steps] if isinstance(kept, Explicit) else []
        if beyond:
            are, reached = ("is", "is never reached") if len(beyond) == 1 else ("are", "are never reached")
            yield _warning(
                "checkpoints", f"{', '.join(beyond)} {are} beyond the last of {steps:,} updates, and {reached}."
            )

    def _sizes(self) -> Iterator[Remark]:
        setting, training = self.setting, self.setting.training
        times = f"{setting.latents / setting.width:.3g} times the width {setting.width}"
        took = f"{self.weights:,} weights, about {_bytes(self.memory)} of memory"
        yield _info("latents", f"{setting.latents:,}, {times}; {took}.")
        yield _info("batch_size", self._shown if self.rows.stream is None else self._drawn)
        rises = f"rises over {training.warmup_steps:,} updates" if training.warmup_steps else "begins at once"
        falls = f"falls over the last {training.lr_decay_steps:,}" if training.lr_decay_steps else "does not fall"
        yield _info("learning_rate", f"{training.learning_rate:g}, {rises} and {falls}.")
        kept = len(planned_steps(training.checkpoints, training.steps))
        yield _info("checkpoints", f"{kept:,}, the first and the final one among them.")
        window = f"{training.dead_window_steps:,} updates without an activation"
        yield _info("dead_window_steps", f"a latent is dead after {window}.")

    @property
    def _shown(self) -> str:
        """Which inputs are trained on, and how often."""
        seen, batch, steps = len(self.setting.rows()), self._batch, self.setting.training.steps
        trained = f"of {len(self.rows.inputs):,} inputs, {self._distinct:,} of them distinct, {seen:,} are trained on"
        times = f"each is seen {steps * batch / seen:,.0f} times in {steps:,} updates"
        return f"{trained}, {'all' if batch == seen else f'{batch:,}'} an update; {times}."

    @property
    def _drawn(self) -> str:
        """How many are drawn, and what is measured."""
        batch, steps, (held, there) = self._batch, self.setting.training.steps, (self.rows.test, self.rows.inputs)
        drawn = f"{batch:,} drawn anew an update, {steps * batch:,} in {steps:,} updates"
        return f"{drawn}; measured are the {len(held):,} of {len(there):,} of the probe that are held out."

    def _sparsity(self) -> Iterator[Remark]:
        """The numbers that a penalty or a count comes to, and what others call them."""
        setting, training = self.setting, self.setting.training
        rises = f"rises over {training.sparsity_warmup_steps:,} updates"
        if isinstance(training, L1Training):
            strength, rho = self._lambda(training), self._rho(training)
            named = f"lambda={strength:.4g}, SAELens' l1_coefficient, {rises}"
            shrinks = f"rho={rho:.3g} with expected_l0={training.expected_l0:g}"
            yield _info("l1_alpha", f"{strength / self._width_out:.3g}; {named}; {shrinks}.")
        elif isinstance(training, JumpReluTraining):
            aim = training.target_l0
            named = f"lambda={l0_strength(setting):.4g} {rises}" + (f"; it aims at L0={aim:g}" if aim else "")
            first = f"thresholds begin at {first_threshold(setting):.3g}"
            yield _info("l0_alpha", f"{named}; {first} and move in a window of {bandwidth(setting):.3g}.")
        if (k := self._kept) is not None:
            yield _info("k", f"{k:g} of {setting.latents:,} latents an input, {k / setting.latents:.3%}.")

    @property
    def _warm(self) -> bool:
        """Whether it begins with weights already trained."""
        return getattr(self.params, "warm", None) is not None

    @property
    def _kept(self) -> float | None:
        """Latents an input keeps, where these are counted."""
        return getattr(self.params, "k", None)

    def _lambda(self, training: L1Training) -> float:
        return l1_strength(self.setting, training.l1_alpha, training.rho, training.expected_l0)

    def _rho(self, training: L1Training) -> float:
        return self._lambda(training) / (2 * self.setting.typical_latent(training.expected_l0))

    @property
    def _width_out(self) -> float:
        """Numbers in what is reconstructed: the squared norm that it has after normalisation."""
        return self.setting.typical_latent(1.0) ** 2


def _error(field: str, message: str) -> Remark:
    return _remark("error", field, message)


def _warning(field: str, message: str) -> Remark:
    return _remark("warning", field, message)


def _info(field: str, message: str) -> Remark:
    return _remark("info", field, message)


def _remark(severity: Literal["error", "warning", "info"], field: str, message: str) -> Remark:
    return Remark(severity=severity, field=field, message=message)


def _bytes(size: float) -> str:
    return f"{size / 1e9:.2g} GB" if size >= 1e8 else f"{size / 1e6:.2g} MB"
