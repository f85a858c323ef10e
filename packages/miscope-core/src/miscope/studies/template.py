"""A template: a study one keeps, under a name, to start from. A value, and how it is written."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from miscope.errors import BadValue
from miscope.field_docs import documented
from miscope.field_text import why_refused
from miscope.studies.bad_study import BadStudy
from miscope.studies.document import Document
from miscope.studies.study_fields import TEMPLATE

__all__ = ["Template", "TemplateFacts", "checked_facts", "study_keys", "template_of", "template_text"]

_NOT_KEPT = ("name", "description", "extends")
"""Keys of a study that are not a template's: it has a name of its own, and stands alone."""


@final
@documented
class TemplateFacts(BaseModel):
    """What is said of a template beside its study."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\s\x00-\x1f](.*[^\s\x00-\x1f])?$")]
    """As people call it; two templates differ in more than upper and lower case."""
    description: str = ""
    """What it is for."""
    favourite: bool = False
    """Whether it comes first in listings."""
    tags: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = ()
    """Words to find it by."""
    created: str = ""
    """When, in UTC."""
    updated: str = ""
    """When it was last changed, in UTC."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Template:
    """A study that is kept."""

    id: str
    """Of its file, and of the group of its runs unless another is given."""
    facts: TemplateFacts
    """What is said of it."""
    study: Document
    """The study, as it is written."""
    uses: int = 0
    """How often runs were started from it."""
    last_used: str | None = None
    """When, in UTC; None for never."""

    def as_row(self) -> dict[str, Any]:
        """As JSON has it, whole."""
        facts = self.facts.model_dump(mode="json")
        return {"id": self.id, **facts, "uses": self.uses, "last_used": self.last_used, "study": study_keys(self.study)}


def checked_facts(facts: Mapping[str, Any]) -> TemplateFacts:
    """These facts, or BadValue where one is no such."""
    try:
        return TemplateFacts.model_validate(facts)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadValue(
            f"A template does not take {'.'.join(map(str, first['loc']))}={first['input']!r}: {why_refused(first)}.",
            "It has a name of 1 to 255 characters, a description, tags, and is a favourite or not.",
            "Change it and try again; nothing was written.",
        ) from None


def template_of(document: Document, *, template_id: str) -> Template:
    """The template that a file describes. Raises BadStudy where it says not how it is called."""
    try:
        facts = checked_facts(document.values.get(TEMPLATE) or {"name": template_id})
    except BadValue as error:
        raise BadStudy(str(document.place(TEMPLATE)), *str(error).split("\n")) from None
    return Template(id=template_id, facts=facts, study=document)


def study_keys(document: Document) -> dict[str, Any]:
    """What of a study is kept in a template."""
    return {key: value for key, value in document.values.items() if key not in (*_NOT_KEPT, TEMPLATE)}


def template_text(facts: TemplateFacts, study: Document) -> str:
    """The file of a template, in YAML: what is said of it, then the study."""
    from ruamel.yaml import YAML

    yaml, out = YAML(), io.StringIO()
    yaml.width = 120
    yaml.dump({TEMPLATE: facts.model_dump(mode="json"), **study_keys(study)}, out)
    return out.getvalue()
