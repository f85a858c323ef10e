"""The training of what a variant is built on, as a view shows it beside what it is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from miscope.errors import MiscopeError
from miscope.store.sources import check_source
from miscope.variant import Variant
from miscope.view import ViewData

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["source_beside"]


def source_beside(workspace: Workspace, variant: Variant, show: Callable[[Variant], ViewData]) -> ViewData | None:
    """What `show` gives of the one variant whose sites this is built on.

    None where it is built on none or on several, and where that one is gone, is another now, or has nothing to show:
    the figure is of what was computed of it, and that is there.
    """
    family = workspace.plugins.family(variant.family)
    sources = [(place, each) for place, each in enumerate(family.sources(variant.params)) if each.site]
    names = {source.variant for _, source in sources}
    if len(names) != 1:
        return None
    try:
        for place, source in sources:
            check_source(workspace.store, variant, place, source)
        return show(workspace.find(names.pop()))
    except MiscopeError:
        return None
