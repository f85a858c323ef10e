"""The core's own plug-in: universal analyzers and local executors, offered through the same door as anyone's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope.hookspecs import hookimpl

if TYPE_CHECKING:
    from miscope.analyzer import Analyzer
    from miscope.executor import Executor


@hookimpl
def miscope_analyzers() -> Iterable[Analyzer]:
    from miscope.analyzers import ALL

    return ALL


@hookimpl
def miscope_executors() -> Iterable[Executor]:
    from miscope.executors import Inline, Processes

    return (Inline(), Processes())
