"""A small workspace with a trained variant or two: what the checks use instead of mocks."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, final

from miscope.field_docs import documented
from miscope.hookspecs import hookimpl
from miscope.plugins.plugins import Plugins
from miscope.schedule import Explicit
from miscope.validation import split_fields

if TYPE_CHECKING:
    from miscope.analyzer import Analyzer
    from miscope.bound import BoundVariant, BoundWorkspace
    from miscope.checkpoint import Checkpoint
    from miscope.family import Family
    from miscope.source import Source
    from miscope.view import View
    from miscope.workspace import Workspace

__all__ = ["Scene", "copied", "scene", "tables"]


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """Two trained variants of one family, which differ by their seed if the family has one, in a workspace."""

    workspace: Workspace
    """In a temporary folder, which is removed at the end."""
    variants: tuple[BoundVariant, ...]
    """Trained; one where the family has no seed."""


@contextmanager
def scene(
    family: Family,
    plugins: Plugins,
    params: Mapping[str, Any] | None = None,
    *,
    steps: int | None = None,
    optimizer: bool = False,
) -> Iterator[Scene]:
    """Train the family for a few steps in a temporary workspace, with a checkpoint at every other one.

    What it is built on is trained before, as far as it names variants that their families' defaults give; what comes
    from elsewhere is taken as it is. steps: None for 4, and as long as they say of the toy families. params: of the
    family, and fields of its training. optimizer: whether its state is kept beside them.
    """
    from miscope.bound import open_bound
    from miscope.testing.toy import ToyFamily, ToyFourierFamily

    toy = isinstance(family, ToyFamily | ToyFourierFamily)
    short = {} if toy and steps is None else {"steps": steps or 4, "checkpoints": "every:2"}
    short |= {"save_optimizer": True} if optimizer else {}
    with tempfile.TemporaryDirectory(prefix="miscope-scene-") as folder:
        workspace = open_bound(Path(folder), plugins)
        seeds = [{"seed": 1}, {"seed": 2}] if "seed" in family.params.model_fields else [{}]
        given = [{**seed, **dict(params or {})} for seed in seeds]
        checked = [family.params.model_validate(split_fields(family, fields)[0]) for fields in given]
        for one in checked:
            _train_sources(workspace, family.sources(one))
        trained = family.training(checked[0]) is not None
        variants = tuple(workspace.variant(family.name, **{**fields, **(short if trained else {})}) for fields in given)
        variants = tuple({variant.name: variant for variant in variants}.values())
        fill = partial(_fill, variants, trained=trained)
        if any(family.sources(one) for one in checked) or getattr(family, "__dict__", None):
            fill()
        else:
            asked = [(variant.value.digest, repr(variant.value.training)) for variant in variants]
            _kept().put((type(family), *asked), Path(folder), fill)
        yield Scene(workspace=workspace.value, variants=variants)


def _fill(variants: Sequence[BoundVariant], *, trained: bool) -> None:
    for variant in variants:
        variant.workspace.value.keep_record(variant.value)
        for _ in variant.train(threads=1) if trained else ():
            pass


@final
class _Kept:
    """What scenes were filled with in this process: where a family holds nothing of its own, the same each time."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="miscope-scenes-"))
        self._folders: dict[tuple[object, ...], Path] = {}
        atexit.register(self._remove, os.getpid())

    def _remove(self, process: int) -> None:
        if os.getpid() == process:  # a fork of it may end before it does
            shutil.rmtree(self._root, ignore_errors=True)

    def put(self, key: tuple[object, ...], folder: Path, fill: Callable[[], None]) -> None:
        """Fill the folder, or put there what it was filled with under this key."""
        if key in self._folders:
            shutil.copytree(self._folders[key], folder, dirs_exist_ok=True)
            return
        fill()
        kept = self._root / str(len(self._folders))
        self._folders[key] = Path(shutil.copytree(folder, kept))


@cache
def _kept() -> _Kept:
    return _Kept()


def _train_sources(workspace: BoundWorkspace, sources: Sequence[Source]) -> None:
    """Those that are their families' default variants: with a checkpoint at each step that is built on, or as they are
    where nothing is trained."""
    steps: dict[str, set[int]] = {}
    for source in sources:
        steps.setdefault(source.variant, set()).add(source.step)
    for name, taken in steps.items():
        kind = name.partition("/")[0]
        if workspace.variant(kind).value.training is None:
            workspace.value.keep_record(workspace.variant(kind).value)
            continue
        schedule = Explicit(steps=tuple(sorted(taken)))
        parent = workspace.variant(kind, steps=max(1, *taken), checkpoints=schedule)
        if parent.name == name and not parent.steps:
            for _ in parent.train(threads=1):
                pass


def copied(run: BoundVariant, label: str, checkpoints: Sequence[Checkpoint]) -> BoundVariant:
    """The run beside itself, under a label, with these checkpoints, and its metrics until the last of them."""
    store, variant = run.workspace.store, run.labelled(label)
    store.save_variant(variant.value)
    for checkpoint in checkpoints:
        store.save_checkpoint(variant.name, checkpoint)
    until = max(checkpoint.step for checkpoint in checkpoints)
    recorded = run.metrics().items()
    rows = [(int(s), name, float(v)) for name, m in recorded for s, v in zip(m.steps, m.values, strict=True)]
    store.append_metrics(variant.name, [row for row in rows if row[0] <= until])
    return variant


def tables(*records: Family | Analyzer | View, **modules: object) -> Plugins:
    """Core's instruments, the toy families, these modules' records and these single records; nothing else installed."""
    from miscope import builtin
    from miscope.testing import toy

    offered = {"core": builtin, "toy": toy, **modules}
    hooks = tuple(_hooks_of(module) for module in offered.values())
    installed = _tables(tuple(offered.items()), hooks) if None not in hooks else Plugins.of(**offered)
    there = {*installed.families, *installed.analyzers, *installed.views} if records else set()
    fresh = tuple(record for record in records if record.name not in there)
    return Plugins.of(**offered, checked=_Records(fresh)) if fresh else installed


def _hooks_of(module: object) -> tuple[object, ...] | None:
    """The functions by which a module offers records; None of what is no module."""
    if not isinstance(module, ModuleType):
        return None
    return tuple(each for name, each in vars(module).items() if name.startswith("miscope_") and callable(each))


@lru_cache(maxsize=64)
def _tables(offered: tuple[tuple[str, object], ...], hooks: tuple[object, ...]) -> Plugins:
    """Of the same modules with the same hooks the same, since each record is checked when its table is made."""
    return Plugins.of(**dict(offered))


@final
class _Records:
    """Single records behind the hooks of a plug-in."""

    def __init__(self, records: tuple[Family | Analyzer | View, ...]) -> None:
        self._records = records

    def _of(self, kind: type) -> tuple[Any, ...]:
        return tuple(record for record in self._records if isinstance(record, kind))

    @hookimpl
    def miscope_families(self) -> tuple[Family, ...]:
        from miscope.family import Family

        return self._of(Family)

    @hookimpl
    def miscope_analyzers(self) -> tuple[Analyzer, ...]:
        from miscope.analyzer import Analyzer

        return self._of(Analyzer)

    @hookimpl
    def miscope_views(self) -> tuple[View, ...]:
        from miscope.view import View

        return self._of(View)
