"""One field of the form that runs are asked for by, and which there are for a family. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from miscope.family import Family
from miscope.field_docs import field_docs
from miscope.field_text import allowed, inner_type, separator, written_value
from miscope.learning_rate import RateFields
from miscope.optimizers import OptimizerFields
from miscope.schedule import parse_schedule, written
from miscope.studies.study_fields import StudyAnalysis, StudyFields, StudyTraining
from miscope.training_config import TrainingConfig
from miscope_panel.shown.launching.built_on import built_on

__all__ = ["FAMILY", "PARTS", "FormField", "defaults_of", "form_fields", "info_of", "model_of", "trained_here", "typed"]

FAMILY = "study.family"
"""The field that says which family; the others are by its names, or begin with the name of one of PARTS."""
PARTS: Mapping[str, type[BaseModel]] = {"study": StudyFields, "train": StudyTraining, "analyze": StudyAnalysis}
"""What a study says beside fields of its family, by what such fields begin with."""
_SHOWN = {
    "Runs": ("study.name", "study.description", "study.run_name", "train.label"),
    "How it is run": ("train.device", "train.threads", "train.compile", "train.watch", "train.log_every"),
    "Analysis": ("analyze.analyzers", "analyze.steps", "analyze.options", "analyze.executor"),
}
_IN_WORDS = (str, *(inner_type(StudyAnalysis.model_fields[name]) for name in ("steps", "options")))
"""Types that what is written under their fields says better."""
_FIRST = ("learning_rate", "weight_decay", "optimizer")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field as it is shown: texts of a whole number, of a list, of one of several words."""

    name: str
    """Of the family's field; else its part of the study before it: 'train.device'."""
    group: str
    """The heading that it stands under."""
    help: str
    """What is written under the field in its source."""
    allowed: str
    """'a whole number, >= 3'; what it is by default is shown in the field."""
    default: str
    """As one types it; "" where it has none."""
    required: bool
    choices: tuple[str, ...] = ()
    """The words that it may be; () for any text."""
    sweeps: str = ""
    """What parts several values, of which each makes runs of its own; "" where there can be but one."""


def model_of(family: Family, name: str) -> type[BaseModel] | None:
    """The model that the field of that name is of; None where the family has no such field."""
    part, dot, own = name.partition(".")
    models = (PARTS[part],) if dot and part in PARTS else (family.params, family.training_config)
    return next((model for model in models if (own if dot else name) in model.model_fields), None)


def info_of(family: Family, name: str) -> FieldInfo:
    """What pydantic knows of that field; of one that there is not, nothing."""
    model = model_of(family, name)
    return FieldInfo() if model is None else model.model_fields[name.rpartition(".")[2]]


def trained_here(family: Family) -> bool:
    """Whether its models are trained; as far as that can be told without values for its parameters."""
    lacks = any(info.is_required() for info in family.params.model_fields.values())
    return not family.described and (lacks or family.training(family.params()) is not None)


def form_fields(family: Family) -> tuple[FormField, ...]:
    """Every field of a family that is trained here, in the order in which they are shown."""
    usual, on = defaults_of(family), built_on(family)
    first = () if on is None else on.fields
    own = [name for name in family.params.model_fields if name not in first]
    found = [
        *(_field(family.params, name, name, group="Built on") for name in first),
        *(_field(family.params, name, name, group="Model") for name in own),
        *_training(family),
        *_beside(),
    ]
    return tuple(_with_default(field, usual) for field in found)


def defaults_of(family: Family) -> dict[str, str]:
    """The training that the family gives, as one types it; {} where that hangs on a parameter without a default."""
    if any(info.is_required() for info in family.params.model_fields.values()):
        return {}
    training = family.training(family.params())
    return {} if training is None else typed(training)


def typed(training: TrainingConfig) -> dict[str, str]:
    """The fields of a training as one types them."""
    schedule = written(training.checkpoints)
    plain = parse_schedule(schedule) == training.checkpoints
    told = {name: written_value(value) for name, value in training.model_dump(mode="json").items() if value is not None}
    return {**told, **({"checkpoints": schedule} if plain else {})}


def _training(family: Family) -> Iterator[FormField]:
    kind = family.training_config
    names = [*_FIRST, *(name for name in kind.model_fields if name not in _FIRST)]
    for group in ("Length and checkpoints", "Training", "Optimizer", "Learning rate"):
        yield from (_field(kind, name, name, group=group) for name in names if _group(kind, name) == group)


def _group(kind: type[TrainingConfig], name: str) -> str:
    extra = kind.model_fields[name].json_schema_extra
    if isinstance(extra, dict) and extra.get("identity") is False:
        return "Length and checkpoints"
    if name in _FIRST or name not in {**OptimizerFields.model_fields, **RateFields.model_fields}:
        return "Training"
    return "Optimizer" if name in OptimizerFields.model_fields else "Learning rate"


def _beside() -> Iterator[FormField]:
    for group, names in _SHOWN.items():
        for name in names:
            part, _, own = name.partition(".")
            yield _field(PARTS[part], own, name, group=group)


def _field(model: type[BaseModel], own: str, name: str, *, group: str) -> FormField:
    info = model.model_fields[own]
    return FormField(
        name=name,
        group=group,
        help=field_docs(model).get(own, ""),
        allowed="" if inner_type(info) in _IN_WORDS else allowed(info).partition(", by default")[0],
        default="" if info.is_required() or info.default is None else _default(info),
        required=info.is_required(),
        choices=_choices(info),
        sweeps="" if "." in name else separator(info),
    )


def _default(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True)
    return "" if value in ((), {}) or isinstance(value, BaseModel) else written_value(value)


def _choices(info: FieldInfo) -> tuple[str, ...]:
    inner = inner_type(info)
    if inner is bool:
        return ("true", "false")
    return tuple(map(str, get_args(inner))) if get_origin(inner) is Literal else ()


def _with_default(field: FormField, usual: Mapping[str, str]) -> FormField:
    return replace(field, default=usual[field.name]) if field.name in usual else field
