"""The door of this plug-in: what miscope finds once the package is installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    from miscope import Executor

# Imported inside the hook, so that `miscope --help` stays fast whatever an executor connects to.


@hookimpl
def miscope_executors() -> Iterable[Executor]:
    from miscope_myplugin.myplugin import Timed

    return (Timed(),)
