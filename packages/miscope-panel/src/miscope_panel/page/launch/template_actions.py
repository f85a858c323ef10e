"""What is done with templates on the page: the verbs that the routes over templates call, on the errands' threads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, final

from miscope.errors import BadValue
from miscope.failure import Failure, tried
from miscope.jsonable import jsonable
from miscope.studies.document import Document
from miscope.studies.template import Template
from miscope.studies.template_exchange import exported, import_templates
from miscope.studies.templates import Templates
from miscope_panel.page.launch.launch_view import LaunchView
from miscope_panel.page.page_record import PageContext
from miscope_panel.shown.launching.difference import Difference, differences
from miscope_panel.shown.launching.form_field import FAMILY
from miscope_panel.shown.launching.study_form import study_values, texts_of

__all__ = ["TEMPLATES", "TemplateActions"]

TEMPLATES = "templates.panel"
"""What the address says of the panel with templates, where it is open from the start; no field is called so."""

_READS = ("look", "load", "export", "export_all")
_NOT_KEPT = ("study.name", "study.description")
"""Of a form: a template has a name of its own."""


@final
@dataclass(frozen=True, kw_only=True)
class _Done:
    """What became of an action."""

    all: list[dict[str, Any]]
    broken: Mapping[str, str]
    chosen: str = ""
    words: list[str] = field(default_factory=list)
    texts: Mapping[str, str] | None = None
    """What stands in the form for the one that is loaded."""
    apart: tuple[Difference, ...] = ()
    """What loading the one that is chosen would change."""
    file: tuple[str, str] | None = None
    """Name and text of what the browser is to save."""


@final
class TemplateActions:
    """Of one page; take: has texts stand in the form."""

    def __init__(
        self,
        context: PageContext,
        templates: Templates,
        component: LaunchView,
        take: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._context, self._templates, self._component, self._take = context, templates, component, take
        self._loaded: tuple[str, Mapping[str, str]] | None = None
        """The id of the template that was loaded last, and what then stood in the form."""
        self._files = 0

    def show(self) -> None:
        """List what there is."""
        self._send(partial(self._listed, ""))

    def used(self, texts: Mapping[str, str]) -> Template | None:
        """The template that the form still is, but for a name."""
        if self._loaded is None or differences(self._as_kept(self._loaded[1]), self._as_kept(texts)):
            return None
        return self._templates.named(self._loaded[0])

    def do(self, action: str, chosen: str, message: Mapping[str, Any], texts: Mapping[str, str]) -> None:
        """What somebody asked for, of the template of that id."""
        if self._context.server.read_only and action not in _READS:
            return
        work: dict[str, Callable[[], _Done]] = {
            "look": partial(self._looked_at, chosen, texts),
            "load": partial(self._looked_at, chosen, None),
            "favourite": partial(self._favourite, chosen),
            "duplicate": partial(self._duplicated, chosen),
            "delete": partial(self._deleted, chosen),
            "export": partial(self._exported, (chosen,)),
            "export_all": partial(self._exported, ()),
            "import": partial(self._imported, str(message.get("text", ""))),
            "save": partial(self._saved, str(message.get("name", "")), texts),
        }
        if action in work:
            self._send(work[action])

    def _send(self, work: Callable[[], _Done]) -> None:
        self._context.errands.send(partial(tried, work), self._done)

    def _done(self, done: _Done | Failure) -> None:
        before = self._component.templates
        if isinstance(done, Failure):
            self._component.templates = {**before, "words": done.error.splitlines(), "refused": True}
            return
        self._component.templates = {
            "all": done.all,
            "chosen": done.chosen,
            "differences": [asdict(each) for each in done.apart],
            "words": [*done.words, *(f"{name} cannot be read: {why}" for name, why in done.broken.items())],
            "refused": False,
            "read_only": self._context.server.read_only,
        }
        if done.file is not None:
            self._files += 1
            self._component.download = {"name": done.file[0], "text": done.file[1], "number": self._files}
        if done.texts is not None:
            self._loaded = done.chosen, done.texts
            self._take(done.texts)

    # --- on a thread

    def _listed(self, chosen: str, *words: str, **more: Any) -> _Done:
        rows = [
            {
                "id": one.id,
                "name": one.facts.name,
                "favourite": one.facts.favourite,
                "description": one.facts.description,
            }
            for one in self._templates.all()
        ]
        return _Done(
            all=rows, broken=self._templates.broken(), chosen=chosen, words=[each for each in words if each], **more
        )

    def _looked_at(self, chosen: str, texts: Mapping[str, str] | None) -> _Done:
        """texts: what it is compared with; None where it is loaded."""
        if not chosen:
            return self._listed("")
        template = self._templates.of_id(chosen)
        its = texts_of(self._context.server.workspace.plugins, template.study)
        lacking = self._templates.check(template)
        words = [f"It leaves open: {', '.join(lacking)}."] if lacking else []
        if texts is None:
            return self._listed(chosen, template.facts.description, *words, texts=its)
        apart = differences(self._as_kept(texts), its)
        same = [] if apart else ["The form says the same."]
        return self._listed(chosen, template.facts.description, *words, *same, apart=apart)

    def _as_kept(self, texts: Mapping[str, str]) -> dict[str, str]:
        """As a template of these would be read, without names: '0,1' and '0, 1' are the same."""
        plugins, own = self._context.server.workspace.plugins, _but_names(texts)
        family = plugins.families.get(texts.get(FAMILY, ""))
        if family is None:
            return own
        read = tried(lambda: texts_of(plugins, Document.of_values(study_values(family, own), "study")))
        return own if isinstance(read, Failure) else read

    def _favourite(self, chosen: str) -> _Done:
        template = self._templates.of_id(chosen)
        self._templates.change(template, favourite=not template.facts.favourite)
        return self._listed(chosen)

    def _duplicated(self, chosen: str) -> _Done:
        copy = self._templates.duplicate(self._templates.of_id(chosen))
        return self._listed(copy.id, f"Kept as {copy.facts.name}.")

    def _deleted(self, chosen: str) -> _Done:
        template = self._templates.of_id(chosen)
        self._templates.delete(template)
        return self._listed("", f"{template.facts.name} is forgotten; what was run from it stays.")

    def _exported(self, ids: tuple[str, ...]) -> _Done:
        chosen = [self._templates.of_id(each) for each in ids] if ids else self._templates.all()
        text = json.dumps(jsonable(exported(chosen)), indent=2)
        name = f"{ids[0]}.json" if ids else "templates.json"
        return self._listed(ids[0] if ids else "", f"{len(chosen)} exported as {name}.", file=(name, text))

    def _imported(self, text: str) -> _Done:
        report = import_templates(self._templates, text)
        words = [
            f"{one.name}: {one.action.value}{f' as {one.kept_as}' if one.kept_as not in (None, one.name) else ''}"
            f"{f' - {one.error}' if one.error else ''}"
            for one in report
        ]
        return self._listed("", *words)

    def _saved(self, name: str, texts: Mapping[str, str]) -> _Done:
        if not name:
            raise BadValue("A template has a name.", "It is found by it.", "Type one beside the button.", field="name")
        family = self._context.server.workspace.plugins.family(texts.get(FAMILY, ""))
        study = Document.of_values(study_values(family, _but_names(texts)), "study")
        kept = self._templates.save({"name": name}, study)
        return self._listed(kept.id, f"Kept as {kept.facts.name}.")


def _but_names(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name not in _NOT_KEPT}
