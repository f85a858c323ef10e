"""A family with its parameters and training fixed: the unit of comparison. A value; it knows no path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from miscope.errors import BadValue
from miscope.recipe import digest
from miscope.training_config import TrainingConfig

__all__ = ["NAME_PATTERN", "Variant", "check_name"]

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+,=@-]{0,149}")
"""Names that may become part of a path: no separators, no leading dot, no surprises."""


_LABEL = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._+-]{0,39}")


def check_name(name: str) -> str:
    """The name, if it may become part of a path; ValueError otherwise."""
    if not NAME_PATTERN.fullmatch(name) or ".." in name:
        raise ValueError(f"{name!r} cannot be used in a path; use letters, digits and . _ + , = @ -")
    return name


def _short(field: str, info: FieldInfo) -> str:
    extra = info.json_schema_extra
    return str(extra["slug"]) if isinstance(extra, dict) and "slug" in extra else field.replace("_", "")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        return "+".join(_plain(item) for item in value)
    return re.sub(r"[^A-Za-z0-9._+-]", "", str(value))


@final
@dataclass(frozen=True, kw_only=True)
class Variant:
    """One family, its domain parameters, and how it is trained."""

    family: str
    params: BaseModel
    """The family's own frozen parameter model."""
    training: TrainingConfig | None
    """None: its checkpoints come from elsewhere."""
    default_training: TrainingConfig | None = None
    """The family's own default for these parameters: what the slug need not mention."""
    label: str | None = None
    """Tells it from another of the same parameters and training: one's own from one brought from elsewhere."""

    def __post_init__(self) -> None:
        if self.label is not None and not _LABEL.fullmatch(self.label):
            raise BadValue(
                f"A variant cannot be told apart by the name {self.label!r}.",
                "It becomes part of a path: up to 40 letters, digits and . _ + -, beginning with a letter or a digit.",
                "Choose another.",
            )

    @cached_property
    def slug(self) -> str:
        """'p113-seed999-dseed598-wd0.5': every parameter, training fields that differ from the default, the label."""
        parts = [
            f"{_short(name, info)}{_plain(getattr(self.params, name))}"
            for name, info in type(self.params).model_fields.items()
            if getattr(self.params, name) is not None
        ]
        if self.training is not None and self.default_training is not None:
            parts += [
                f"{_short(name, TrainingConfig.model_fields[name])}{_plain(getattr(self.training, name))}"
                for name in TrainingConfig.identity_fields()
                if getattr(self.training, name) != getattr(self.default_training, name)
            ]
        return check_name(("-".join(parts) or "default") + (f"@{self.label}" if self.label else ""))

    @property
    def name(self) -> str:
        """'modadd.transformer/p113-seed999-dseed598': what a user types and a ledger line says."""
        return f"{self.family}/{self.slug}"

    @cached_property
    def digest(self) -> str:
        """Changes with anything that decides the weights at a given step."""
        training = None
        if self.training is not None:
            training = self.training.model_dump(mode="json", include=set(TrainingConfig.identity_fields()))
            # Left out where there are none: the digests of variants from before there were any stay as they are.
            if not training["interventions"]:
                del training["interventions"]
        said = {"family": self.family, "params": self.params.model_dump(mode="json"), "training": training}
        return digest(said | ({"label": self.label} if self.label else {}))
