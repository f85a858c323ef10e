"""What is said of an autoencoder's training by what is recorded of it: many latents, dead ones, a rising loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from miscope import Remark, TrainingSoFar
from miscope_sae.advice.told_once import Collapsed, Dead, Dense, Missed, Risen, ToldOnce, Unsettled
from miscope_sae.training import JumpReluTraining, L1Training, SparseTraining

__all__ = ["UnderWay", "under_way"]


@final
@dataclass(frozen=True)
class UnderWay(TrainingSoFar):
    """What may be said of a training, each with the metric by which it is."""

    rules: tuple[tuple[str, ToldOnce], ...]

    def after(self, step: int, metrics: Mapping[str, float]) -> tuple[UnderWay, Sequence[Remark]]:
        rules: list[tuple[str, ToldOnce]] = []
        said: list[Remark] = []
        for metric, rule in self.rules:
            changed, message = rule.after(step, metrics[metric]) if metric in metrics else (rule, None)
            rules.append((metric, changed))
            if message is not None:
                said.append(Remark(severity="warning", field=rule.field, message=message))
        return UnderWay(tuple(rules)), said


def under_way(training: SparseTraining, latents: int, *, kept: float | None = None) -> UnderWay:
    """Of a training before its first record.

    kept: latents that an input keeps on average, where once trained a running threshold decides which.
    """
    by_metric = {
        "test_l0": _of_l0(training, latents, kept),
        "test_dead_neurons": [Dead(latents=latents, window=training.dead_window_steps)],
        "train_loss": [Risen(warmup=training.sparsity_warmup_steps)],
    }
    return UnderWay(tuple((metric, rule) for metric, rules in by_metric.items() for rule in rules))


def _of_l0(training: SparseTraining, latents: int, kept: float | None) -> Iterator[ToldOnce]:
    # Where a penalty makes latents few; elsewhere their number was chosen.
    if (field := _strength(training)) is not None:
        yield Dense(field=field, latents=latents, warmup=training.sparsity_warmup_steps)
    yield Collapsed(latents=latents, steps=training.steps)
    if kept is not None:
        yield Unsettled(kept=kept, steps=training.steps)
    if isinstance(training, JumpReluTraining) and training.target_l0 is not None:
        yield Missed(aim=training.target_l0, steps=training.steps)


def _strength(training: SparseTraining) -> str | None:
    """The field that says how few latents there are to be, of a penalty."""
    if isinstance(training, L1Training):
        return "rho" if training.l1_alpha is None else "l1_alpha"
    if isinstance(training, JumpReluTraining):
        return "l0_alpha" if training.target_l0 is None else "target_l0"
    return None
