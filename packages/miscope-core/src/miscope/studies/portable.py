"""Studies that leave open what they are built on, until one begins: what is left open, and what stands for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope.studies.study_fields import StudyFields, study_fields
from miscope.validation import first_taken

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.plugins.plugins import Plugins
    from miscope.studies.document import Document

__all__ = ["filled", "left_open", "with_fields"]

_STAND_INS = (0, 1, (0, 1), 0.5, True)


def left_open(plugins: Plugins, document: Document) -> tuple[str, ...]:
    """The parameters without a default that no run of the study names; () where its family is not known here.

    Raises BadStudy where it is no study.
    """
    fields = study_fields(document)
    if fields.family not in plugins.families:
        return ()
    named = {*fields.base, *fields.matrix, *fields.zip, *_by_hand(fields)}
    params = plugins.families[fields.family].params.model_fields
    return tuple(name for name, info in params.items() if info.is_required() and name not in named)


def _by_hand(fields: StudyFields) -> set[str]:
    return {name for entry in fields.include for name in entry}


def with_fields(document: Document, given: Mapping[str, Any]) -> Document:
    """The study with these fields for all its runs, unless a run says otherwise; as it is where `base` is no mapping,
    which is then refused."""
    base = document.values.get("base") or {}
    if not given or not isinstance(base, Mapping):
        return document
    return document.with_values(base={**base, **given})


def filled(plugins: Plugins, document: Document) -> Document:
    """The study with a value that stands for each that is left open, so that all others can be checked.

    As it is where nothing could stand for one: then it is refused for what it lacks.
    """
    fields = left_open(plugins, document)
    family = plugins.families[study_fields(document).family] if fields else None
    return document if family is None else with_fields(document, {name: _stand_in(family, name) for name in fields})


def _stand_in(family: Family, name: str) -> object:
    """A value that the parameter takes; its own name, where it is a text."""
    return first_taken(family.params, name, (name, *_STAND_INS))
