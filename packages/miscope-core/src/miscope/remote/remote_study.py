"""A study of a server's workspace as Python holds it: its keys and its runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from miscope.errors import BadValue
from miscope.field_docs import documented
from miscope.remote.connection import Connection
from miscope.remote.remote_run import RemoteRun, remote_runs_table
from miscope.remote.remote_template import RemoteTemplate

__all__ = ["RemoteStudy", "study_asked"]


@final
@documented
@dataclass(frozen=True)
class RemoteStudy:
    """A study whose runs are, or were, in a server's queue."""

    connection: Connection
    """To the server."""
    name: str
    """The group of its runs."""

    @property
    def value(self) -> Mapping[str, Any]:
        """Every setting of its runs, and where these stand, in the words of `GET /api/v1/studies/NAME`."""
        return self.connection.get(f"studies/{self.name}")

    @property
    def runs(self) -> list[RemoteRun]:
        """Those in the queue, the first asked for first."""
        return [RemoteRun(self.connection, run["id"]) for run in self.value["runs"]]

    def __repr__(self) -> str:
        return f"<study {self.name} on {self.connection.url}>"

    def _repr_html_(self) -> str:
        return remote_runs_table(self.value["runs"])


def study_asked(study: Mapping[str, Any] | str | Path | RemoteTemplate) -> Mapping[str, Any]:
    """A study's keys, its file, or a template, as a request has it; BadStudy for a file that says none."""
    from miscope.jsonable import jsonable
    from miscope.studies.extending import read_study_file

    if isinstance(study, RemoteTemplate):
        return {"template": study.id}
    if isinstance(study, Mapping):
        return {"study": dict(study)}
    if isinstance(study, str | Path):
        document = read_study_file(Path(study))
        return {"study": jsonable({"name": Path(study).stem, **document.values})}
    raise BadValue(
        f"A {type(study).__name__} is no study.",
        "A study is its keys as a mapping, the path of its file, or a template.",
        "Give one of these:  remote.queue.sweep('study.yaml')",
    )
