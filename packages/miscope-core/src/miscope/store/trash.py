"""Variants that were deleted and can be put back: moved aside whole, within the workspace."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, final

from miscope.commands import in_workspace
from miscope.errors import BadValue, MiscopeError, UnknownName
from miscope.store.atomic import explaining, make_folder

if TYPE_CHECKING:
    from miscope.store.store import Store

__all__ = ["Deleted", "delete", "deleted", "empty_trash", "restore"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A variant in the trash."""

    name: str
    """'family/slug', as it was called."""
    when: str
    """'20261128T130000123456', UTC, to the microsecond."""
    path: Path
    """Where its files are now."""

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())


def delete(store: Store, name: str) -> Deleted:
    """Move the variant into the trash, with everything that was computed of it; `restore` brings it back.

    Raises UnknownName where there is none, BadValue where others are built on it, Busy while somebody writes into it.
    """
    digest = store.variant_record(name).digest
    children = [other for other in store.variants() if other != name and digest in _parents(store, other)]
    if children:
        raise BadValue(
            f"{name} cannot be deleted.",
            f"These are built on it: {', '.join(children)}.",
            "Delete them first, or keep it.",
        )
    when = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    target = store.layout.trash / f"{when}-{secrets.token_hex(3)}" / name
    with store.writing(name), explaining(target):
        make_folder(target.parent)
        store.layout.variant(name).rename(target)
    return Deleted(name=name, when=when, path=target)


def deleted(store: Store) -> list[Deleted]:
    """What is in the trash, the latest first."""
    found = sorted(store.layout.trash.glob("*/*/*"), reverse=True) if store.layout.trash.is_dir() else []
    return [
        Deleted(name=f"{path.parent.name}/{path.name}", when=path.parent.parent.name.partition("-")[0], path=path)
        for path in found
        if path.is_dir()
    ]


def restore(store: Store, name: str) -> Deleted:
    """Put the variant of that name that was deleted last back to its place.

    Raises UnknownName where none was deleted, BadValue where there is one of that name again.
    """
    known = deleted(store)
    found = next((each for each in known if each.name == name), None)
    if found is None:
        names = sorted({each.name for each in known})
        listing = f"The trash holds {', '.join(names[:5]) or 'nothing'}."
        raise UnknownName("deleted variant", name, names, listing=listing)
    place = store.layout.variant(name)
    if place.exists():
        raise BadValue(
            f"{name} cannot be put back.",
            "There is a variant of that name again.",
            f"Delete that one first:  {in_workspace(store.root, f'miscope delete {name}')}",
        )
    make_folder(place.parent)
    with explaining(place):
        found.path.rename(place)
    _remove_empty(found.path.parent)
    return found


def empty_trash(store: Store) -> list[Deleted]:
    """Remove what is in the trash for good; what that was."""
    gone = deleted(store)
    if store.layout.trash.is_dir():
        with explaining(store.layout.trash):
            shutil.rmtree(store.layout.trash)
    return gone


def _parents(store: Store, name: str) -> tuple[str, ...]:
    """Digests of what it is built on; of a variant whose record cannot be read, nothing is known."""
    try:
        return store.variant_record(name).parents
    except MiscopeError:
        return ()


def _remove_empty(folder: Path) -> None:
    """The folder and the one above it, once nothing is in them."""
    for each in (folder, folder.parent):
        if not any(each.iterdir()):
            each.rmdir()
