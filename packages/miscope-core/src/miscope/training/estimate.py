"""How long a training will take, and how much it will write: known before it starts, as ranges.

Time is measured where trainings of the same family were run here, and a guess from the model's size where none was.
A step of a training takes a + b * work, with work the weights times the examples that they see; neither constant is
known, but each past training bounds the new one: at least and at most its own seconds a step, and these scaled by work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, final

from miscope.errors import BadValue
from miscope.remark import Remark
from miscope.schedule import Adaptive, planned_steps
from miscope.store.ledger import parse
from miscope.training_config import TrainingConfig
from miscope.validation import trained_to

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.family import Family
    from miscope.store.ledger import Ledger
    from miscope.task import Task
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["TAKES_LESS", "Estimate", "PastTraining", "estimate", "past_trainings", "seconds_a_step", "work_of"]

_NEAREST = 5
"""Past trainings that are asked, those of the most similar work."""
_FEWEST = 20
"""Steps that a past training made at least: of fewer the first, which takes far longer, is most of it."""
_LONG = 1800.0
"""Seconds beyond which somebody wants to know."""
_HOURS = 2 * 3600.0
"""Seconds from which on hours are told, and no minutes."""
TAKES_LESS = "With fewer steps, or a smaller batch, it takes less."
"""What the remark on a long training ends with."""
_UNSURE = 1.25
"""By how much the same training may be faster or slower another time, where one alone was measured."""
_SAYS_LITTLE = 10.0
"""How many times as long as the shortest time the longest is where trainings of another size were measured alone."""
_FAST, _SLOW = 300e9, 15e9
"""Floating-point operations a second and thread, between which small models on CPUs seem to be: where a task's exact
algebra leaves some out, or embeddings are only looked up, more than the processor can."""
_OVERHEAD = (2e-4, 5e-3)
"""Seconds of a step without any arithmetic."""
_HEADER = 2048
"""Bytes of a checkpoint beside its weights."""
_ADAM = 3
"""Copies of the weights in a training state: themselves and two moments."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a training will take."""

    weights: int
    """Numbers that are trained."""
    steps: int
    """Updates that are left to do."""
    checkpoints: int
    """Checkpoints that it will write; the least number where the schedule decides on the way."""
    adaptive: bool
    size: int
    """Bytes that these and its state will take."""
    data: int
    """Bytes of its examples, which it holds in memory."""
    seconds: tuple[float, float]
    """Between which it will probably lie."""
    measured: int
    """Past trainings that this comes from; 0: from the model's size alone."""
    remarks: tuple[Remark, ...] = ()
    """What its family says of it, and that it takes long where it does."""

    def facts(self) -> dict[str, object]:
        """As JSON has it."""
        return {**asdict(self), "seconds": list(self.seconds)}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PastTraining:
    """A training that was run here."""

    work: float
    """Weights times examples, as `work_of` counts them."""
    seconds_a_step: float


def estimate(
    workspace: Workspace,
    variant: Variant,
    *,
    steps: int | None = None,
    threads: int = 1,
    pasts: Sequence[PastTraining] | None = None,
) -> Estimate:
    """What training the variant to so many steps will take; None: to its own number. Nothing is written.

    Makes the data and the first weights, and keeps neither; `bounded_estimate` does so in a process of its own. pasts:
    trainings of its family that were run here; None looks for them. Raises BadValue where it cannot be trained here.
    """
    # Not the context's own, which stays in memory for as long as the workspace is open.
    family, config = workspace.context(variant).family, variant.training
    task = family.task(variant)
    if task is None or config is None:
        raise BadValue(
            f"{variant.name} cannot be trained.",
            "Its checkpoints come from elsewhere.",
            "Ask for an estimate of one that can.",
        )
    total, there = config.steps if steps is None else steps, workspace.store.steps(variant.name)
    begun = min(there[-1], total) if there else 0
    aimed = trained_to(variant, total)
    remarks = family.remarks(aimed)
    weights = _shapes(family, variant) if any(each.severity == "error" for each in remarks) else task.initial_weights()
    left, planned = total - begun, planned_steps(config.checkpoints, total)
    # Those before it begins are not made any more.
    new = len([step for step in planned if step >= begun and step not in there])
    pasts = past_trainings(workspace.ledger, variant.family) if pasts is None else pasts
    low, high = _narrowed(pasts, work_of(task, config, weights), threads)
    seconds = (low * left, high * left)
    return Estimate(
        weights=_count(weights),
        steps=left,
        checkpoints=new,
        adaptive=isinstance(config.checkpoints, Adaptive),
        size=_size(weights, new, config),
        data=_data(task),
        seconds=seconds,
        measured=len(pasts),
        remarks=(*remarks, *_long(seconds)),
    )


def seconds_a_step(pasts: Sequence[PastTraining], work: float, *, threads: int = 1) -> tuple[float, float]:
    """Between which a step of so much work lies, by the past trainings of the most similar work; else by a guess."""
    if not pasts:
        operations = 6 * work / threads
        return _OVERHEAD[0] + operations / _FAST, _OVERHEAD[1] + operations / _SLOW
    nearest = sorted(pasts, key=lambda past: max(past.work, work) / max(min(past.work, work), 1.0))[:_NEAREST]
    bounds = [past.seconds_a_step * factor for past in nearest for factor in (1.0, work / max(past.work, 1.0))]
    low, high = min(bounds), max(bounds)
    return (low, high) if high > _UNSURE**2 * low else (low / _UNSURE, high * _UNSURE)


def _narrowed(pasts: Sequence[PastTraining], work: float, threads: int) -> tuple[float, float]:
    """Seconds a step; those of trainings that say little of so much work are held against the guess."""
    low, high = seconds_a_step(pasts, work, threads=threads)
    if high <= _SAYS_LITTLE * low:
        return low, high
    least, most = seconds_a_step([], work, threads=threads)
    both = max(low, least), min(high, most)
    # Two ranges that hardly meet do not agree.
    return both if both[1] > _UNSURE**2 * both[0] else (low, high)


def work_of(task: Task, config: TrainingConfig, weights: Mapping[str, Tensor]) -> float:
    """What a step costs, in weights times examples: three passes over an update, one over all when evaluated.

    Examples that are drawn anew are made first; of these what is recorded is seen already.
    """
    count, stream = len(task.train), task.stream
    size = count if config.batch_size is None else config.batch_size
    seen, recorded = (min(size, count), count) if stream is None else (size, 0)
    made = 0.0 if stream is None else stream.work * seen / 3
    return _count(weights) * (seen + (recorded + len(task.test)) / 3 / config.evaluate_every) + made


def past_trainings(ledger: Ledger, family: str) -> list[PastTraining]:
    """Trainings of the family that the ledger has, the latest first, with how long a step of each took."""
    names = [name for name in reversed(ledger.runs()) if "-train-" in name]
    found = (_past(list(parse((ledger.folder / f"{name}.jsonl").read_bytes())), family) for name in names)
    return [past for past in found if past is not None]


def _past(lines: Sequence[Mapping[str, Any]], family: str) -> PastTraining | None:
    """What the lines of one run tell; None where it is of another family, or went no way."""
    first = lines[0] if lines else {}
    work = first.get("work")
    if work is None or str(first.get("variant", "")).partition("/")[0] != family:
        return None
    pace = _pace(lines)
    return None if pace is None else PastTraining(work=float(work), seconds_a_step=pace)


def _pace(lines: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds a step from the first checkpoint to the last; None where these are few, or the clock was set back."""
    marks = [line for line in lines if line.get("event") == "checkpoint"]
    if len(marks) < 2:
        return None
    began, ended = (datetime.fromisoformat(str(mark["time"])) for mark in (marks[0], marks[-1]))
    steps, passed = int(marks[-1]["step"]) - int(marks[0]["step"]), (ended - began).total_seconds()
    return passed / steps if steps >= _FEWEST and passed > 0 else None


def _shapes(family: Family, variant: Variant) -> dict[str, Tensor]:
    """Of the weights of what cannot be trained so, without their numbers: memory may not hold these."""
    import torch

    roles = family.model(variant.params).roles
    return {name: torch.empty(role.shape, device="meta") for name, role in roles.items()}


def _count(weights: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in weights.values())


def _long(seconds: tuple[float, float]) -> tuple[Remark, ...]:
    """That it takes long, where it probably does."""
    if math.sqrt(seconds[0] * seconds[1]) <= _LONG:
        return ()
    told = f"it will probably take {_span(*seconds)}. {TAKES_LESS}"
    return (Remark(severity="warning", field="steps", message=told),)


def _span(low: float, high: float) -> str:
    """'24 to 38 minutes', '40 minutes to 3 hours', '2 to 5 hours'."""
    minutes, hours = ((max(1, math.floor(low / unit)), math.ceil(high / unit)) for unit in (60, 3600))
    if high < _HOURS:
        return f"{minutes[0]} to {minutes[1]} minutes"
    first = f"{hours[0]:,}" if low >= _HOURS else f"{minutes[0]} minute{'s' * (minutes[0] != 1)}"
    return f"{first} to {hours[1]:,} hours"


def _size(weights: Mapping[str, Tensor], checkpoints: int, config: TrainingConfig) -> int:
    of_weights = sum(tensor.numel() * tensor.element_size() for tensor in weights.values())
    states = checkpoints + 1 if config.save_optimizer else 1
    return checkpoints * (of_weights + _HEADER) + states * _ADAM * of_weights


def _data(task: Task) -> int:
    tensors = [t for part in (task.train, task.test) for t in (part.inputs, part.labels) if t is not None]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
