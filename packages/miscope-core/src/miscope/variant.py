"""A family with its parameters and training fixed: the unit of comparison. A value; it knows no path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

from pydantic import BaseModel

from miscope.errors import BadValue
from miscope.field_docs import documented
from miscope.recipe import digest
from miscope.slug import NAME_PATTERN, check_name, plain_slug, slug
from miscope.training_config import TrainingConfig

__all__ = ["NAME_PATTERN", "Variant", "check_name", "digest_of"]

_LABEL = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._+-]{0,39}")


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Variant:
    """One family, its domain parameters, and how it is trained."""

    family: str
    """Its name: 'modadd.transformer'."""
    params: BaseModel
    """The family's own frozen parameter model."""
    training: TrainingConfig | None
    """None: its checkpoints come from elsewhere."""
    default_training: TrainingConfig | None = None
    """The family's own default for these parameters: what the slug need not mention."""
    label: str | None = None
    """Tells it from another of the same parameters and training: one's own from one brought from elsewhere."""
    parents: tuple[str, ...] = ()
    """Digests of the variants that it is built on, in the order of its family's sources."""
    stored_as: str | None = None
    """The slug of a folder from before slugs told such values apart; None for its own slug."""

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
        ending = f"@{self.label}" if self.label else ""
        return self.stored_as or slug(self.params, self.training, self.default_training, ending=ending)

    @cached_property
    def former(self) -> Variant:
        """The same variant under the slug it had before slugs told such values apart; itself where that is its own."""
        plain = plain_slug(self.params, self.training, self.default_training)
        return self if self.label or plain in ("", self.slug) else replace(self, stored_as=plain)

    def labelled(self, label: str | None) -> Variant:
        """The one of the same parameters and training under that label, or under none."""
        return replace(self, label=label, stored_as=None)

    @property
    def name(self) -> str:
        """'modadd.transformer/p113-seed999-dseed598': what a user types and a ledger line says."""
        return f"{self.family}/{self.slug}"

    @cached_property
    def digest(self) -> str:
        """Changes with anything that decides the weights at a given step."""
        training = self.training
        identity = None if training is None else training.identity_of(training.model_dump(mode="json"))
        own = digest_of(self.family, self.params.model_dump(mode="json"), identity, self.label)
        return digest([own, *self.parents]) if self.parents else own


def digest_of(
    family: str, params: Mapping[str, object], identity: Mapping[str, object] | None, label: str | None
) -> str:
    """The digest of a variant of these values that is built on none; identity: of its training, None without one."""
    fields = {"family": family, "params": params, "training": identity}
    return digest(fields | ({"label": label} if label else {}))
