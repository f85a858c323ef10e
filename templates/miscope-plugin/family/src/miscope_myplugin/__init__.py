"""The door of this plug-in: what miscope finds once the package is installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    from miscope import Family

# Imported inside the hook, so that `miscope --help` stays fast and needs no PyTorch.


@hookimpl
def miscope_families() -> Iterable[Family]:
    from miscope_myplugin.myplugin import LargerFamily

    return (LargerFamily(),)
