"""The templates of a server's workspace: kept, found, and exchanged as JSON, in the words of those that are here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from miscope.errors import UnknownName
from miscope.field_docs import documented
from miscope.remote.connection import Connection
from miscope.remote.remote_study import study_asked
from miscope.remote.remote_template import RemoteTemplate
from miscope.remote.remote_variant import RemoteVariant

__all__ = ["RemoteTemplates"]


@final
@documented
@dataclass(frozen=True)
class RemoteTemplates:
    """The templates of a server's workspace."""

    connection: Connection
    """To the server."""

    def all(self, **query: Any) -> list[RemoteTemplate]:
        """Favourites first, then by name; query: `q`, `tag`, `family`, `favourite`."""
        return [RemoteTemplate(self.connection, each["id"]) for each in self._listed(query)["templates"]]

    def broken(self) -> Mapping[str, str]:
        """Of those that cannot be read, by id: why."""
        return self._listed({})["broken"]

    def find(self, name: str) -> RemoteTemplate:
        """The template of that name, or of that id; UnknownName for none."""
        found = {each["name"].casefold(): each["id"] for each in self._listed({})["templates"]}
        if name.casefold() not in found and name not in found.values():
            listing = f"{self.connection.url} has {len(found)}; `remote.templates.all()` has each."
            raise UnknownName("template", name, found, listing=listing)
        return RemoteTemplate(self.connection, found.get(name.casefold(), name))

    def save(self, name: str, study: Mapping[str, Any] | str | Path | RemoteVariant, **facts: Any) -> RemoteTemplate:
        """Keep a study by its keys or its file, or the settings of a variant.

        facts: `description`, `favourite`, `tags`. BadStudy for a file that says no study, BadValue for what is none.
        """
        kept = {"variant": study.name} if isinstance(study, RemoteVariant) else study_asked(study)
        told = self.connection.post("training-templates", {"name": name, **kept, **facts})
        return RemoteTemplate(self.connection, told["id"])

    def export(self, templates: Sequence[RemoteTemplate] | None = None) -> Mapping[str, Any]:
        """Those, or all, as JSON for elsewhere."""
        ids = None if templates is None else [each.id for each in templates]
        return self.connection.post("training-templates/export", {"ids": ids})

    def take_in(
        self, exported: Mapping[str, Any], *, conflict: str = "skip", dry_run: bool = False
    ) -> list[Mapping[str, Any]]:
        """Keep the templates of an export, of miscope or of miStudio; what became of each.

        conflict: 'skip', 'overwrite' or 'rename' where there is one of that name.
        """
        query = {"conflict": conflict, "dry_run": dry_run}
        return self.connection.post("training-templates/import", exported, query)["results"]

    def _listed(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.connection.get("training-templates", query)

    def __repr__(self) -> str:
        return "\n".join(f"{each['name']} ({each['uses']} uses)" for each in self._listed({})["templates"]) or (
            "<no templates>"
        )
