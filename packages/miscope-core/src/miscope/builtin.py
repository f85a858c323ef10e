"""The core's own plug-in: universal analyzers, local executors and the family of any module, through anyone's door."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope.hookspecs import hookimpl

if TYPE_CHECKING:
    from miscope.analyzer import Analyzer
    from miscope.executor import Executor
    from miscope.family import Family


@hookimpl
def miscope_families() -> Iterable[Family]:
    from miscope.modules.any_module import AnyModule

    return (AnyModule(),)


@hookimpl
def miscope_analyzers() -> Iterable[Analyzer]:
    from miscope.analyzers import ALL

    return ALL


@hookimpl
def miscope_executors() -> Iterable[Executor]:
    from miscope.analysis.executors import Inline, Processes

    return (Inline(), Processes())
