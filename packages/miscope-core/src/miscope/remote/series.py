"""Metrics as a server answers them, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope.errors import UnknownName

if TYPE_CHECKING:
    import numpy as np

    from miscope.remote.connection import Connection
    from miscope.snapshot import Series

__all__ = ["one_metric", "series"]


def series(connection: Connection, path: str, patterns: tuple[str, ...], **query: Any) -> dict[str, Series]:
    """Those that match any of the patterns, all without one; query: 'max_points', 'start_step', 'end_step'."""
    import numpy as np

    from miscope.snapshot import Series

    found: Mapping[str, Any] = connection.get(path, {"names": list(patterns) or None, **query})["metrics"]
    return {
        name: Series(
            steps=np.asarray(curve["steps"], dtype=np.int64), values=np.asarray(curve["values"], dtype=np.float64)
        )
        for name, curve in found.items()
    }


def one_metric(found: Mapping[str, Series], name: str, of: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of that one; UnknownName where it is not there. of: whose they are."""
    if name not in found:
        raise UnknownName("metric", name, found, listing=f"{of} has: {', '.join(found) or 'none'}.")
    return found[name].steps, found[name].values
