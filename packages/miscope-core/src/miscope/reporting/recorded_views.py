"""What can be shown of variants though nothing is computed that shows their losses: the curves they recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miscope.analyzer import Grain
from miscope.figures.availability import view_availability
from miscope.figures.first_views import COMPARED, CURVES
from miscope.patterns import matching
from miscope.reporting.chosen_views import Wanted
from miscope.reporting.contributed import attempted
from miscope.variant import Variant
from miscope.workspace import Workspace

__all__ = ["recorded_views"]


def recorded_views(
    workspace: Workspace, wanted: Sequence[Wanted], variants: Sequence[Variant], labels: Sequence[str]
) -> Iterator[Wanted]:
    """Views of recorded metrics that there are, where no figure that is wanted and can be shown is of the losses.

    Of several variants those of COMPARED that show all of them; of one that no such figure shows either, those of
    CURVES.
    """
    shown = [each for each in wanted if _of_losses(workspace, each) and _there(workspace, each)]
    if len(variants) > 1 and not any(each.view.grain is Grain.COHORT for each in shown):
        together = [*_recorded(workspace, COMPARED, variants, "", wanted)]
        yield from together
        shown += together
    for variant, label in zip(variants, labels, strict=True):
        if not any(variant in each.variants for each in shown):
            yield from _recorded(workspace, CURVES, [variant], label if len(variants) > 1 else "", wanted)


def _recorded(
    workspace: Workspace, names: Sequence[str], variants: Sequence[Variant], of: str, wanted: Sequence[Wanted]
) -> Iterator[Wanted]:
    """Those of these views that there are of exactly these variants and that are not wanted already."""
    already = {each.view.name for each in wanted if each.variants == tuple(variants)}
    for name in names:
        view = workspace.plugins.views.get(name)
        if view is None or name in already or (view.grain is Grain.COHORT) != (len(variants) > 1):
            continue
        shown = Wanted(view=view, variants=tuple(variants), of=of, controls={})
        if _there(workspace, shown):
            yield shown


def _of_losses(workspace: Workspace, wanted: Wanted) -> bool:
    """Whether it is given a loss that one of its variants recorded."""
    recorded = {name for one in wanted.variants for name in workspace.store.metrics(one.name)}
    losses = [name for name in recorded if "/" not in name and name.endswith("loss")]
    return bool(matching(wanted.view.needs.metrics, losses))


def _there(workspace: Workspace, wanted: Wanted) -> bool:
    """Errors of a view among the reasons why not: it is tried again, and named, where it is to be shown."""

    def state() -> str:
        return view_availability(workspace, wanted.view, wanted.variants).state

    return attempted(wanted.view.name, wanted.of, state) == "there"
