"""What a plug-in may offer: five hooks, each taking nothing and yielding records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

    from miscope.analyzer import Analyzer
    from miscope.executor import Executor
    from miscope.family import Family
    from miscope.view import View

__all__ = ["HOOK_API", "PROJECT", "hookimpl", "hookspec"]

PROJECT = "miscope"
"""Name of the pluggy project and of the entry-point group."""

HOOK_API = 2
"""Version of the hooks and of the records they yield; docs/hooks.md says what it promises."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def miscope_families() -> Iterable[Family]:
    """Kinds of model this plug-in can build and train."""
    return ()


@hookspec
def miscope_analyzers() -> Iterable[Analyzer]:
    """Analyzers this plug-in provides."""
    return ()


@hookspec
def miscope_views() -> Iterable[View]:
    """Views this plug-in provides."""
    return ()


@hookspec
def miscope_executors() -> Iterable[Executor]:
    """Places this plug-in can run jobs."""
    return ()


@hookspec
def miscope_commands(cli: typer.Typer) -> None:
    """Add commands to `miscope`."""
