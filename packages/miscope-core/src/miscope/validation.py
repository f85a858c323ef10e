"""What pydantic refuses, said in three parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from miscope.errors import BadValue, UnknownName
from miscope.family import Family, make_variant
from miscope.field_text import allowed, is_list, read_value
from miscope.slug import abbreviation
from miscope.training_config import TrainingConfig
from miscope.variant import Variant

__all__ = ["checked_variant", "refusal", "split_fields"]


def split_fields(family: Family, fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that are the family's parameters, and those of its training; UnknownName for any other."""
    params, training = family.params.model_fields, TrainingConfig.model_fields
    for name in fields:
        if name not in params and name not in training:
            listing = f"{family.name} takes {', '.join(params) or 'no parameters'}; training: {', '.join(training)}."
            meant = _abbreviations(family).get(name)
            raise UnknownName("field", name, [*params, *training], listing=listing, meant=meant)
    return (
        {name: value for name, value in fields.items() if name in params},
        {name: value for name, value in fields.items() if name not in params},
    )


def _abbreviations(family: Family) -> dict[str, str]:
    """The fields by what they are called in a variant's name: 'lr', 'wd', 'p'."""
    fields = {**TrainingConfig.model_fields, **family.params.model_fields}
    return {short: name for name, info in fields.items() if (short := abbreviation(info)) is not None}


def checked_variant(family: Family, params: Mapping[str, Any], training: Mapping[str, Any] | None = None) -> Variant:
    """The variant of these values, text read as their types have it; BadValue where one is refused."""
    try:
        variant = make_variant(family, _read(family.params, params), _read(TrainingConfig, training or {}))
    except ValidationError as error:
        models = (family.params, TrainingConfig)
        raise refusal(
            error, family.name, next((m for m in models if m.__name__ == error.title), family.params)
        ) from None
    if training and variant.training is None:
        raise BadValue(
            f"{family.name} is not trained here, so {next(iter(training))!r} means nothing to it.",
            "Its checkpoints come from elsewhere.",
            f"Leave out: {', '.join(training)}.",
        )
    return variant


def _read(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    fields = model.model_fields
    return {n: read_value(fields[n], v) if n in fields and is_list(fields[n]) else v for n, v in given.items()}


def refusal(error: ValidationError, subject: str, model: type[BaseModel]) -> BadValue:
    """The first thing refused: which field, what it may be, what to do."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if not name:
        return BadValue(f"{subject} refuses these values: {reason}.", f"It takes: {_names(model)}.", _TODO)
    info = model.model_fields.get(name)
    known = f"It takes: {_names(model)}." if info is None else f"{name!r} is {allowed(info)}."
    given = "" if first["type"] == "missing" else f"={first['input']!r}"
    return BadValue(f"{subject} refuses {name}{given}: {reason}.", known, _TODO)


_TODO = "Change it and try again; nothing was written."


def _names(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)
