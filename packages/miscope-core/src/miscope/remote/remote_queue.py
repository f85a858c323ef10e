"""The queue of a server as Python holds it: ask for trainings and analyses, and for how far they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from miscope.field_docs import documented
from miscope.remote.absent import HasAbsent
from miscope.remote.connection import Connection
from miscope.remote.remote_run import RemoteRun, remote_runs_table
from miscope.remote.remote_study import RemoteStudy, study_asked
from miscope.remote.stream import changes

if TYPE_CHECKING:
    from pathlib import Path

    from miscope.remote.remote_template import RemoteTemplate
    from miscope.remote.remote_variant import RemoteVariant

    Study = Mapping[str, Any] | str | Path | RemoteTemplate

__all__ = ["RemoteQueue"]

_PAGE = 100


@final
@documented
@dataclass(frozen=True, repr=False)
class RemoteQueue(HasAbsent):
    """Runs of a server's workspace: each is done in the background there."""

    connection: Connection
    """To the server."""

    absent: ClassVar = {
        "value": ("It is on the server's machine.", "What is asked of the server goes over `connection`."),
    }

    def train(
        self, variant: RemoteVariant, *, priority: int = 0, after: Sequence[RemoteRun | int] = (), **options: Any
    ) -> RemoteRun:
        """Ask for a training; options are fields of a `TrainRequest`: steps, threads, watch, group, ...; and
        `then_analyze`: true, or names of instruments.

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

    def estimate(self, variant: RemoteVariant, **options: Any) -> Mapping[str, Any]:
        """What such a training would be and will take; nothing is queued. Options as of `train`."""
        return self.connection.post("trainings/estimate", {**variant.asked(), **options})

    def sweep(self, study: Study, **options: Any) -> RemoteStudy:
        """Ask for what is left of a study: trainings, each with its analysis behind it.

        study: its keys, the path of its file, or a template. options: `name`, `only`, `start_from`, `priority`.
        """
        told = self.connection.post("studies", {**study_asked(study), **options})
        return RemoteStudy(self.connection, told["name"])

    def plan(self, study: Study, **options: Any) -> list[Mapping[str, Any]]:
        """What `sweep` would ask for, run by run: every setting, what there is of it, what it will take."""
        return self.connection.post("studies", {**study_asked(study), **options, "dry_run": True})["runs"]

    def runs(self, *states: str, group: str | None = None, q: str = "", deleted: bool = False) -> list[RemoteRun]:
        """All of them in the order in which they were asked for, or those in these states ('failed').

        group: of this study alone. q: only what has this in its name. deleted: those that were deleted.
        """
        found = self._listed(state=list(states) or None, group=group, q=q, deleted=deleted)
        return [RemoteRun(self.connection, run["id"]) for run in found]

    def run(self, number: int) -> RemoteRun:
        """The run of that number; Refused where there is none."""
        return RemoteRun(self.connection, self.connection.get(f"runs/{number}")["id"])

    def retry(self, runs: Sequence[RemoteRun | int]) -> list[Mapping[str, Any]]:
        """Retry several, each as a new run: the 'id' of each, its new 'run', or why it was 'refused'."""
        return self.connection.post("runs/bulk-retry", {"ids": _numbers(runs)})["results"]

    def delete(self, runs: Sequence[RemoteRun | int]) -> list[Mapping[str, Any]]:
        """Take several out of the list, as `RemoteRun.delete`; what became of each."""
        return self.connection.post("runs/bulk-delete", {"ids": _numbers(runs)})["results"]

    def watch(self, *runs: RemoteRun | int) -> Iterator[Mapping[str, Any]]:
        """What happens to these runs, or to any, as it happens: 'event', 'id', 'from', 'run'; until the server ends."""
        return changes(self.connection, _numbers(runs))

    def _submit(
        self, path: str, asked: Mapping[str, Any], priority: int, after: Sequence[RemoteRun | int]
    ) -> RemoteRun:
        body = {**asked, "priority": priority, "needs": _numbers(after)}
        return RemoteRun(self.connection, self.connection.post(path, body)["id"])

    def _listed(self, **query: Any) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        page = pages = 1
        while page <= pages:
            answer = self.connection.get("runs", {**query, "page": page, "limit": _PAGE})
            found, pages, page = found + answer["data"], answer["pagination"]["pages"], page + 1
        # A run that came meanwhile moves the others on by one.
        return sorted({run["id"]: run for run in found}.values(), key=lambda run: run["id"])

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.runs())) or "<no runs>"

    def _repr_html_(self) -> str:
        return remote_runs_table(self._listed())


def _numbers(runs: Sequence[RemoteRun | int]) -> list[int]:
    return [each.number if isinstance(each, RemoteRun) else each for each in runs]
