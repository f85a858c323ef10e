"""What can be shown of a variant that nobody looked at: the curves it recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miscope.figures.availability import view_availability
from miscope.figures.first_views import CURVES
from miscope.reporting.chosen_views import Wanted
from miscope.reporting.contributed import attempted
from miscope.variant import Variant
from miscope.workspace import Workspace

__all__ = ["recorded_views"]


def recorded_views(
    workspace: Workspace, wanted: Sequence[Wanted], variants: Sequence[Variant], labels: Sequence[str]
) -> Iterator[Wanted]:
    """Views of CURVES that there are of each variant of which no figure that is wanted of it alone can be shown."""
    for variant, label in zip(variants, labels, strict=True):
        mine = {each.view.name: each for each in wanted if each.variants == (variant,)}
        if any(_there(workspace, each) for each in mine.values()):
            continue
        for name in CURVES:
            view = workspace.plugins.views.get(name)
            if view is None or name in mine:
                continue
            shown = Wanted(view=view, variants=(variant,), of=label if len(variants) > 1 else "", controls={})
            if _there(workspace, shown):
                yield shown


def _there(workspace: Workspace, wanted: Wanted) -> bool:
    """Errors of a view among the reasons why not: it is tried again, and named, where it is to be shown."""

    def state() -> str:
        return view_availability(workspace, wanted.view, wanted.variants).state

    return attempted(wanted.view.name, wanted.of, state) == "there"
