"""The Python interface: a workspace, its variants and their checkpoints as handles, which only call the verbs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from miscope.bound_catalogue import ShownVariant
from miscope.bound_comparing import BoundComparing
from miscope.bound_html import workspace_table
from miscope.bound_queue import BoundQueue
from miscope.bound_view import BoundView
from miscope.errors import UnknownName
from miscope.field_docs import documented
from miscope.store.no_checkpoint import no_checkpoint
from miscope.train_options import options_of
from miscope.variant import Variant
from miscope.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import numpy as np
    import pyarrow
    from torch import Tensor, nn

    from miscope.analysis.analyzer_options import Options
    from miscope.artifact import Arrays
    from miscope.checkpoint import Checkpoint
    from miscope.inventory import Stored
    from miscope.model_context import ModelContext
    from miscope.outcome import Outcome
    from miscope.plugins.plugins import Plugins
    from miscope.probe import Probe
    from miscope.recording.recorder import Recorder
    from miscope.snapshot import Series
    from miscope.store.store import Store
    from miscope.training.train import Progress

    Paths = str | Path | Iterable[str | Path]
    Recording = AbstractContextManager[Recorder]

__all__ = ["BoundSnapshot", "BoundVariant", "BoundWorkspace", "open_bound"]


def open_bound(path: str | Path | None = None, plugins: Plugins | None = None) -> BoundWorkspace:
    """The workspace at the path, else at MISCOPE_WORKSPACE, else in ./miscope-workspace; nothing is written yet.

    plugins: the tables in force; None for everything installed. This is `miscope.open`.
    """
    return BoundWorkspace(open_workspace(path, plugins))


@final
@documented
@dataclass(frozen=True)
class BoundWorkspace(BoundComparing):
    """A workspace whose variants are handles."""

    def variant(self, family: str, **fields: Any) -> BoundVariant:
        """The variant of a family with these parameters and training fields, told apart by name; nothing is written.

        Raises BadValue if its folder holds another variant.
        """
        return BoundVariant(self, self.value.variant(family, **fields))

    def find(self, name: str) -> BoundVariant:
        """A stored variant by its name 'family/slug', or by its slug where one family has it."""
        return BoundVariant(self, self.value.find(name))

    def variants(self, family: str | None = None) -> list[BoundVariant]:
        """Stored variants that can be opened, by name; `inventory` has the others too, and why not."""
        return [BoundVariant(self, variant) for variant in self.value.variants(family)]

    def inventory(self, family: str | None = None) -> list[Stored]:
        """Everything that lies here as a variant, by name: what can be opened, and the reason for what cannot."""
        return self.value.inventory(family)

    def names(self, family: str | None = None) -> list[str]:
        """Names of all stored variants, whether or not their family is installed."""
        return self.value.names(family)

    def view(
        self, name: str, variants: Sequence[BoundVariant], *, options: Options | None = None, **controls: Any
    ) -> BoundView:
        """A figure that compares variants, by the view's name; options: as of `BoundVariant.view`."""
        self.plugins.view(name)
        return BoundView(self.value, tuple(variant.value for variant in variants), name, None, controls, options)

    def lens(self, name: str, variants: Sequence[BoundVariant]) -> list[BoundView]:
        """The figures of variants through a lens: a view that compares once, any other of each; as `miscope lenses`."""
        from miscope.figures.lenses import known_lenses, looked_through

        lens, values = known_lenses(self.value).named(name), [variant.value for variant in variants]
        looked = looked_through(lens, self.plugins.views, values)
        return [BoundView(self.value, one.variants, one.view.name, None, dict(one.controls)) for one in looked]

    def record(self, name: str, model: nn.Module, *, probe: Probe | Tensor, **options: Any) -> Recording:
        """Record a training loop of one's own under a name; options are those of `miscope.recording.record.record`.

        `with workspace.record("my-run", model, probe=probe) as recorder:`, and in the loop
        `recorder.checkpoint(step, model, metrics={...}, optimizer=optimizer)`.
        """
        from miscope.recording.record import record

        return record(self.value, name, model, probe=probe, **options)

    def adopt(self, paths: Paths = (), **options: Any) -> list[BoundVariant]:
        """Import checkpoints, losses, bundles made elsewhere; options are those of `miscope.importing.adopt.adopt`."""
        from miscope.importing.adopt import adopt

        return [BoundVariant(self, variant) for variant in adopt(self.value, paths, **options)]

    def adopt_module(self, paths: Paths, **options: Any) -> BoundVariant:
        """Import checkpoints of a module of one's own; options: `miscope.importing.modules.adopt_module`."""
        from miscope.importing.modules import adopt_module

        return BoundVariant(self, adopt_module(self.value, paths, **options))

    def bundle(self, variants: Sequence[BoundVariant], path: str | Path, **options: Any) -> None:
        """Put variants into one archive for another workspace; options: `miscope.exporting.bundle.bundle`."""
        from miscope.exporting.bundle import bundle

        for _ in bundle(self.value, [variant.value for variant in variants], path, **options):
            pass

    def report(self, variants: Sequence[BoundVariant], path: str | Path, **options: Any) -> Path:
        """Write what is known of variants as html, md, pdf or ipynb; options: `miscope.reporting.report.report`."""
        from miscope.reporting.report import report

        for _ in report(self.value, [variant.value for variant in variants], path, **options):
            pass
        return Path(path)

    def context(self, variant: BoundVariant | Variant) -> ModelContext:
        """The variant with what its family says of it: model, probes, bases, task."""
        return self.value.context(variant.value if isinstance(variant, BoundVariant) else variant)

    def ask(self, sql: str) -> pyarrow.Table:
        """The answer to a SELECT over variants, runs, checkpoints, artifacts, metrics and scalars."""
        return self.value.ask(sql)

    @property
    def queue(self) -> BoundQueue:
        """Its runs, done in the background."""
        return BoundQueue(self.value)

    def __repr__(self) -> str:
        return f"BoundWorkspace({str(self.root)!r})"

    def _repr_html_(self) -> str:
        return workspace_table(self.value)


@final
@documented
@dataclass(frozen=True, repr=False)
class BoundVariant(ShownVariant):
    """A variant in its workspace."""

    workspace: BoundWorkspace
    """Where it is, or will be."""
    value: Variant
    """What the verbs take."""

    @property
    def name(self) -> str:
        """'modadd.transformer/p113-seed999-dseed598'."""
        return self.value.name

    def labelled(self, label: str) -> BoundVariant:
        """Another of the same parameters and training, under a name of its own: 'family/slug@label'."""
        return BoundVariant(self.workspace, self.value.labelled(label))

    def train(self, **options: Any) -> Iterator[Progress]:
        """Train it, or go on where it stopped; yields progress. Options: `miscope.train_options.TrainOptions`."""
        from miscope.training.train import train

        return train(self.workspace.value, self.value, options_of(options))

    def analyze(self, *names: str, **options: Any) -> list[Outcome]:
        """Compute what is absent of these analyzers, or of all that apply. Options as of `analyze`."""
        from miscope.analysis.analyze import analyze

        return list(analyze(self.workspace.value, [self.value], names or None, **options))

    @property
    def steps(self) -> list[int]:
        """Steps with a checkpoint, ascending."""
        return self._store.steps(self.name)

    @property
    def checkpoints(self) -> Iterator[Checkpoint]:
        """Every checkpoint, loaded as one comes to it."""
        store = self._store
        return (store.load_checkpoint(self.name, step) for step in self.steps)

    def at(self, step: int | Literal["first", "last", "best"]) -> BoundSnapshot:
        """The variant at a checkpoint; NoCheckpoint with the nearest ones if there is none.

        'best' is the one with the largest test accuracy, else the least test loss, else the least training loss, of
        those at whose step it was recorded; of equals the earliest.
        """
        number = self._number(step)
        if number not in self.steps:
            raise no_checkpoint(self._store.layout, self.name, number, self.steps)
        return BoundSnapshot(self, number)

    def _number(self, step: object) -> int:
        from miscope.analysis.chosen_steps import one_step

        return one_step(step, self.steps, self.name, lambda: self._store.metrics(self.name))

    def view(self, name: str, *, options: Options | None = None, **controls: Any) -> BoundView:
        """A figure of the variant by the view's name; options: what it reads was computed with, by analyzer."""
        self.workspace.plugins.view(name)
        return BoundView(self.workspace.value, (self.value,), name, None, controls, options)

    def lens(self, name: str) -> list[BoundView]:
        """The figures of the variant through a lens, in its order."""
        return self.workspace.lens(name, [self])

    def metric(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Steps (n,) int64 and values (n,) float64 of a training metric."""
        series = self.metrics(name)
        if name not in series:
            known = self.metrics()
            raise UnknownName("metric", name, known, listing=f"{self.name} has: {', '.join(known) or 'none'}.")
        return series[name].steps, series[name].values

    def metrics(self, *patterns: str) -> dict[str, Series]:
        """Training metrics that match any of the shell patterns; all without one."""
        return self._store.metrics(self.name, patterns or ("*",))

    def history(self, *patterns: str) -> pyarrow.Table:
        """Metrics and single numbers of instruments, a row for each step; as `miscope.exporting.history.history`."""
        from miscope.exporting.history import history

        return history(self.workspace.value, self.value, patterns or ("*",))

    def report(self, path: str | Path, **options: Any) -> Path:
        """Write what is known of it as one file; as `BoundWorkspace.report`."""
        return self.workspace.report([self], path, **options)

    def arrays(
        self,
        analyzer: str,
        step: int | Literal["first", "last", "best"] | None = None,
        names: Sequence[str] | None = None,
        *,
        options: Options | None = None,
    ) -> Arrays:
        """An analyzer's arrays at a step; without one over all steps, (T, ...) with those steps under 'step'.

        options: those it was computed with, by analyzer name, as `analyze` was given them.
        """
        from miscope.analysis.artifacts import arrays

        at = None if step is None else self._number(step)
        return arrays(self.workspace.value, self.value, analyzer, step=at, names=names, options=options)

    @property
    def _store(self) -> Store:
        """The workspace's files, once it is sure that those under this name are the variant's own; BadValue if not."""
        self.workspace.store.refuse_another(self.value)
        return self.workspace.store

    @property
    def _place(self) -> tuple[Workspace, Variant]:
        return self.workspace.value, self.value


@final
@documented
@dataclass(frozen=True)
class BoundSnapshot:
    """A variant at one of its checkpoints."""

    variant: BoundVariant
    """The variant."""
    step: int
    """At which there is a checkpoint."""

    def view(self, name: str, *, options: Options | None = None, **controls: Any) -> BoundView:
        """A figure at this step by the view's name; options: what it reads was computed with, by analyzer."""
        self.variant.workspace.plugins.view(name)
        here = self.variant.workspace.value
        return BoundView(here, (self.variant.value,), name, self.step, controls, options)

    def arrays(self, analyzer: str, names: Sequence[str] | None = None, *, options: Options | None = None) -> Arrays:
        """An analyzer's arrays at this step; options: those it was computed with, by analyzer name."""
        return self.variant.arrays(analyzer, self.step, names, options=options)

    @property
    def checkpoint(self) -> Checkpoint:
        """The weights."""
        return self.variant._store.load_checkpoint(self.variant.name, self.step)
