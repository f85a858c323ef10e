"""When the files behind a picture last changed: a picture drawn of the same files is the same picture."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.analyzer import Grain
from miscope.errors import MiscopeError

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.view import View
    from miscope.workspace import Workspace
    from miscope_panel.shown.picture import Request

__all__ = ["last_changed"]

_SETTLED_NS = 2_000_000_000
"""What changes twice within the grain of a disk's clock shows one time for both; this is more than the coarsest."""


def last_changed(workspace: Workspace, request: Request) -> tuple[int, ...] | None:
    """When each folder that the picture is drawn from last had a file put in or taken away, in nanoseconds.

    None where that does not say all: for a view that does not follow the step or looks at another variant too, for
    one whose variant is built on others, for files that changed this moment, and where a folder cannot be read.
    """
    try:
        found = _all_changed(workspace, request)
    except (MiscopeError, OSError):
        return None
    return found if found is not None and max(found) < time.time_ns() - _SETTLED_NS else None


def _all_changed(workspace: Workspace, request: Request) -> tuple[int, ...] | None:
    view, variant = workspace.plugins.view(request.view), workspace.find(request.variant)
    needs = view.needs
    alone = not (variant.parents or needs.untrained or needs.source_metrics or needs.sources)
    if view.grain is not Grain.CHECKPOINT or not alone:
        return None
    return tuple(_changed(folder) for folder in _folders(workspace, view, variant))


def _folders(workspace: Workspace, view: View, variant: Variant) -> Iterator[Path]:
    """Files are written beside their place and moved there, so that each shows in its folder."""
    layout, name = workspace.store.layout, variant.name
    yield from (layout.variant(name), layout.checkpoints(name), layout.metrics(name))
    for analyzer in view.needs.artifacts:
        recipes = layout.recipes(name, analyzer)
        yield recipes
        if recipes.is_dir():
            yield from sorted(each for each in recipes.iterdir() if each.is_dir())


def _changed(folder: Path) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0
