"""Tags, notes and pins of a variant over HTTP: read with a tag of what they are, changed only if still that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, final

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field, StrictInt

from miscope.label_text import LONGEST_NOTES, LONGEST_TAG, MOST_TAGS
from miscope.store.annotation import (
    LONGEST_PIN_NOTE,
    MOST_PINS,
    AnnotationChange,
    ChangedMeanwhile,
    PinnedStep,
)
from miscope.store.annotation_files import annotation_of, change_annotation
from miscope_panel.http.problem import PREFIX, PROBLEMS, Problem
from miscope_panel.rest.caching import is_another
from miscope_panel.rest.exampled import exampled
from miscope_panel.rest.run_answers import answered
from miscope_panel.rest.workspace_api import VariantName

if TYPE_CHECKING:
    from miscope.store.annotation import Annotation
    from miscope.workspace import Workspace

__all__ = ["AnnotationChanges", "AnnotationSeen", "annotation_router"]

_ANOTHER: dict[int | str, dict[str, Any]] = {
    412: {"model": Problem, "description": "They are not, or no longer, what `if-match` says."}
}
_Tag = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]

IfMatch = Annotated[
    str | None, Header(description="Only if they are what has this `etag`, as `GET` gives it.", examples=['"3"'])
]


_Step = Annotated[StrictInt, Field(ge=0, le=10**15)]


@final
class PinAsked(BaseModel):
    """A step to come back to."""

    model_config = {**exampled(step=500, note="here it memorised"), "extra": "forbid"}

    step: _Step
    note: Annotated[str, Field(max_length=LONGEST_PIN_NOTE, description="On one line.")] = ""


@final
class AnnotationChanges(BaseModel):
    """What is to be otherwise; what is left out, or null, stays."""

    model_config = {
        **exampled(tags=["paper"], notes="diverged *once*", pins=[{"step": 500, "note": "here it memorised"}]),
        "extra": "forbid",
    }

    tags: Annotated[tuple[_Tag, ...] | None, Field(max_length=MOST_TAGS, description="In place of those it has.")] = (
        None
    )
    notes: Annotated[str | None, Field(max_length=LONGEST_NOTES, description="In Markdown.")] = None
    pins: Annotated[
        tuple[PinAsked, ...] | None,
        Field(max_length=MOST_PINS, description="Beside those it has, in place of one at the same step."),
    ] = None
    unpin: Annotated[
        tuple[_Step, ...] | None, Field(max_length=MOST_PINS, description="Steps without a pin from now on.")
    ] = None

    @property
    def change(self) -> AnnotationChange:
        """The same as core takes it."""
        pins = tuple(PinnedStep(step=pin.step, note=pin.note) for pin in self.pins or ())
        return AnnotationChange(tags=self.tags, notes=self.notes, pins=pins, unpin=self.unpin or ())


@final
class AnnotationSeen(BaseModel):
    """Tags, notes and pins of a variant."""

    model_config = exampled(
        variant="modadd.transformer/p113-seed1-dseed598",
        tags=["paper"],
        notes="diverged *once*",
        pins=[{"step": 500, "note": "here it memorised"}],
        revision=3,
        written="2026-11-28T13:03:25Z",
    )

    variant: str
    tags: list[str]
    notes: str = Field(description="In Markdown.")
    pins: list[PinAsked] = Field(description="Steps to come back to, ascending.")
    revision: int = Field(description="How often they were written; 0 for never.")
    written: str = Field(description="When, in UTC; '' for never.")

    @classmethod
    def of(cls, variant: str, annotation: Annotation) -> AnnotationSeen:
        """Those of the variant of that name."""
        return cls(
            variant=variant,
            tags=list(annotation.tags),
            notes=annotation.notes,
            pins=[PinAsked(step=pin.step, note=pin.note) for pin in annotation.pins],
            revision=annotation.revision,
            written=annotation.written,
        )


def annotation_router(workspace: Workspace) -> APIRouter:
    """The routes over the tags, notes and pins of variants."""
    routes = APIRouter(prefix=PREFIX, tags=["workspace"], responses={**PROBLEMS})

    @routes.get("/annotation", response_model=AnnotationSeen)
    def annotation(variant: VariantName) -> Response:
        """A variant's tags, notes and pins as they stand, with an `etag` by which they are changed without loss."""
        name = workspace.find(variant).name
        return _seen(name, annotation_of(workspace.store, name))

    @routes.patch("/annotation", response_model=AnnotationSeen, responses={**_ANOTHER})
    def change(variant: VariantName, asked: AnnotationChanges, if_match: IfMatch = None) -> Response:
        """Change what is given of a variant's tags, notes and pins; what they were before is kept in the workspace."""
        name = workspace.find(variant).name
        before = annotation_of(workspace.store, name)
        if is_another(if_match, _tag(before)):
            raise ChangedMeanwhile(name, before.revision)
        seen = None if if_match is None else before.revision
        after = change_annotation(workspace.store, name, asked.change, seen=seen)
        return _seen(name, after)

    return routes


def _tag(annotation: Annotation) -> str:
    return f'"{annotation.revision}"'


def _seen(name: str, annotation: Annotation) -> Response:
    answer = answered(AnnotationSeen.of(name, annotation))
    answer.headers["etag"] = _tag(annotation)
    return answer
