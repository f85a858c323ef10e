"""The numbers of an Arrow column for NumPy, without the second that it takes Arrow to import pandas for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["column_numbers"]


def column_numbers(column: pa.ChunkedArray | pa.Array, dtype: type[np.number]) -> np.ndarray:
    """The column's numbers, by their memory; it must have that type, and no null."""
    chunks = getattr(column, "chunks", [column])
    parts = [np.frombuffer(c.buffers()[1], dtype)[c.offset : c.offset + len(c)] for c in chunks if len(c)]
    return np.concatenate(parts) if parts else np.empty(0, dtype)
