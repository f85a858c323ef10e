"""Whether what a variant is built on is there, whole, and what it was: else a reason in three parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from miscope.commands import in_workspace
from miscope.errors import BadValue, MiscopeError, UnknownName
from miscope.family import Family
from miscope.source import Source
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.store.store import Store

__all__ = ["check_source", "source_facts", "with_parents"]


def with_parents(
    store: Store, family: Family, variant: Variant, *, unwritten: Mapping[str, Variant] | None = None
) -> Variant:
    """The variant with the digests of what it is built on, which are part of its own.

    unwritten: variants by name that it may be built on before they are in the workspace. Raises BadValue where
    something else is not there.
    """
    sources, known = family.sources(variant.params), unwritten or {}
    if not sources:
        return variant
    parents = (
        known[source.variant].digest if source.variant in known else _digest(store, variant.family, source)
        for source in sources
    )
    return replace(variant, parents=tuple(parents))


def check_source(store: Store, variant: Variant, place: int, source: Source) -> None:
    """BadValue where the source is gone, is not what the variant was built on, or has no such step (yet).

    place: of the source among the variant's.
    """
    name, parent = variant.name, source.variant
    digest = _digest(store, name, source)
    if digest != variant.parents[place]:
        raise BadValue(
            f"{name} is built on {parent}, which is another variant now.",
            f"It had digest {variant.parents[place]}, and has {digest}.",
            f"Put back the one it was; or build a new one on it:  {in_workspace(store.root, _train(variant))}",
        )
    steps = store.steps(parent)
    if source.step not in steps:
        raise BadValue(
            f"{name} is built on step {source.step} of {parent}, which has no checkpoint there.",
            _what_there_is(store, parent, steps),
            "Wait until it is there; or name a step that is." if _trainer(store, parent) else "Name a step that is.",
        )
    known = _remembered(store, name).get(str(source))
    now = _checksum(store, source)
    if known is not None and now != known:
        again = in_workspace(store.root, f"miscope train {name} --as NAME")
        raise BadValue(
            f"{name} is built on step {source.step} of {parent}, and that checkpoint was changed since.",
            f"Its checksum was {known}, and is {now}.",
            f"Put back the file it was; or begin again under a name of its own:  {again}",
        )


def source_facts(store: Store, sources: Sequence[Source]) -> dict[str, str]:
    """What is remembered of each checkpoint built on: its checksum, by what it is in words."""
    return {str(source): _checksum(store, source) for source in sources}


def _checksum(store: Store, source: Source) -> str:
    """Of all that the checkpoint's file says, its tensors' checksums among it; "" of one from before there were any.

    "" too of one that is no file of the workspace: what a family brings from elsewhere is what its digest says.
    """
    from miscope.store.checkpoint_file import read_header

    path = store.layout.checkpoint(source.variant, source.step)
    return str(read_header(path).get("checksum", "")) if path.exists() else ""


def _digest(store: Store, child: str, source: Source) -> str:
    try:
        return store.variant_record(source.variant).digest
    except UnknownName as error:
        known = str(error).split("\n")[1:]
        raise BadValue(
            f"{child} is built on {source.variant}, which is not in this workspace.",
            known[-1] if known else f"The workspace is {store.root}.",
            "Train or import it first, or name another.",
        ) from None


def _what_there_is(store: Store, parent: str, steps: Sequence[int]) -> str:
    there = f"It has {', '.join(map(str, steps[-5:]))}{' at the end' * (len(steps) > 5)}" if steps else "It has none"
    trainer = _trainer(store, parent)
    return f"{there}, and is still being trained{trainer}." if trainer else f"{there}."


def _trainer(store: Store, parent: str) -> str:
    """Who trains it now, in words; "" where nobody does."""
    from miscope.store.variant_lock import lock_holder

    return lock_holder(store.layout.lock(parent))


def _remembered(store: Store, name: str) -> Mapping[str, str]:
    try:
        recorded = store.variant_record(name).facts.get("sources")
    except MiscopeError:  # there is no record yet
        return {}
    return dict(recorded) if isinstance(recorded, Mapping) else {}


def _train(variant: Variant) -> str:
    return f"miscope train {variant.family} ..."
