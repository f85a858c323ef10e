"""A training's request as the command that asks for the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from miscope.errors import BadValue
from miscope.field_text import written_value
from miscope.schedule import Schedule, parse_schedule, written

if TYPE_CHECKING:
    from miscope.train_request import TrainRequest

__all__ = ["training_command"]


def training_command(request: TrainRequest) -> str:
    """`miscope train ...`; BadValue for a request that no command line can say."""
    if request.interventions:
        raise BadValue(
            "No command line asks for this training.",
            f"It is under interventions that are given by name: {', '.join(request.interventions)}.",
            "Take it as JSON (over HTTP: format=json).",
        )
    return shlex.join(["miscope", "train", request.family, *_words(request)])


def _words(request: TrainRequest) -> Iterator[str]:
    yield from _assigned(request.params)
    for word in _assigned(_with_schedule(request.training)):
        yield from ("--set", word)
    given = {
        "--steps": request.steps,
        "--as": request.label,
        "--threads": request.threads,
        "--log-every": request.log_every,
    }
    for option, value in given.items():
        if value is not None:
            yield from (option, str(value))
    if request.device != "auto":
        yield from ("--device", request.device)
    flags = {"--no-resume": not request.resume, "--warm": request.warm, "--compile": request.compile}
    yield from (flag for flag, wanted in flags.items() if wanted)
    for watched in request.watch:
        yield from ("--watch", watched)


def _with_schedule(training: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """The fields, with a schedule of checkpoints as one types it where that says all of it."""
    told = training.get("checkpoints")
    if not isinstance(told, dict):
        return training
    schedule = TypeAdapter(Schedule).validate_python(told)
    text = written(schedule)
    return {**training, "checkpoints": text} if parse_schedule(text) == schedule else training


def _assigned(fields: Mapping[str, object]) -> Iterator[str]:
    yield from (f"{name}={written_value(value)}" for name, value in fields.items())
