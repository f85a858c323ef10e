"""What is asked and answered of templates: pydantic models, so that OpenAPI says what to send and to expect."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, final

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from miscope.jsonable import jsonable
from miscope.studies.template_exchange import Action
from miscope_panel.rest.study_asked import STUDY_EXAMPLE, StudyKeys

if TYPE_CHECKING:
    from miscope.studies.template import Template
    from miscope.studies.template_exchange import Imported

__all__ = [
    "EXCHANGED",
    "Favourite",
    "ItemImported",
    "TemplateAsked",
    "TemplateChanges",
    "TemplateReplaced",
    "TemplateSeen",
    "TemplatesChosen",
    "TemplatesImported",
    "TemplatesSeen",
]

_STUDY = {key: value for key, value in STUDY_EXAMPLE.items() if key != "name"}
_FACTS = {"name": "Small decay", "description": "two rates of decay", "favourite": True, "tags": ["decay"]}
_SEEN: dict[str, Any] = {
    **{"id": "small-decay", **_FACTS, "created": "2026-11-28T13:03:25Z", "updated": "2026-11-28T13:03:25Z"},
    **{"uses": 2, "last_used": "2026-11-28T14:00:00Z", "study": _STUDY},
}
EXCHANGED: dict[str, Any] = {
    "format": "miscope.templates",
    "version": 1,
    "exported_at": "2026-11-28T14:00:00Z",
    "templates": [{**_FACTS, "study": _STUDY}],
}
"""As templates are exported and imported."""

_Name = Annotated[str, Field(min_length=1, max_length=255, description="Two templates differ in more than case.")]
_Description = Annotated[str, Field(max_length=10_000, description="What it is for.")]
_IsFavourite = Annotated[StrictBool, Field(description="Whether it comes first in listings.")]
_Tags = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=64)], ...],
    Field(max_length=100, description="Words to find it by."),
]


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: _Name
    description: _Description = ""
    favourite: _IsFavourite = False
    tags: _Tags = ()


@final
class TemplateAsked(_Facts):
    """A template to keep: a study, or the settings of a variant."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{**_FACTS, "study": _STUDY}]})

    study: StudyKeys | None = None
    variant: Annotated[str | None, Field(description="In its place: a variant, whose settings are kept.")] = None


@final
class TemplateReplaced(_Facts):
    """A template as it is to be, whole; its id and its uses stay."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{**_FACTS, "study": _STUDY}]})

    study: StudyKeys


@final
class TemplateChanges(BaseModel):
    """What is to be otherwise; the rest stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"tags": ["decay", "small"]}]})

    name: _Name | None = None
    description: _Description | None = None
    favourite: _IsFavourite | None = None
    tags: _Tags | None = None
    study: StudyKeys | None = None


@final
class Favourite(BaseModel):
    """Whether a template is a favourite."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"favourite": False}]})

    favourite: _IsFavourite = True


@final
class TemplatesChosen(BaseModel):
    """Templates to export."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ids": ["small-decay"]}]})

    ids: Annotated[list[str] | None, Field(max_length=500, description="All where it is null; none for [].")] = None


@final
class TemplateSeen(BaseModel):
    """A template. Times are UTC."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SEEN]})

    id: str = Field(description="Stays as it is, whatever the template is called.")
    name: str
    description: str
    favourite: bool
    tags: list[str]
    created: str
    updated: str
    uses: int = Field(description="How often runs were started from it.")
    last_used: str | None
    study: dict[str, Any] = Field(description="The study's keys, without a name.")

    @classmethod
    def of(cls, template: Template) -> TemplateSeen:
        """The template in these words."""
        return cls.model_validate(jsonable(template.as_row()))

    @property
    def tag(self) -> str:
        """Of what it is; how often it was used does not matter."""
        said = self.model_dump_json(exclude={"uses", "last_used"})
        return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


@final
class TemplatesSeen(BaseModel):
    """The templates: favourites first, then by name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"templates": [_SEEN], "broken": {}}]})

    templates: list[TemplateSeen]
    broken: dict[str, str] = Field(description="Of those whose files cannot be read, by id: why.")


@final
class ItemImported(BaseModel):
    """What became of one item of an import, or would."""

    name: str = Field(description="As the item has it.")
    action: Action
    kept_as: str | None = Field(description="The name that it is kept under; null where it is not.")
    error: str = Field(description="Why it is invalid.")
    left_out: list[str] = Field(description="What of it means nothing here, each with the reason.")


@final
class TemplatesImported(BaseModel):
    """What became of each item, in their order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dry_run": False,
                    "results": [
                        {
                            **{"name": "Small decay", "action": "renamed", "kept_as": "Small decay (copy)"},
                            **{"error": "", "left_out": []},
                        }
                    ],
                }
            ]
        }
    )

    dry_run: bool
    results: list[ItemImported]

    @classmethod
    def of(cls, report: Sequence[Imported], *, dry_run: bool) -> TemplatesImported:
        """The report in these words."""
        return cls(dry_run=dry_run, results=[ItemImported.model_validate(asdict(each)) for each in report])
