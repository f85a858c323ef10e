"""Several variants into the trash, what is built on others before these; those that a run is to work on stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.commands import in_workspace
from miscope.errors import BadValue, MiscopeError
from miscope.runs.run_queue import RunQueue
from miscope.store.trash import Deleted, delete

if TYPE_CHECKING:
    from miscope.store.variant_record import VariantRecord
    from miscope.workspace import Workspace

__all__ = ["Deletion", "delete_variants"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What became of one variant that was to be deleted."""

    name: str
    deleted: Deleted | None = None
    """Where it is now; None where it was refused."""
    refused: str = ""


def delete_variants(workspace: Workspace, names: Iterable[str]) -> Iterator[Deletion]:
    """Move each into the trash, from which `restore` brings it back; one that is refused keeps back none of them."""
    with closing(RunQueue(workspace.root)) as queue:
        for name in _children_first(workspace, [*dict.fromkeys(names)]):
            try:
                _refuse_in_use(queue, name)
                yield Deletion(name=name, deleted=delete(workspace.store, name))
            except MiscopeError as error:
                yield Deletion(name=name, refused=str(error))


def _children_first(workspace: Workspace, names: Sequence[str]) -> Iterator[str]:
    """The names, what is built on another of them before it; else in their own order."""
    records = {name: _record(workspace, name) for name in names}
    left = [*names]
    while left:
        needed = {digest for name in left if (record := records[name]) is not None for digest in record.parents}
        free = [name for name in left if (record := records[name]) is None or record.digest not in needed] or left
        yield from free
        left = [name for name in left if name not in free]


def _record(workspace: Workspace, name: str) -> VariantRecord | None:
    """None where it cannot be read, which is said when it is to be deleted."""
    try:
        return workspace.store.variant_record(name)
    except MiscopeError:
        return None


def _refuse_in_use(queue: RunQueue, name: str) -> None:
    """BadValue where a run that has not ended trains the variant or analyzes it."""
    numbers = [run.id for run in queue.unfinished_on(name)]
    if numbers:
        listed = in_workspace(queue.layout.root, "miscope runs list")
        raise BadValue(
            f"{name} cannot be deleted.",
            f"These runs are to work on it: {', '.join(map(str, numbers))}.",
            f"Stop or cancel them first, on the page Jobs or by number:  {listed}",
        )
