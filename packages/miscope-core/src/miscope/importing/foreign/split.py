"""Whether the examples a foreign file names as trained on are those its variant takes for trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from miscope.errors import BadFile
from miscope.importing.foreign.numbers import row
from miscope.probe import Probe

__all__ = ["notes_on_split", "train_rows"]

TRAIN_KEYS = ("train_indices", "train_idx", "train_ids")
TEST_KEYS = ("test_indices", "test_idx", "test_ids", "val_indices")


def train_rows(path: Path, header: Mapping[Any, Any]) -> tuple[tuple[int, ...], int] | None:
    """Rows trained on and the number of all rows, where a file lists both parts of its split; BadFile for odd rows."""
    parts = [_rows(path, header, keys) for keys in (TRAIN_KEYS, TEST_KEYS)]
    train, test = parts
    if train is None or test is None:
        return None
    both = sorted(set(train) & set(test))
    if both:
        problem = f"It lists row {both[0]} both as trained on and as tested on ({len(both)} rows in all)."
        raise BadFile(path, problem, "Correct one of the lists, or leave both out.")
    return tuple(sorted(train)), len(train) + len(test)


def notes_on_split(rows: tuple[tuple[int, ...], int] | None, probes: Mapping[str, Probe]) -> list[str]:
    """A sentence where a file's split is not the variant's, or cannot be compared with it; [] where it is.

    Rows are taken in the order of the first probe that shows all inputs: pairs in row-major order.
    """
    if rows is None:
        return []
    theirs, count = set(rows[0]), rows[1]
    known = [probe.train for probe in probes.values() if probe.train is not None]
    masks = [mask for mask in known if len(mask) == count]
    if not masks:
        ours = f"this variant's split is of {len(known[0])}" if known else "this family has no such list"
        return [f"It lists {len(theirs)} examples of {count} as trained on; {ours}, and they are not compared."]
    ours = set(np.flatnonzero(masks[0]).tolist())
    if ours == theirs:
        return []
    return [
        f"It lists {len(theirs)} examples as trained on, this variant trains on {len(ours)}, and {len(ours & theirs)} "
        "are in both: train and test losses computed here are of another split than its own."
    ]


def _rows(path: Path, header: Mapping[Any, Any], keys: tuple[str, ...]) -> list[int] | None:
    for key in keys:
        held: Any = header.get(key)
        if isinstance(held, list | tuple) or getattr(held, "ndim", 0) == 1:
            return [row(path, f"{key!r}[{i}]", value) for i, value in enumerate(held)]
    return None
