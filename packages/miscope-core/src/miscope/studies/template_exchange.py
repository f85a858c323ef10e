"""Templates as JSON, to be given to others and taken from them: each item is checked, and reported on."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, final

from miscope.errors import BadValue, MiscopeError
from miscope.studies.conflict import Conflict
from miscope.studies.document import Document
from miscope.studies.mistudio import Translated, is_mistudio, translated
from miscope.studies.template import Template, checked_facts, study_keys
from miscope.studies.templates import Templates

__all__ = ["MOST_BYTES", "Action", "Imported", "exported", "import_templates", "too_long"]

FORMAT, VERSION = "miscope.templates", 1
_SHARED = ("name", "description", "favourite", "tags")
"""What is said of a template wherever it is; its id and its uses are of one workspace."""
_MOST_ITEMS, MOST_BYTES = 500, 2**20
_KEYS = (*_SHARED, "study")
_TODO = "`miscope templates export` writes one."


class Action(enum.StrEnum):
    """What became of an item."""

    CREATED = "created"
    UPDATED = "updated"
    RENAMED = "renamed"
    SKIPPED = "skipped"
    INVALID = "invalid"


@final
@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of one item, or would."""

    name: str
    """As the item has it; "" where it has none."""
    action: Action
    kept_as: str | None = None
    """The name that it is kept under; None where it is not."""
    error: str = ""
    """Why it is invalid, in sentences."""
    left_out: tuple[str, ...] = ()
    """What of it means nothing here, each with the reason."""


def exported(templates: Sequence[Template]) -> dict[str, Any]:
    """These templates as one value that JSON has."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "templates": [
            {**one.facts.model_dump(mode="json", include=set(_SHARED)), "study": study_keys(one.study)}
            for one in templates
        ],
    }


def import_templates(
    templates: Templates, text: str, *, conflict: Conflict = Conflict.SKIP, dry_run: bool = False
) -> list[Imported]:
    """Keep the templates of this JSON, miscope's or miStudio's, one by one; what became of each.

    dry_run: only say what would. Raises BadValue where the text is no such JSON as a whole; an item that is none is
    reported, and the others are kept. Nothing of it is run.
    """
    taken = {one.facts.name.casefold() for one in templates.all()}
    whole = _parsed(text)
    foreign = is_mistudio(whole)
    report = []
    for item in _items(whole, foreign=foreign):
        name = str(item.get("name") or "") if isinstance(item, Mapping) else ""
        try:
            read = translated(templates.plugins, item) if foreign else Translated(item=item, left_out=())
            imported = _one(templates, read.item, conflict, taken, dry_run=dry_run)
        except MiscopeError as error:
            imported = Imported(name=name, action=Action.INVALID, error=str(error))
        else:
            imported = replace(imported, left_out=read.left_out)
        taken |= {imported.kept_as.casefold()} if imported.kept_as else set()
        report.append(imported)
    return report


def too_long() -> BadValue:
    """What is said of a text of more than MOST_BYTES."""
    return BadValue("The text is too long.", f"Templates are at most {MOST_BYTES} bytes together.", "Import parts.")


def _parsed(text: str) -> Any:
    if len(text.encode()) > MOST_BYTES:
        raise too_long()
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadValue(f"This is no JSON: {error}.", "Templates are exchanged as JSON.", _TODO) from None


def _items(whole: Any, *, foreign: bool) -> list[Any]:
    if not foreign and (not isinstance(whole, Mapping) or whole.get("format") != FORMAT):
        raise BadValue("These are no templates.", f"The file says `format: {FORMAT}` at its top.", _TODO)
    if not foreign and whole.get("version") != VERSION:
        known = f"It has version {whole.get('version')!r}; this miscope reads {VERSION}."
        raise BadValue("These templates are of another version.", known, "Upgrade miscope.")
    items = whole.get("templates")
    if not isinstance(items, list) or len(items) > _MOST_ITEMS:
        raise BadValue("`templates` is not as it should be.", f"It is a list of at most {_MOST_ITEMS}.", _TODO)
    return items


def _one(templates: Templates, item: Any, conflict: Conflict, taken: set[str], *, dry_run: bool) -> Imported:
    facts, study = _checked(templates, item)
    name = facts["name"]
    there = name.casefold() in taken
    if there and conflict is Conflict.SKIP:
        return Imported(name=name, action=Action.SKIPPED)
    kept_as = templates.free_name(name, beside=taken) if there and conflict is Conflict.RENAME else name
    action = Action.CREATED if not there else Action.UPDATED if kept_as == name else Action.RENAMED
    if not dry_run:
        templates.save({**facts, "name": kept_as}, study, over=action is Action.UPDATED)
    return Imported(name=name, action=action, kept_as=kept_as)


def _checked(templates: Templates, item: Any) -> tuple[dict[str, Any], Document]:
    """The facts and the study of an item; BadValue or BadStudy where it is none."""
    if not isinstance(item, Mapping) or not isinstance(item.get("study"), Mapping):
        raise BadValue("This is no template.", f"It has: {', '.join(_KEYS)}.", _TODO)
    unknown = [str(key) for key in item if key not in _KEYS]
    if unknown:
        raise BadValue(f"A template has no key {unknown[0]!r}.", f"It has: {', '.join(_KEYS)}.", "Leave it out.")
    facts = {key: item[key] for key in _SHARED if key in item}
    study = Document(file="study", values=dict(item["study"]))
    template = Template(id="checked", facts=checked_facts(facts), study=study)
    templates.check(template)
    return facts, study
