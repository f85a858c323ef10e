"""The page to launch runs: the address holds what stands in the form, and everything else follows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, final

from miscope.errors import MiscopeError
from miscope.failure import Failure, tried
from miscope.family import Family
from miscope.studies.templates import Templates
from miscope_panel.page.launch.estimates import Estimates
from miscope_panel.page.launch.launch_view import LaunchView
from miscope_panel.page.launch.started_runs import StartedRuns
from miscope_panel.page.launch.template_actions import TemplateActions
from miscope_panel.page.page_record import PageContext
from miscope_panel.shown.launching.form_field import FAMILY, form_fields, model_of, trained_here
from miscope_panel.shown.launching.looked_over import LookedOver, looked_over
from miscope_panel.shown.launching.starting import Started, start
from miscope_panel.shown.launching.study_form import read_yaml, texts_of
from miscope_panel.shown.selection import Place

__all__ = ["LaunchPage"]

_NAME = "launch"
_READ_ONLY = "Nothing can be started here: this server shows the workspace and changes nothing (--read-only)."


@final
class LaunchPage:
    """Follows the address while it is looked at; what is typed moves it."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._plugins = context.server.workspace.plugins
        self._texts: Mapping[str, str] | None = None
        """What the form shows; None before it was looked at."""
        self._under_way = self._again = False
        self._starting = False
        self.view = LaunchView(sizing_mode="stretch_width", margin=0)
        self.view.on_message = self._hear
        self._templates = TemplateActions(context, Templates(context.server.workspace), self.view, self._take)
        self._estimates = Estimates(context, self._gauge)
        self.runs = StartedRuns(context, self.view, self._look)

    def follow(self, place: Place) -> None:
        """Show what the address says of the form, while this page is looked at."""
        self.runs.look(visible=place.page == _NAME)
        if place.page != _NAME:
            return
        if self._texts is None:
            self.view.families = _families(self._context)
            self._templates.show()
        texts = place.controls_of(_NAME)
        if texts != self._texts:
            self._show(texts)

    def _show(self, texts: Mapping[str, str]) -> None:
        """Have the form show these, wherever they come from."""
        before, self._texts = self._texts or {}, texts
        family = self._family(texts)
        self.view.texts = dict(texts)
        if before.get(FAMILY) != texts.get(FAMILY):
            self.view.param.update(
                fields=[asdict(field) for field in form_fields(family)] if family else [], defaults={}, choices={}
            )
        self._look()

    def _take(self, texts: Mapping[str, str]) -> None:
        """Have these stand in the form, and in the address."""
        given = {name: text for name, text in texts.items() if text}
        place = self._context.selection.place
        others = {key: text for key, text in place.turned.items() if key[0] != _NAME}
        self._context.selection.move(turned={**others, **{(_NAME, name): text for name, text in given.items()}})

    def _family(self, texts: Mapping[str, str]) -> Family | None:
        return self._plugins.families.get(texts.get(FAMILY, ""))

    # --- what the browser says

    def _hear(self, message: dict[str, Any]) -> None:
        texts = dict(self._texts or {})
        match message:
            case {"kind": "set", "field": str(name), "text": str(text)}:
                self._type(texts, name, text)
            case {"kind": "family", "name": str(name)}:
                self._choose(texts, name)
            case {"kind": "yaml", "text": str(text)}:
                self._read(text)
            case {"kind": "start"}:
                self._start(texts)
            case {"kind": "template", "action": str(action), "id": str(chosen)}:
                self._templates.do(action, chosen, message, texts)
            case {"kind": "jobs"}:
                self._context.selection.move(page="jobs")
            case {"kind": "open", "variant": str(variant)}:
                self._context.selection.move(page="views", variant=variant, compared=(), step=None)

    def _type(self, texts: dict[str, str], name: str, text: str) -> None:
        """What somebody typed stands in the browser already: it is not sent there again."""
        typed = {**texts, name: text} if text else {key: each for key, each in texts.items() if key != name}
        if typed != texts:
            self._texts = typed
            self._take(typed)
            self._look()

    def _choose(self, texts: Mapping[str, str], name: str) -> None:
        """Another family, with what was typed of fields that it has too."""
        family = self._plugins.families.get(name)
        kept = {each: text for each, text in texts.items() if family is not None and model_of(family, each) is not None}
        self._take({**kept, FAMILY: name})

    def _read(self, text: str) -> None:
        try:
            texts = texts_of(self._plugins, read_yaml(text))
        except MiscopeError as error:
            self.view.yaml_problem = str(error)
            return
        self.view.yaml_problem = ""
        self._take(texts)

    # --- what would be run

    def _look(self) -> None:
        """Have the form looked over, once at a time: of what is typed meanwhile only the last."""
        texts = self._texts or {}
        family = self._family(texts)
        self._estimates.drop()
        if family is None:
            unknown = texts.get(FAMILY, "")
            problem = f"No family named {unknown!r} is installed." if unknown else ""
            self.view.param.update(
                problems={}, problem=problem, lacking=[], yaml="", review={}, blocked="Choose a family first."
            )
        elif self._under_way:
            self._again = True
        else:
            self._under_way, self._again = True, False
            server = self._context.server
            work = partial(tried, partial(looked_over, server.workspace, server.queue, family, texts))
            self._context.errands.send(work, partial(self._looked, texts))

    def _looked(self, texts: Mapping[str, str], found: LookedOver | Failure) -> None:
        self._under_way = False
        if self._again or texts != self._texts:
            self._look()
            return
        if isinstance(found, Failure):
            self.view.param.update(problem=found.error, review={}, blocked=_BAD)
            return
        self.view.param.update(
            problems=dict(found.form.problems),
            problem=found.form.problem,
            lacking=list(found.form.lacking),
            choices={name: list(values) for name, values in found.choices.items()},
            yaml=found.yaml,
            yaml_problem="",
            review=found.review(),
            blocked=self._blocked(found),
        )
        if found.form.study is not None:
            self.view.defaults = dict(found.form.defaults)
        if found.preview is not None:
            self._estimates.make(found.preview.plan)
        if found.filled != texts:
            self._take(found.filled)

    def _blocked(self, found: LookedOver) -> str:
        """Why nothing can be started."""
        if self._context.server.read_only:
            return _READ_ONLY
        if self._starting:
            return _STARTING
        if found.form.lacking:
            return f"Fill in first: {', '.join(found.form.lacking)}."
        if found.form.study is None:
            return _BAD
        return (
            "" if found.preview is None or any(found.preview.left) else "All of it is there already, or in the queue."
        )

    def _gauge(self, told: list[str]) -> None:
        self.view.estimate = told

    # --- start

    def _start(self, texts: Mapping[str, str]) -> None:
        family = self._family(texts)
        if self._context.server.read_only or self._starting or family is None:
            self._look()
            return
        self._starting = True
        self.view.blocked = _STARTING
        work = partial(tried, partial(self._started, family, texts))
        self._context.errands.send(work, self._begun)

    def _started(self, family: Family, texts: Mapping[str, str]) -> Started:
        """On a thread."""
        server = self._context.server
        return start(server.workspace, server.queue, family, texts, self._templates.used(texts))

    def _begun(self, made: Started | Failure) -> None:
        self._starting = False
        if isinstance(made, Started) and made.runs:
            self._context.server.summon()
        self.runs.add(made)
        self._look()


_STARTING = "Being put into the queue …"
_BAD = "Something is refused; it is said at the field, or above."


def _families(context: PageContext) -> list[dict[str, str]]:
    """Those that are trained here."""
    found = sorted(context.server.workspace.plugins.families.items())
    return [
        {"name": name, "title": family.title}
        for name, family in found
        if tried(lambda f=family: trained_here(f)) is True
    ]
