"""The body that asks for the runs of a study: its keys as its file has them, or a template's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, StrictInt

from miscope.errors import BadValue
from miscope.studies.document import Document
from miscope.studies.planning import PlannedRun, planned
from miscope.studies.portable import with_fields
from miscope.studies.resolving import resolved
from miscope.studies.study_fields import StudyFields
from miscope.validation import about

if TYPE_CHECKING:
    from miscope.studies.study import Study
    from miscope.studies.template import Template
    from miscope.studies.templates import Templates
    from miscope.workspace import Workspace

__all__ = ["STUDY_EXAMPLE", "StudyAsked", "StudyFound", "StudyKeys", "found_of"]

STUDY_EXAMPLE: dict[str, Any] = {
    "name": "decay",
    "family": "modadd.transformer",
    "base": {"prime": 59, "steps": 5000},
    "matrix": {"weight_decay": [0.1, 1.0]},
    "run_name": "wd{weight_decay}",
    "train": {"threads": 1},
    "analyze": {},
}
_EXAMPLES: Any = [
    {"study": STUDY_EXAMPLE, "priority": 1},
    {"template": "small-parity", "name": "again", "dry_run": True},
]

StudyKeys = Annotated[
    dict[str, JsonValue],
    Field(
        description=f"A study as its file says it: {', '.join(StudyFields.model_fields)}. `docs/studies.md` has each.",
        examples=[STUDY_EXAMPLE],
    ),
]


@final
class StudyAsked(BaseModel):
    """A study to run, by its keys or from a template, and its place in the queue."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": _EXAMPLES})

    study: StudyKeys | None = None
    template: Annotated[str | None, Field(description="In place of `study`: id or name of a template.")] = None
    name: Annotated[str | None, Field(description="Call it so, and not as the study or the template is called.")] = None
    fields: Annotated[
        dict[str, JsonValue],
        Field(description="Of all its runs, beside its own: what a template leaves open.", examples=[{"seed": 1}]),
    ] = {}
    only: Annotated[tuple[str, ...], Field(max_length=1000, description="The runs of these names alone.")] = ()
    start_from: Annotated[StrictInt, Field(ge=0, le=10_000, description="Leave out so many of the first runs.")] = 0
    priority: Annotated[StrictInt, Field(ge=-1000, le=1000, description="Higher ones begin first.")] = 0
    dry_run: Annotated[StrictBool, Field(description="Only say what would be run; nothing is queued or kept.")] = False


@final
@dataclass(frozen=True, kw_only=True)
class StudyFound:
    """A study that was asked for, checked."""

    study: Study
    plan: tuple[PlannedRun, ...]
    template: Template | None


def found_of(asked: StudyAsked, workspace: Workspace, templates: Templates) -> StudyFound:
    """The study and what there is of its runs. Raises BadStudy with the place, BadValue with the field."""
    if (asked.study is None) == (asked.template is None):
        raise BadValue(
            "Which study?" if asked.study is None else "There are a study and a template.",
            "A study is given by its keys, or by the template that it is made from.",
            "Give `study` or `template`.",
            field="study",
        )
    if asked.template is not None:
        template, study = _of_template(asked.template, asked, templates)
    else:
        template, study = None, _of_keys(asked, workspace)
    with about("only" if asked.only else "start_from"):
        chosen = study.chosen(asked.only, asked.start_from)
    return StudyFound(study=study, plan=planned(workspace, chosen, first=asked.start_from), template=template)


def _of_template(named: str, asked: StudyAsked, templates: Templates) -> tuple[Template, Study]:
    with about("template"):
        template = templates.find(named)
    return template, templates.study(template, name=asked.name, fields=asked.fields)


def _of_keys(asked: StudyAsked, workspace: Workspace) -> Study:
    document = Document.of_values(asked.study or {}, "study")
    if asked.name is not None:
        document = document.with_values(name=asked.name)
    elif "name" not in document.values:
        known = "A study's name is the group of its runs."
        raise BadValue("The study has no name.", known, "Give it one:  name", field="study.name")
    return resolved(workspace, with_fields(document, asked.fields))
