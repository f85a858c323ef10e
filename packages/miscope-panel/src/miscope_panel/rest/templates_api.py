"""Templates over HTTP: studies that are kept to start from, changed, copied, and exchanged as JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, final

from fastapi import APIRouter, Body, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import JsonValue

from miscope.errors import BadValue
from miscope.jsonable import jsonable
from miscope.settings import settings_of
from miscope.studies.conflict import Conflict
from miscope.studies.document import Document
from miscope.studies.template_exchange import exported, import_templates
from miscope.validation import about
from miscope_panel.http.problem import PREFIX, PROBLEMS, Problem
from miscope_panel.rest.caching import is_another
from miscope_panel.rest.run_answers import answered
from miscope_panel.rest.template_bodies import (
    EXCHANGED,
    Favourite,
    TemplateAsked,
    TemplateChanges,
    TemplateReplaced,
    TemplatesChosen,
    TemplateSeen,
    TemplatesImported,
    TemplatesSeen,
)

if TYPE_CHECKING:
    from miscope.studies.template import Template
    from miscope.studies.templates import Templates
    from miscope.workspace import Workspace

__all__ = ["templates_router"]

_EXCHANGE: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"example": EXCHANGED}}}}

_ANOTHER: dict[int | str, dict[str, Any]] = {
    412: {"model": Problem, "description": "It is not, or no longer, what `if-match` says."}
}
_CHANGED = (
    "The template {id!r} is another by now.\nSomebody changed it after it was read.\n"
    "Read it again, and send what it is to be with the `etag` that it has then."
)

IfMatch = Annotated[
    str | None, Header(description="Only if it is what has this `etag`, as `GET` gives it.", examples=['"0f3a"'])
]
TemplateId = Annotated[str, Path(description="The template's id.", examples=["small-decay"])]


def templates_router(workspace: Workspace, templates: Templates) -> APIRouter:
    """The routes over templates."""
    routes = APIRouter(prefix=f"{PREFIX}/training-templates", tags=["templates"], responses={**PROBLEMS})
    writing = _Writing(templates)
    _add_exchange(routes, writing)
    _add_keeping(routes, workspace, writing)
    _add_changing(routes, writing)
    return routes


@final
class _Writing:
    """The templates, changed by one request at a time: whether a name is free is true until it is taken."""

    def __init__(self, templates: Templates) -> None:
        self.templates, self._turn = templates, threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[Templates]:
        """Nobody else writes meanwhile; a value that is refused is the name, where nothing else is said of it."""
        with self._turn, about("name"):
            yield self.templates


def _add_keeping(routes: APIRouter, workspace: Workspace, writing: _Writing) -> None:
    @routes.get("", response_model=TemplatesSeen)
    def templates(
        q: Annotated[str, Query(description="Only those with this in their name or description.")] = "",
        tag: Annotated[str | None, Query(description="Only those with this tag.")] = None,
        family: Annotated[str | None, Query(description="Only those of this family.")] = None,
        favourite: Annotated[bool | None, Query(description="Only favourites, or only others.")] = None,
    ) -> Response:
        """The templates: favourites first, then by name."""
        all_of = [TemplateSeen.of(one) for one in writing.templates.all()]
        found = [
            one
            for one in all_of
            if q.casefold() in f"{one.name}\n{one.description}".casefold()
            and tag in (None, *one.tags)
            and family in (None, one.study.get("family"))
            and favourite in (None, one.favourite)
        ]
        return answered(TemplatesSeen(templates=found, broken=writing.templates.broken()))

    @routes.post("", status_code=201, response_model=TemplateSeen)
    def create(asked: TemplateAsked) -> Response:
        """Keep a study, or the settings of a variant, as a template; checked as a study that could be run here."""
        study = _study(workspace, asked)
        with writing.turn() as there:
            template = there.save(asked.model_dump(exclude={"study", "variant"}), study)
        return _seen(template, 201)

    @routes.get("/{id}", response_model=TemplateSeen)
    def template(id: TemplateId) -> Response:
        """One template with its study, which `POST studies` takes by its id."""
        return _seen(writing.templates.of_id(id))


def _add_changing(routes: APIRouter, writing: _Writing) -> None:
    @routes.put("/{id}", response_model=TemplateSeen, responses={**_ANOTHER})
    def replace(id: TemplateId, asked: TemplateReplaced, if_match: IfMatch = None) -> Response:
        """Have the template be this; its id and its uses stay."""
        return _changed(writing, id, asked.model_dump(), if_match)

    @routes.patch("/{id}", response_model=TemplateSeen, responses={**_ANOTHER})
    def change(id: TemplateId, asked: TemplateChanges, if_match: IfMatch = None) -> Response:
        """Change what is given of the template."""
        return _changed(writing, id, asked.model_dump(exclude_none=True), if_match)

    @routes.delete("/{id}", response_model=TemplateSeen, responses={**_ANOTHER})
    def delete(id: TemplateId, if_match: IfMatch = None) -> Response:
        """Forget the template, as it was; what was run from it stays. `POST` of the answer's study keeps it again."""
        with writing.turn() as there:
            template = there.of_id(id)
            if (refusal := _another(template, if_match)) is not None:
                return refusal
            there.delete(template)
        return answered(TemplateSeen.of(template))

    @routes.post("/{id}/duplicate", status_code=201, response_model=TemplateSeen)
    def duplicate(id: TemplateId) -> Response:
        """A copy under a name that says so, never used and no favourite."""
        original = writing.templates.of_id(id)
        with writing.turn() as there:
            return _seen(there.duplicate(original), 201)

    @routes.post("/{id}/favorite", response_model=TemplateSeen, responses={**_ANOTHER})
    def favorite(id: TemplateId, asked: Favourite | None = None, if_match: IfMatch = None) -> Response:
        """Have it come first in listings, or no longer."""
        return _changed(writing, id, (asked or Favourite()).model_dump(), if_match)


def _add_exchange(routes: APIRouter, writing: _Writing) -> None:
    @routes.post("/export", responses={**_EXCHANGE})
    def export(asked: TemplatesChosen | None = None) -> Response:
        """Templates as JSON for elsewhere: without ids and uses, which are of this workspace."""
        there, ids = writing.templates, None if asked is None else asked.ids
        with about("ids"):
            chosen = there.all() if ids is None else [there.of_id(each) for each in ids]
        return JSONResponse(jsonable(exported(chosen)))

    @routes.post("/import", response_model=TemplatesImported)
    def take_in(
        whole: Annotated[dict[str, JsonValue], Body(examples=[EXCHANGED])],
        conflict: Annotated[Conflict, Query(description="What to do where there is one of that name.")] = Conflict.SKIP,
        dry_run: Annotated[bool, Query(description="Only say what would become of each.")] = False,
    ) -> Response:
        """Keep the templates of an export, of miscope or of miStudio, each once it is checked; what became of each."""
        with writing.turn() as there:
            report = import_templates(there, json.dumps(whole), conflict=conflict, dry_run=dry_run)
        return answered(TemplatesImported.of(report, dry_run=dry_run))


def _changed(writing: _Writing, template_id: str, given: dict[str, Any], if_match: str | None = None) -> Response:
    keys = given.pop("study", None)
    study = None if keys is None else Document.of_values(keys, "study")
    with writing.turn() as there:
        before = there.of_id(template_id)
        if (refusal := _another(before, if_match)) is not None:
            return refusal
        return _seen(there.change(before, study, **given))


def _another(template: Template, if_match: str | None) -> Response | None:
    """The refusal where the template is not the one that was read; if_match: the tag that it had then."""
    if not is_another(if_match, TemplateSeen.of(template).tag):
        return None
    return Problem.of("Changed", _CHANGED.format(id=template.id)).response(412)


def _seen(template: Template, status: int = 200) -> Response:
    """The template, with the tag of what it is now."""
    seen = TemplateSeen.of(template)
    answer = answered(seen, status)
    answer.headers["etag"] = seen.tag
    return answer


def _study(workspace: Workspace, asked: TemplateAsked) -> Document:
    """The study of a body; of a variant, its settings."""
    if (asked.study is None) == (asked.variant is None):
        raise BadValue(
            "What is to be kept?" if asked.study is None else "There are a study and a variant.",
            "A template is a study by its keys, or the settings of a variant.",
            "Give `study` or `variant`.",
            field="study",
        )
    if asked.variant is None:
        return Document.of_values(asked.study or {}, "study")
    with about("variant"):
        variant = workspace.find(asked.variant)
    return Document.of_values({"family": variant.family, "base": settings_of(variant)}, "study")
