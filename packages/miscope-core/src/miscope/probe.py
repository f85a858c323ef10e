"""The inputs shown at every checkpoint, and what is known about them as data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.field_docs import documented

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Probe"]


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """Inputs, labels and named columns; fixed for an analysis, and part of every artifact's key."""

    name: str
    """'grid', 'patterns': what menus and reasons call it."""
    inputs: Tensor
    """(N, ...) whatever the model takes; tokens (N, position) for a transformer."""
    labels: Tensor | None = None
    """(N,) int64, the right answer at the answer position."""
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Each (N,) int64: factors ('a', 'b') and what follows from them ('sum')."""
    grid: tuple[str, ...] = ()
    """Factor columns whose product the inputs enumerate completely, in row-major order; () where there is none."""
    train: np.ndarray | None = None
    """(N,) bool: which inputs are in the training set; None where nobody knows, or none was one of a fixed set."""
    counted: np.ndarray | None = None
    """(N, position) bool: which positions of an input mean something, as padding does not; None: all of them."""
    symmetries: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Each (N,) int64: the row an input goes to under a symmetry of the task ('swap': (a, b) -> (b, a))."""

    def __post_init__(self) -> None:
        # Everything that looks at a variant is shown the same probe.
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))
        object.__setattr__(self, "symmetries", MappingProxyType(dict(self.symmetries)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Cardinality of each grid factor."""
        return tuple(int(self.columns[name].max()) + 1 for name in self.grid)

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change with anything an instrument can see of the probe."""
        sha = hashlib.sha256(repr((self.name, self.grid)).encode())
        arrays: dict[str, np.ndarray | None] = {
            "inputs": self.inputs.numpy(),
            "labels": None if self.labels is None else self.labels.numpy(),
            "train": self.train,
            "counted": self.counted,
            **{f"column {name}": values for name, values in sorted(self.columns.items())},
            **{f"symmetry {name}": values for name, values in sorted(self.symmetries.items())},
        }
        for name, values in arrays.items():
            if values is not None:
                sha.update(f"{name} {values.dtype} {values.shape}".encode())
                sha.update(np.ascontiguousarray(values).tobytes())
        return sha.hexdigest()[:12]
