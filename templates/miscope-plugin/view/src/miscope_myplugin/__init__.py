"""The door of this plug-in: what miscope finds once the package is installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    from miscope import View

# Imported inside the hook, so that `miscope --help` stays fast, and listing the views draws none.


@hookimpl
def miscope_views() -> Iterable[View]:
    from miscope_myplugin.myplugin import WEIGHTS_LENGTH

    return (WEIGHTS_LENGTH,)
