"""The page to launch runs: the address holds what stands in the form, and everything else follows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, final

from miscope.failure import Failure, tried
from miscope.family import Family
from miscope.studies.templates import Templates
from miscope_panel.page.job_actions import READ_ONLY
from miscope_panel.page.launch.estimates import Estimates
from miscope_panel.page.launch.launch_view import LaunchView
from miscope_panel.page.launch.started_runs import MOST, StartedRuns
from miscope_panel.page.launch.template_actions import TEMPLATES, TemplateActions
from miscope_panel.page.page_record import PageContext
from miscope_panel.shown.launching.form_field import FAMILY, model_of, trained_here
from miscope_panel.shown.launching.looked_over import LookedOver, looked_over
from miscope_panel.shown.launching.starting import Started, start
from miscope_panel.shown.launching.study_form import read_yaml, texts_of
from miscope_panel.shown.selection import Place

__all__ = ["LaunchPage"]

_NAME = "launch"
_RUNS = "runs.started"
"""What the address calls the runs that are watched; no field is called so."""


@final
class LaunchPage:
    """Follows the address while it is looked at; what is typed moves it."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._plugins = context.server.workspace.plugins
        self._texts: Mapping[str, str] = {}
        """What the form shows."""
        self._known: bool | None = None
        """Whether the families are known; None before they were asked for."""
        self._shown_family = ""
        self._under_way = self._again = self._starting = False
        self._readings = 0
        """Texts of YAML that were sent to be read."""
        self._start_once_read = self._reading = False
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
        if self._known is None:
            # Naming the families loads the packages that they are of.
            self._known = False
            self._context.errands.send(partial(_families, self._context), self._begin)
            self._templates.show()
        elif self._known:
            self._show(place)

    def _begin(self, families: list[dict[str, str]]) -> None:
        self._known, self.view.families = True, families
        self._texts = {}
        self._show(self._context.selection.place, anew=True)

    def _show(self, place: Place, *, anew: bool = False) -> None:
        """Have the form show what the address says, wherever that comes from."""
        texts = place.controls_of(_NAME)
        self.runs.watch(_numbers(texts.pop(_RUNS, "")))
        self.view.templates_open = bool(texts.pop(TEMPLATES, ""))
        if anew or texts != self._texts:
            self._texts = texts
            self.view.param.update(texts=dict(texts), yaml_problem="")
            self._look()

    def _take(self, texts: Mapping[str, str], runs: Sequence[int] | None = None) -> None:
        """Have these stand in the form, and in the address. runs: those that were started; None for the same."""
        place = self._context.selection.place
        watched = self.runs.numbers if runs is None else runs
        told = {**texts, _RUNS: ",".join(map(str, watched))}
        others = {key: text for key, text in place.turned.items() if key[0] != _NAME}
        self._context.selection.move(turned={**others, **{(_NAME, name): text for name, text in told.items() if text}})

    def _family(self, texts: Mapping[str, str]) -> Family | None:
        return self._plugins.families.get(texts.get(FAMILY, ""))

    # --- what the browser says

    def _hear(self, message: dict[str, Any]) -> None:
        texts = dict(self._texts)
        match message:
            case {"kind": "set", "field": str(name), "text": str(text)}:
                self._type(texts, name, text)
            case {"kind": "family", "name": str(name)}:
                self._choose(texts, name)
            case {"kind": "yaml", "text": str(text)}:
                self._read(text)
            case {"kind": "start"} if self._reading:
                self._start_once_read, self.view.blocked = True, _STARTING
            case {"kind": "start"}:
                self._start(texts)
            case {"kind": "template", "action": str(action), "id": str(chosen)}:
                self._templates.do(action, chosen, message, texts)
            case {"kind": "curve", "id": int(number)}:
                self.runs.curve(number)
            case {"kind": "jobs"}:
                self._context.selection.move(page="jobs")
            case {"kind": "open", "variant": str(variant)}:
                self._context.selection.move(page="views", variant=variant, compared=(), step=None)

    def _type(self, texts: dict[str, str], name: str, text: str) -> None:
        """What somebody typed; the component has it too, or a form that is loaded would not differ from its last."""
        typed = {**texts, name: text} if text else {key: each for key, each in texts.items() if key != name}
        if typed != texts:
            self._texts = typed
            self.view.param.update(texts=dict(typed), yaml_problem="")
            self._take(typed)
            self._look()

    def _choose(self, texts: Mapping[str, str], name: str) -> None:
        """Another family, with what was typed of fields that it has too."""
        family = self._plugins.families.get(name)
        kept = {each: text for each, text in texts.items() if family is not None and model_of(family, each) is not None}
        self._take({**kept, FAMILY: name})

    def _read(self, text: str) -> None:
        self._readings, self._reading = self._readings + 1, True
        work = partial(tried, lambda: texts_of(self._plugins, read_yaml(text)))
        self._context.errands.send(work, partial(self._written, self._readings))

    def _written(self, number: int, read: dict[str, str] | Failure) -> None:
        """Of several that are read at the same time only the last counts, whichever is done first."""
        if number != self._readings:
            return
        wanted, self._start_once_read, self._reading = self._start_once_read, False, False
        self.view.yaml_problem = read.error if isinstance(read, Failure) else ""
        if not isinstance(read, Failure):
            self._take(read)
            if wanted:
                self._start(dict(self._texts))
        elif wanted:
            self.runs.add(read)
            self._look()

    # --- what would be run

    def _look(self) -> None:
        """Have the form looked over, once at a time: of what is typed meanwhile only the last."""
        texts = self._texts
        family = self._family(texts)
        self._estimates.drop()
        if family is None:
            self._show_none(texts.get(FAMILY, ""))
        elif self._under_way:
            self._again = True
        else:
            self._under_way, self._again = True, False
            self.view.looking = True
            server = self._context.server
            work = partial(tried, partial(looked_over, server.workspace, server.queue, family, texts))
            self._context.errands.send(work, partial(self._looked, texts))

    def _show_none(self, unknown: str) -> None:
        """Nothing of a family that was not chosen, or is not there."""
        problem = f"No family named {unknown!r} is installed." if unknown else ""
        self._shown_family = ""
        self.view.param.update(fields=[], problems={}, problem=problem, lacking=[], yaml="", review={}, looking=False)
        self.view.blocked = "Choose a family first."

    def _looked(self, texts: Mapping[str, str], found: LookedOver | Failure) -> None:
        self._under_way = False
        if self._again or texts != self._texts:
            self._look()
            return
        self.view.looking = False
        if isinstance(found, Failure):
            self.view.param.update(problem=found.error, review={}, blocked=_BAD)
            return
        if self._shown_family != texts[FAMILY]:
            self._shown_family = texts[FAMILY]
            self.view.param.update(fields=[asdict(field) for field in found.fields], defaults={})
        self.view.param.update(
            problems=dict(found.form.problems),
            problem=found.form.problem,
            lacking=list(found.lacking),
            choices={name: list(values) for name, values in found.choices.items()},
            yaml=found.yaml,
            review=found.review(),
            blocked=self._blocked(found),
        )
        if found.form.study is not None:
            self.view.defaults = found.defaults
        if found.preview is not None:
            self._estimates.make(found.preview.plan)
        if found.filled != texts:
            self._take(found.filled)

    def _blocked(self, found: LookedOver) -> str:
        """Why nothing can be started."""
        if self._context.server.read_only:
            return READ_ONLY
        if self._starting:
            return _STARTING
        if found.lacking:
            return f"Fill in first: {', '.join(found.lacking)}."
        if found.form.study is None:
            wrong = ", ".join(found.form.problems)
            return f"Change first: {wrong}." if wrong else _BAD
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
        if isinstance(made, Started):
            self._take(self._texts, [*dict.fromkeys(run.id for run in made.runs)][:MOST])
        self._look()


def _numbers(text: str) -> tuple[int, ...]:
    """Of runs, as the address has them."""
    return tuple(int(each) for each in text.split(",") if re.fullmatch(r"[0-9]{1,18}", each))[:MOST]


_STARTING = "Being put into the queue …"
_BAD = "Why it cannot be run is said right above."


def _families(context: PageContext) -> list[dict[str, str]]:
    """Those that are trained here."""
    found = sorted(context.server.workspace.plugins.families.items())
    return [
        {"name": name, "title": family.title}
        for name, family in found
        if tried(lambda f=family: trained_here(f)) is True
    ]
