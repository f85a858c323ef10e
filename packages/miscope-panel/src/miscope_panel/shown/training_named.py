"""The training that the name of a variant asks for, where there is none of that name."""

from __future__ import annotations

import re
from functools import partial

from miscope.failure import Failure, tried
from miscope.family import Family
from miscope.slug import NAME_PATTERN, abbreviation
from miscope.train_request import TrainRequest
from miscope.training_command import training_command
from miscope.validation import checked_variant, split_fields
from miscope.workspace import Workspace

__all__ = ["training_named"]


def training_named(workspace: Workspace, name: str) -> str | None:
    """`miscope train ...` of the variant 'family/slug'; None where its fields cannot be read from the name."""
    chosen, _, whole = name.partition("/")
    slug, _, label = whole.partition("@")
    family = workspace.plugins.families.get(chosen)
    if family is None or not NAME_PATTERN.fullmatch(whole):
        return None
    command = tried(partial(_command, family, slug, label))
    return None if isinstance(command, Failure) else command


def _command(family: Family, slug: str, label: str) -> str | None:
    params, training = split_fields(family, _fields(family, slug))
    # The slug of what was read says whether all of it was, and as it was meant.
    if checked_variant(family, params, training).slug != slug:
        return None
    return training_command(TrainRequest(family=family.name, params=params, training=training, label=label or None))


def _fields(family: Family, slug: str) -> dict[str, str]:
    """The text of each field that is read: the name that begins a part with the most letters is meant."""
    models = (family.training_config, family.params)
    infos = {name: info for model in models for name, info in model.model_fields.items()}
    short = {abbreviation(info) or name.replace("_", ""): name for name, info in infos.items()}
    found: dict[str, str] = {}
    # The dash of 1e-05 parts nothing.
    for part in re.split(r"(?<!\de)-", slug):
        called = max((each for each in short if part.startswith(each)), key=len, default="")
        if called:
            found[short[called]] = part.removeprefix(called)
    return found
