"""The error for a step without a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

from miscope.errors import MiscopeError, NoCheckpoint
from miscope.store.layout import Layout
from miscope.store.origin import origin_of

__all__ = ["no_checkpoint"]


def no_checkpoint(layout: Layout, name: str, step: int | None, steps: Sequence[int]) -> NoCheckpoint:
    """steps: those there are. Of a variant that has none at all it says what there is instead."""
    from miscope.store.record_file import read_record

    try:
        origin = origin_of(read_record(layout.record(name), name).facts)
    except (MiscopeError, FileNotFoundError, NotADirectoryError):
        origin = None  # no record, or none that can be read: nothing is known
    return NoCheckpoint(name, step, list(steps), origin=origin or "", root=layout.root)
