"""What is refused of values, said in three parts, with the field that it is of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError, create_model, field_validator
from pydantic.fields import FieldInfo

from miscope.errors import BadValue, UnknownName
from miscope.family import Family, make_variant
from miscope.field_text import allowed, is_list, read_value, shortened, why_refused, written_value
from miscope.slug import abbreviation, check_name
from miscope.variant import Variant

__all__ = [
    "about",
    "checked_name",
    "checked_variant",
    "first_taken",
    "invalid_fields",
    "read_field",
    "refuse_unused",
    "split_fields",
    "trained_to",
]


@contextmanager
def about(field: str) -> Iterator[None]:
    """Whatever is unknown or refused meanwhile, as the refusal of that field of a request."""
    try:
        yield
    except (UnknownName, BadValue) as error:
        what, known, todo = [*str(error).split("\n", 2), "", ""][:3]
        below = getattr(error, "field", "")
        raise BadValue(what, known, todo, field=f"{field}.{below}" if below else field) from None


def first_taken(params: type[BaseModel], name: str, values: Iterable[object]) -> Any:
    """The first of these values that the parameter takes, whatever else is lacking; None where it takes none."""
    for value in values:
        try:
            params.model_validate({name: value})
        except ValidationError as error:
            if any(each["loc"][:1] == (name,) for each in error.errors(include_url=False)):
                continue
        return value
    return None


def checked_name(name: str) -> str:
    """The name of a run or a study, if it may become part of a path; BadValue otherwise."""
    try:
        return check_name(name)
    except ValueError as error:
        raise BadValue(
            f"It cannot be called {name!r}.", f"Names become parts of paths: {error}.", "Choose another."
        ) from None


def split_fields(
    family: Family, fields: Mapping[str, Any], *, unlisted: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that are the family's parameters, and those of its training; UnknownName for any other.

    unlisted: names that are given in another way, and so are not offered.
    """
    params, training = family.params.model_fields, family.training_config.model_fields
    for name in fields:
        if name not in params and name not in training:
            own = [each for each in params if each not in unlisted]
            listing = f"{family.name} takes {', '.join(own) or 'no parameters'}; training: {shortened(list(training))}"
            meant, all_of_them = _abbreviations(family).get(name), f"`miscope families {family.name}` lists them."
            raise UnknownName("field", name, [*own, *training], listing=f"{listing}. {all_of_them}", meant=meant)
    return (
        {name: value for name, value in fields.items() if name in params},
        {name: value for name, value in fields.items() if name not in params},
    )


def _abbreviations(family: Family) -> dict[str, str]:
    """The fields by what they are called in a variant's name: 'lr', 'wd', 'p'."""
    fields = {**family.training_config.model_fields, **family.params.model_fields}
    return {short: name for name, info in fields.items() if (short := abbreviation(info)) is not None}


def checked_variant(family: Family, params: Mapping[str, Any], training: Mapping[str, Any] | None = None) -> Variant:
    """The variant of these values, text read as their types have it; BadValue where one is refused."""
    try:
        given = _read(family.training_config, training or {})
        variant = make_variant(family, _read(family.params, params), given)
    except ValidationError as error:
        models = (family.params, family.training_config)
        model = next((m for m in models if m.__name__ == error.title), family.params)
        usual = {} if model is family.params else _usual_training(family, params)
        raise invalid_fields(error, family.name, model, usual) from None
    if training and variant.training is None:
        raise BadValue(
            f"{family.name} is not trained here, so {next(iter(training))!r} means nothing to it.",
            "Its checkpoints come from elsewhere.",
            f"Leave out: {', '.join(training)}.",
        )
    return variant


def trained_to(variant: Variant, steps: int) -> Variant:
    """The variant with a training of so many updates in all; BadValue where no training of its family is so long.

    One that was not checked would be written, and could not be opened any more.
    """
    training, usual = variant.training, variant.default_training
    if training is None:
        return variant
    kind = type(training)
    try:
        longer = kind.model_validate({**training.model_dump(), "steps": steps})
    except ValidationError as error:
        defaults = {} if usual is None else {name: getattr(usual, name) for name in kind.model_fields}
        raise invalid_fields(error, variant.family, kind, defaults) from None
    return replace(variant, training=longer)


def read_field(model: type[BaseModel], name: str, given: object) -> object:
    """A value of one field, by its type and what checks this field alone; BadValue where it is refused.

    What the model asks of several fields together is not asked: the others are not known.
    """
    info = model.model_fields[name]
    checks: dict[str, Any] = {
        each.cls_var_name: field_validator(name, mode=each.info.mode)(staticmethod(each.func))
        for each in model.__pydantic_decorators__.field_validators.values()
        if name in each.info.fields
    }
    field: dict[str, Any] = {name: (info.annotation, info)}
    alone = create_model(model.__name__, __config__=model.model_config, __validators__=checks, **field)
    try:
        return getattr(alone.model_validate(_read(model, {name: given})), name)
    except ValidationError as error:
        raise invalid_fields(error, None, model) from None


def refuse_unused(variant: Variant, given: Iterable[str]) -> None:
    """BadValue where one of these training fields is set and its optimizer, or its schedule, does nothing with it.

    Apart from `checked_variant`: what is stored and what a foreign file says is read as it is.
    """
    training, default = variant.training, variant.default_training
    if training is None or default is None:
        return
    idle = training.idle_fields()
    for name in given:
        value = getattr(training, name)
        if name in idle and value not in (getattr(default, name), type(training).model_fields[name].default):
            raise BadValue(
                f"{name}={written_value(value)} means nothing to a training with optimizer={training.optimizer} and "
                f"lr_schedule={training.lr_schedule}.",
                f"It is of {idle[name]}.",
                f"Leave {name} out, or choose what uses it.",
                field=name,
            )


def _usual_training(family: Family, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The training that the family gives such parameters, by field; {} where it gives none."""
    training = family.training(family.params.model_validate(_read(family.params, params)))
    return {} if training is None else {name: getattr(training, name) for name in type(training).model_fields}


def _read(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    fields = model.model_fields
    return {n: read_value(fields[n], v) if n in fields and is_list(fields[n]) else v for n, v in given.items()}


def invalid_fields(
    error: ValidationError, refused_by: str | None, model: type[BaseModel], usual: Mapping[str, Any] | None = None
) -> BadValue:
    """The first thing refused: which field, what it may be, what to do.

    refused_by: a family; None where the field alone is spoken of. usual: defaults in place of the model's.
    """
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    reason = why_refused(first)
    if not name:
        whole = f"{refused_by or model.__name__} refuses these values: {reason}."
        return BadValue(whole, f"It takes: {_names(model)}.", _TODO)
    info = model.model_fields.get(name)
    known = f"It takes: {_names(model)}." if info is None else f"{name!r} is {_allowed(info, name, usual or {})}."
    given = "" if first["type"] == "missing" else f"={_short(repr(first['input']))}"
    what = f"{refused_by} refuses {name}{given}" if refused_by else f"{name}{given} is refused"
    return BadValue(f"{what}: {reason}.", known, _TODO, field=name)


def _allowed(info: FieldInfo, name: str, usual: Mapping[str, Any]) -> str:
    return allowed(info, default=usual[name]) if name in usual else allowed(info)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_LONGEST = 200
"""Characters of a value that a reader will go through."""
_TODO = "Change it and try again; nothing was written."


def _names(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)
