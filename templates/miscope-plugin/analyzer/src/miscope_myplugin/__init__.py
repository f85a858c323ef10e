"""The door of this plug-in: what miscope finds once the package is installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    from miscope import Analyzer, View

# Imported inside the hooks, so that `miscope --help` stays fast however heavy the instruments are.


@hookimpl
def miscope_analyzers() -> Iterable[Analyzer]:
    from miscope_myplugin.myplugin import STABLE_RANK

    return (STABLE_RANK,)


@hookimpl
def miscope_views() -> Iterable[View]:
    from miscope_myplugin.myplugin_view import STABLE_RANK_VIEW

    return (STABLE_RANK_VIEW,)
