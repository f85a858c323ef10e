"""The queue of a server as Python holds it: ask for trainings and analyses, and for how far they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.field_docs import documented
from miscope.remote.connection import Connection
from miscope.remote.remote_run import RemoteRun, remote_runs_table

if TYPE_CHECKING:
    from miscope.remote.remote_variant import RemoteVariant

__all__ = ["RemoteQueue"]

_PAGE = 100


@final
@documented
@dataclass(frozen=True)
class RemoteQueue:
    """Runs of a server's workspace: each is done in the background there."""

    connection: Connection
    """To the server."""

    def train(
        self, variant: RemoteVariant, *, priority: int = 0, after: Sequence[RemoteRun | int] = (), **options: Any
    ) -> RemoteRun:
        """Ask for a training; options are fields of a `TrainRequest`: steps, threads, watch, group, ...

        priority: higher ones begin first. after: runs that have to be completed before.
        """
        return self._submit("trainings", {**variant.asked(), **options}, priority, after)

    def analyze(
        self,
        variants: RemoteVariant | Sequence[RemoteVariant],
        names: Sequence[str] | None = None,
        *,
        priority: int = 0,
        after: Sequence[RemoteRun | int] = (),
        **options: Any,
    ) -> RemoteRun:
        """Ask for an analysis, by these instruments or by all that apply; options: those of an `AnalyzeRequest`."""
        several = list(variants) if isinstance(variants, Sequence) else [variants]
        asked = {"variants": [each.name for each in several], "analyzers": None if names is None else list(names)}
        return self._submit("runs", {**asked, **options}, priority, after)

    def runs(self, *states: str) -> list[RemoteRun]:
        """All of them in the order in which they were asked for, or those in these states ('failed')."""
        return [RemoteRun(self.connection, run["id"]) for run in self._listed(states)]

    def run(self, number: int) -> RemoteRun:
        """The run of that number; Refused where there is none."""
        return RemoteRun(self.connection, self.connection.get(f"runs/{number}")["id"])

    def _submit(
        self, path: str, asked: Mapping[str, Any], priority: int, after: Sequence[RemoteRun | int]
    ) -> RemoteRun:
        needs = [each.number if isinstance(each, RemoteRun) else each for each in after]
        body = {**asked, "priority": priority, "needs": needs}
        return RemoteRun(self.connection, self.connection.post(path, body)["id"])

    def _listed(self, states: Sequence[str] = ()) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        page = pages = 1
        while page <= pages:
            answer = self.connection.get("runs", {"state": list(states) or None, "page": page, "limit": _PAGE})
            found, pages, page = found + answer["data"], answer["pagination"]["pages"], page + 1
        # A run that came meanwhile moves the others on by one.
        return sorted({run["id"]: run for run in found}.values(), key=lambda run: run["id"])

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.runs())) or "<no runs>"

    def _repr_html_(self) -> str:
        return remote_runs_table(self._listed())
