"""A template of a server's workspace as Python holds it: a study that is kept to start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from miscope.field_docs import documented
from miscope.remote.connection import Connection

__all__ = ["RemoteTemplate"]


@final
@documented
@dataclass(frozen=True)
class RemoteTemplate:
    """A template of a server's workspace; whatever is asked of it is read anew."""

    connection: Connection
    """To the server."""
    id: str
    """Stays as it is, whatever the template is called."""

    @property
    def value(self) -> Mapping[str, Any]:
        """'name', 'description', 'favourite', 'tags', 'uses', 'study', ..., as it stands now."""
        return self.connection.get(f"training-templates/{self.id}")

    def change(self, **facts: Any) -> RemoteTemplate:
        """Change what is given of it: `name`, `description`, `favourite`, `tags`, `study`."""
        return self._same(self.connection.change(f"training-templates/{self.id}", facts))

    def replace(self, name: str, study: Mapping[str, Any], **facts: Any) -> RemoteTemplate:
        """Have it be this study under these facts; those that are not given are as of a new one."""
        body = {"name": name, "study": dict(study), **facts}
        return self._same(self.connection.put(f"training-templates/{self.id}", body))

    def duplicate(self) -> RemoteTemplate:
        """A copy under a name that says so, never used and no favourite."""
        return self._same(self.connection.post(f"training-templates/{self.id}/duplicate"))

    def favourite(self, favourite: bool = True) -> RemoteTemplate:
        """Have it come first in listings, or no longer."""
        return self._same(self.connection.post(f"training-templates/{self.id}/favorite", {"favourite": favourite}))

    def delete(self) -> None:
        """Forget it; what was run from it stays."""
        self.connection.delete(f"training-templates/{self.id}")

    def _same(self, told: Mapping[str, Any]) -> RemoteTemplate:
        return RemoteTemplate(self.connection, told["id"])

    def __repr__(self) -> str:
        return f"<template {self.value['name']!r} on {self.connection.url}>"
