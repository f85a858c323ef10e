"""A variant of a server's workspace as Python holds it: what it left is fetched, what it shows is drawn there."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

from miscope.errors import BadValue, NoCheckpoint
from miscope.field_docs import documented
from miscope.remote.absent import HasAbsent
from miscope.remote.connection import Connection
from miscope.remote.remote_catalogue import RemoteArtifacts, RemoteViews
from miscope.remote.remote_report import written_report
from miscope.remote.remote_view import RemoteView
from miscope.remote.series import one_metric, series

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pyarrow

    from miscope.analysis.analyzer_options import Options
    from miscope.artifact import Arrays
    from miscope.snapshot import Series
    from miscope.store.annotation import Annotation

__all__ = ["RemoteVariant"]

_THERE = "It is on the server's machine, and does not go over HTTP."


@final
@documented
@dataclass(frozen=True, repr=False)
class RemoteVariant(HasAbsent):
    """A variant in a server's workspace."""

    connection: Connection
    """To the server."""
    name: str
    """'modadd.transformer/p113-seed999-dseed598'."""
    params: Mapping[str, Any]
    """Its parameters, as far as they were given."""
    training: Mapping[str, Any] | None
    """Fields of its training that are not as the family has them; None of one that cannot be opened there."""
    step: int | None = None
    """Which checkpoint its views and arrays are of; None for their own choice."""

    absent: ClassVar = {
        "value": (_THERE, "Its `name`, `params` and `training` are here."),
        "workspace": (_THERE, "What is asked of the server goes over `connection`."),
        "variant": ("At a step it is the same handle.", "Leave the word out."),
        "train": ("A server trains in the background.", "Ask for it:  remote.queue.train(variant)"),
        "analyze": ("A server analyzes in the background.", "Ask for it:  remote.queue.analyze(variant, [NAME])"),
        "checkpoint": ("Weights do not go over HTTP.", "On the server's machine:  miscope bundle VARIANT"),
        "checkpoints": ("Weights do not go over HTTP.", "Which there are:  variant.steps, run.checkpoints()"),
        "lens": ("Lenses are files of packages and of the folder.", "Ask for each view:  variant.view(NAME)"),
    }

    def asked(self) -> Mapping[str, Any]:
        """Family, parameters and training, as a request has them; BadValue where its training is not known."""
        family, _, slug = self.name.partition("/")
        if self.training is None:
            known = "The server cannot open it, and says why:  remote.inventory()"
            raise BadValue(f"What is to be trained of {self.name} is not known here.", known, "Mend that first.")
        label = slug.partition("@")[2]
        asked = {"family": family, "params": dict(self.params), "training": dict(self.training)}
        return {**asked, "label": label} if label else asked

    def labelled(self, label: str) -> RemoteVariant:
        """Another of the same parameters and training, under a name of its own: 'family/slug@label'."""
        asked = {**self.asked(), "label": label}
        return replace(self, name=self.connection.post("trainings/check", asked)["what"])

    @property
    def steps(self) -> list[int]:
        """Steps with a checkpoint, ascending."""
        return [each["step"] for each in self.connection.get("checkpoints", {"variant": self.name})["checkpoints"]]

    def at(self, step: int | Literal["first", "last", "best"]) -> RemoteVariant:
        """The same, of which views and arrays are of this checkpoint; NoCheckpoint with the nearest ones if there is
        none."""
        from miscope.analysis.chosen_steps import one_step

        steps = self.steps
        number = one_step(step, steps, self.name, self.metrics)
        if number not in steps:
            raise NoCheckpoint(self.name, number, steps)
        return replace(self, step=number)

    def view(self, name: str, *, options: Options | None = None, **controls: Any) -> RemoteView:
        """A figure of the variant by the view's name; options: what it reads was computed with, by analyzer."""
        return RemoteView(self.connection, (self.name,), name, self.step, controls, options)

    @property
    def views(self) -> RemoteViews:
        """Views of it by name, which Tab completes: `variant.views.behaviour.losses`."""
        return RemoteViews(self)

    @property
    def artifacts(self) -> RemoteArtifacts:
        """What analyzers left of it, by name."""
        return RemoteArtifacts(self)

    @property
    def annotation(self) -> Annotation:
        """Its tags, notes and pins as they stand."""
        return _annotation(self.connection.get("annotation", {"variant": self.name}))

    def annotate(
        self,
        *,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
        pins: Mapping[int, str] | None = None,
        unpin: Sequence[int] | None = (),
    ) -> Annotation:
        """Have these be its tags, or its notes in Markdown; what is None stays, and what was there before is kept.

        pins: steps to come back to, each with a note or '', beside those it has. unpin: steps without one from now on.
        """
        from miscope.store.annotation import AnnotationChange, pins_of

        asked: dict[str, Any] = {"tags": None if tags is None else list(tags), "notes": notes}
        change = AnnotationChange(pins=pins_of(pins or {}), unpin=tuple(unpin or ()))
        if change:
            asked |= {"pins": [{"step": p.step, "note": p.note} for p in change.pins], "unpin": list(change.unpin)}
        return _annotation(self.connection.change("annotation", asked, {"variant": self.name}))

    def availability(self) -> Mapping[str, Any]:
        """Which views have something to show, and the steps of each artifact."""
        return self.connection.get("availability", {"variant": self.name})

    def metric(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Steps (n,) int64 and values (n,) float64 of a training metric."""
        return one_metric(self.metrics(), name, self.name)

    def metrics(self, *patterns: str, **query: int) -> dict[str, Series]:
        """Training metrics that match any of the shell patterns; all without one.

        query: `start_step`, `end_step`, and `max_points`, of each at most so many, its extremes among them.
        """
        return series(self.connection, "metrics", patterns, variant=self.name, **query)

    def history(self, *patterns: str) -> pyarrow.Table:
        """Metrics and single numbers of instruments, a row for each step."""
        from pyarrow import parquet

        asked = {"variant": [self.name], "names": list(patterns) or None}
        return parquet.read_table(io.BytesIO(self.connection.content("history/parquet", asked)))

    def report(self, path: str | Path, **options: Any) -> Path:
        """Write what is known of it as one file; as `RemoteWorkspace.report`."""
        return written_report(self.connection, [self.name], path, **options)

    def arrays(
        self,
        analyzer: str,
        step: int | Literal["first", "last", "best"] | None = None,
        names: Sequence[str] | None = None,
        *,
        options: Options | None = None,
    ) -> Arrays:
        """An analyzer's arrays at a step; without one over all steps, (T, ...) with those steps under 'step'.

        options: those it was computed with, by analyzer name. Refused where it was not computed, or is too large.
        """
        import numpy as np

        from miscope.analysis.analyzer_options import written_options

        at = self.step if step is None else self.at(step).step
        chosen = dict(option.split("=", 1) for option in written_options(options or {}))
        wanted = [names] if isinstance(names, str) else None if names is None else list(names)
        asked = {"variant": self.name, "analyzer": analyzer, "step": at, "names": wanted}
        with np.load(io.BytesIO(self.connection.content("arrays", {**asked, **chosen})), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}

    def __repr__(self) -> str:
        at = "" if self.step is None else f" at step {self.step}"
        return f"<{self.name}{at}, on {self.connection.url}>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(str(v))}</td></tr>" for k, v in self.params.items())
        return f"<b>{escape(self.name)}</b><br>{escape(self.connection.url)}<table>{rows}</table>"


def _annotation(seen: Mapping[str, Any]) -> Annotation:
    from miscope.store.annotation import Annotation, pins_of

    pins = pins_of({pin["step"]: pin["note"] for pin in seen.get("pins", ())})
    told = {name: seen[name] for name in ("notes", "revision", "written")}
    return Annotation(tags=tuple(seen["tags"]), pins=pins, **told)
