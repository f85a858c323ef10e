"""A variant's folder name, made of its values so that no two variants have the same one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from miscope.recipe import digest
from miscope.training_config import TrainingConfig

__all__ = ["NAME_PATTERN", "abbreviation", "check_name", "plain_slug", "slug"]

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+,=@-]{0,149}")
"""Names that may become part of a path: no separators, no leading dot, no surprises."""

_MARK = "++"
"""Before the digest of a value that its text does not give back; no text holds it."""

_LONGEST, _KEPT = 150, 100
"""Characters of a name, and those that are kept of a slug which is longer."""


def check_name(name: str) -> str:
    """The name, if it may become part of a path; ValueError otherwise."""
    if not NAME_PATTERN.fullmatch(name) or ".." in name:
        raise ValueError(f"{name!r} cannot be used in a path; use letters, digits and . _ + , = @ -")
    return name


def slug(
    params: BaseModel, training: TrainingConfig | None, default: TrainingConfig | None, *, ending: str = ""
) -> str:
    """'p113-seed999-dseed598-wd0.5': every parameter, and the training fields that differ from the default.

    A value that its text does not give back ('a/b', 0.12345678, text that reads like another field) is followed by
    '++' and eight digits of its digest. ending: stands last in any case.
    """
    fields = list(_fields(params, training, default))
    parts = [_part(field, fields) for field in fields if field.named]
    whole = "-".join(parts) or "default"
    if len(whole + ending) > _LONGEST:
        whole = f"{whole[:_KEPT]}{_MARK}{digest([[f.name, f.dumped()] for f in fields if f.named])[:8]}"
    return check_name(whole + ending)


def plain_slug(params: BaseModel, training: TrainingConfig | None, default: TrainingConfig | None) -> str:
    """The slug without digests, as folders were called before there were any; "" where that could be no name."""
    whole = "-".join(f.short + _text(f.value) for f in _fields(params, training, default) if f.named) or "default"
    return whole if NAME_PATTERN.fullmatch(whole) and ".." not in whole else ""


@final
@dataclass(frozen=True, kw_only=True)
class _Field:
    """One parameter or training field of a variant."""

    name: str
    short: str
    model: BaseModel
    named: bool
    """Whether it is part of the slug."""

    @property
    def value(self) -> object:
        return getattr(self.model, self.name)

    def dumped(self) -> object:
        return self.model.model_dump(mode="json", include={self.name}).get(self.name)


def _fields(params: BaseModel, training: TrainingConfig | None, default: TrainingConfig | None) -> Iterator[_Field]:
    for name, info in type(params).model_fields.items():
        if not _in_name(info):
            continue
        value = getattr(params, name)
        named = value is not None and not (_extra(info, "in_name") == "changed" and value == info.default)
        yield _Field(name=name, short=_short(name, info), model=params, named=named)
    if training is not None and default is not None:
        for name in training.identity_fields():
            named = getattr(training, name) != getattr(default, name)
            yield _Field(name=name, short=_short(name, type(training).model_fields[name]), model=training, named=named)


def abbreviation(info: FieldInfo) -> str | None:
    """What a field says it is called in a variant's name: 'lr'; None where it says nothing."""
    said = _extra(info, "slug")
    return None if said is None else str(said)


def _in_name(info: FieldInfo) -> bool:
    """Whether a parameter can stand in the name of its variant; one that does not is in its digest only.

    One of which `in_name` is "changed" stands there unless it is at its default, which is then for ever.
    """
    return _extra(info, "in_name") is not False


def _extra(info: FieldInfo, name: str) -> object:
    """What a field says of itself under this name in its `json_schema_extra`; None where it says nothing."""
    extra = info.json_schema_extra
    return extra.get(name) if isinstance(extra, dict) else None


def _short(field: str, info: FieldInfo) -> str:
    abbreviated = abbreviation(info)
    return field.replace("_", "") if abbreviated is None else abbreviated


def _part(field: _Field, fields: Sequence[_Field]) -> str:
    plain = _text(field.value)
    text = re.sub(r"([.+])\1+", r"\1", plain if field.short else plain.lstrip("._+-"))
    part = field.short + text
    if text == plain and _recoverable(field.value) and not _reads_otherwise(field, text, fields):
        return part
    return f"{part}{_MARK}{digest([field.name, field.dumped()])[:8]}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        return "+".join(_text(item) for item in value)
    return re.sub(r"[^A-Za-z0-9._+-]", "", str(value))


def _recoverable(value: object) -> bool:
    """Whether the value can be distinguished from its text."""
    if isinstance(value, float):
        return float(_text(value)) == value
    if isinstance(value, tuple | list):
        return all(_distinguishable(item) for item in value)
    return value is not None and (isinstance(value, bool) or _text(value) == str(value))


def _distinguishable(item: object) -> bool:
    """Whether an item can be distinguished from its neighbours, between which stands a '+'."""
    if isinstance(item, int | float):
        return _recoverable(item)
    return not isinstance(item, tuple | list) and _recoverable(item) and _text(item) != "" and "+" not in _text(item)


def _reads_otherwise(field: _Field, text: str, fields: Sequence[_Field]) -> bool:
    """Whether such a part of a slug could be another field's, or could hold one."""
    if len(fields) == 1 and not field.short:
        return False  # its text is the whole name
    if not isinstance(field.value, int | float) and any(f"-{other.short}" in text for other in fields):
        return True
    part, own = field.short + text, [other.name for other in fields if other.short == field.short]
    longer = (other.short for other in fields if len(other.short) > len(field.short))
    return any(part.startswith(short) for short in longer) or own[0] != field.name
