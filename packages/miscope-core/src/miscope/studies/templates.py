"""The templates of a workspace: a folder of study files, each with what is said of it and how often it was used."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from miscope.errors import BadValue, MiscopeError, UnknownName
from miscope.store.atomic import explaining, make_folder, write_whole
from miscope.store.ledger import parse
from miscope.studies.document import Document, read_file
from miscope.studies.portable import filled, left_open, with_fields
from miscope.studies.resolving import resolved
from miscope.studies.study import Study
from miscope.studies.template import Template, checked_facts, template_of, template_text
from miscope.variant import NAME_PATTERN

if TYPE_CHECKING:
    from miscope.plugins.plugins import Plugins
    from miscope.workspace import Workspace

__all__ = ["Templates"]


@final
class Templates:
    """The folder `templates/` of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self.folder = workspace, workspace.store.layout.templates
        self._known: dict[Path, tuple[tuple[int, int], Template | MiscopeError]] = {}
        """What was read of a file, with its time and size then."""

    @property
    def plugins(self) -> Plugins:
        """What is installed where these are kept."""
        return self._workspace.plugins

    def all(self) -> list[Template]:
        """Those that can be read: favourites first, then by name."""
        found = (one for one in self._each().values() if isinstance(one, Template))
        return sorted(found, key=lambda one: (not one.facts.favourite, one.facts.name.casefold()))

    def broken(self) -> dict[str, str]:
        """Of those that cannot be read, by file: why."""
        return {
            name: " ".join(str(one).split("\n")) for name, one in self._each().items() if not isinstance(one, Template)
        }

    def find(self, name: str) -> Template:
        """The template of that name, or of that id; UnknownName for none."""
        found = self.named(name)
        if found is not None:
            return found
        known = [one.facts.name for one in self.all()]
        raise UnknownName("template", name, known, listing=f"`miscope templates` lists the {len(known)} there are.")

    def of_id(self, template_id: str) -> Template:
        """The template of that id, whatever another is named; UnknownName for none. Raises BadStudy as `named` does."""
        found = self._each().get(template_id)
        if isinstance(found, MiscopeError):
            raise found
        if found is None:
            known = [one.id for one in self.all()]
            raise UnknownName("template", template_id, known, listing=f"There are {len(known)}, each with its id.")
        return found

    def named(self, name: str) -> Template | None:
        """The template of that name, or of that id; None for none. Raises BadStudy where it cannot be read."""
        found = self._named(name) or self._each().get(name)
        if isinstance(found, MiscopeError):
            raise found
        return found

    def study(self, template: Template, *, name: str | None = None, fields: Mapping[str, Any] | None = None) -> Study:
        """The study that the template is, called as the template's id unless a name is given.

        fields: of all its runs, beside and before its own: what it leaves open. Raises BadStudy.
        """
        document = template.study.with_values(name=name or template.id, description=None)
        return resolved(self._workspace, with_fields(document, fields or {}))

    def check(self, template: Template) -> tuple[str, ...]:
        """What is to be named when it is begun: parameters without a default. BadStudy where it could be no study."""
        document = template.study.with_values(name=template.id, description=None)
        lacking = left_open(self.plugins, document)
        resolved(self._workspace, filled(self.plugins, document), placed=not lacking)
        return lacking

    def save(self, facts: Mapping[str, Any], study: Document, *, over: bool = False) -> Template:
        """Keep the study under these facts, its name among them.

        over: in the place of the template of that name, with the facts of that one which are not given; else BadValue
        where there is one. Raises BadStudy where it is no study that could be run here once it is said what it is built
        on; nothing is written then.
        """
        before = self._named(str(facts.get("name")))
        if before is not None and not over:
            raise BadValue(
                f"There is a template named {before.facts.name!r} already.",
                "Names differ in more than upper and lower case.",
                "Choose another name, or have it replaced:  --overwrite",
            )
        now = _now()
        kept = {} if before is None else before.facts.model_dump(exclude={"updated"})
        checked = checked_facts({"created": now, **kept, **facts, "updated": now})
        template_id = self._free_id(checked.name) if before is None else before.id
        template = Template(id=template_id, facts=checked, study=study)
        self.check(template)
        self._write(template)
        return self.find(template_id)

    def change(self, template: Template, study: Document | None = None, **facts: Any) -> Template:
        """With another study, or other facts: `favourite=True`. Raises BadValue where the name is another's."""
        other = self._named(facts["name"]) if "name" in facts else None
        if other is not None and other.id != template.id:
            raise BadValue(
                f"There is a template named {other.facts.name!r} already.",
                "Names differ in more than upper and lower case.",
                "Choose another name.",
            )
        checked = checked_facts({**template.facts.model_dump(), **facts, "updated": _now()})
        changed = replace(template, facts=checked, study=study or template.study)
        if study is not None:
            self.check(changed)
        self._write(changed)
        return self.find(template.id)

    def duplicate(self, template: Template) -> Template:
        """A copy under a name that says so, never used and no favourite."""
        facts = {"description": template.facts.description, "tags": template.facts.tags}
        return self.save({**facts, "name": self.free_name(template.facts.name)}, template.study)

    def delete(self, template: Template) -> None:
        """Forget the template; what was run from it stays."""
        with explaining(self._path(template.id)):
            self._path(template.id).unlink(missing_ok=True)
            self._uses(template.id).unlink(missing_ok=True)

    def note_use(self, template: Template, study: Study, runs: Iterable[str]) -> None:
        """Count that runs were started from it: a line of its own file, so that two who start at once both count."""
        path = self._uses(template.id)
        make_folder(path.parent)
        line = json.dumps({"time": _now(), "group": study.name, "runs": list(runs)})
        with explaining(path), path.open("ab", buffering=0) as file:
            file.write(line.encode() + b"\n")
            os.fsync(file.fileno())

    def free_name(self, name: str, *, beside: Iterable[str] = ()) -> str:
        """'NAME (copy)', or 'NAME (copy 2)' where that is taken, ...; of a copy, the next one.

        beside: names that are taken too, in lower case.
        """
        taken = {*(one.facts.name.casefold() for one in self.all()), *beside}
        plain = re.sub(r" \(copy( \d+)?\)$", "", name)[:240]
        names = (f"{plain} (copy{'' if n == 1 else f' {n}'})" for n in range(1, len(taken) + 2))
        return next(each for each in names if each.casefold() not in taken)

    def _named(self, name: str) -> Template | None:
        return next((one for one in self.all() if one.facts.name.casefold() == name.casefold()), None)

    def _each(self) -> dict[str, Template | MiscopeError]:
        """Every file of the folder, read, or why it cannot be."""
        paths = sorted(self.folder.glob("*.yaml")) if self.folder.is_dir() else []
        return {path.stem: self._read(path) for path in paths if NAME_PATTERN.fullmatch(path.stem)}

    def _read(self, path: Path) -> Template | MiscopeError:
        status = path.stat()
        state = status.st_mtime_ns, status.st_size
        if path not in self._known or self._known[path][0] != state:
            try:
                self._known[path] = state, template_of(read_file(path), template_id=path.stem)
            except MiscopeError as error:
                self._known[path] = state, error
        found, uses = self._known[path][1], self._uses(path.stem)
        if not isinstance(found, Template) or not uses.exists():
            return found
        lines = list(parse(uses.read_bytes()))
        return replace(found, uses=len(lines), last_used=str(lines[-1].get("time")) if lines else None)

    def _write(self, template: Template) -> None:
        text = template_text(template.facts, template.study)
        write_whole(self._path(template.id), lambda file: file.write(text.encode()))

    def _free_id(self, name: str) -> str:
        """A file's name made of the template's."""
        plain = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-_").lower()[:60] or "template"
        taken = set(self._each())
        return next(
            each for n in range(1, len(taken) + 2) if (each := plain if n == 1 else f"{plain}-{n}") not in taken
        )

    def _path(self, template_id: str) -> Path:
        return self.folder / f"{template_id}.yaml"

    def _uses(self, template_id: str) -> Path:
        return self.folder / f"{template_id}.uses.jsonl"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
