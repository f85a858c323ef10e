"""Which of the catalogue applies to a variant, and what of it was computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, final

from miscope.analyzer import Grain
from miscope.errors import MiscopeError
from miscope.failure import Failure, tried
from miscope.figures.availability import Availability, State, analyzer_availability
from miscope.variant import Variant
from miscope.view import View
from miscope_panel.shown.picture import availability_in_turn, why_not

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["Standing", "StandingOf", "command_for", "standing_of"]

WORDS = {
    "there": "can be shown",
    "computed": "computed",
    "missing": "not computed",
    "inapplicable": "does not apply",
    "error": "cannot be read",
}


@final
@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where one entry stands for the variant."""

    key: str
    """'view:spectra.embedding'."""
    state: State
    words: str
    reason: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class StandingOf:
    """All of them."""

    variant: str
    standings: tuple[Standing, ...] = ()
    said: str = ""


def standing_of(workspace: Workspace, variant: str, compared: Sequence[str] = ()) -> StandingOf:
    """Where views and instruments stand for a variant; for what compares, for it and the others."""
    try:
        values = [workspace.find(name) for name in dict.fromkeys((variant, *compared))]
    except MiscopeError as error:
        return StandingOf(variant=variant, said=str(error).splitlines()[0])
    views, instruments = list(_views(workspace, values)), list(_instruments(workspace, values))
    family = Standing(key=f"family:{values[0].family}", state="there", words="of this variant")
    there, computed = (sum(each.state == "there" for each in of) for of in (views, instruments))
    said = (
        f"{there} of {len(views)} views can be shown of {variant}, "
        f"and {computed} of {len(instruments)} analyzers were computed."
    )
    return StandingOf(variant=variant, standings=(*views, *instruments, family), said=said)


def command_for(workspace: Workspace, kind: str, name: str, variants: Sequence[str]) -> str:
    """The line that computes what is lacking; "" where nothing is, or nothing helps."""
    found = tried(
        lambda: _availability(workspace, kind, name, [workspace.find(each) for each in dict.fromkeys(variants)])
    )
    return "" if isinstance(found, Failure) else found.command


def _views(workspace: Workspace, values: Sequence[Variant]) -> Iterator[Standing]:
    first, *others = values
    for name, view in sorted(workspace.plugins.views.items()):
        state, reason = why_not(workspace, view, first, others)
        known: State = "there" if state == "figure" else state
        yield Standing(key=f"view:{name}", state=known, words=WORDS[known], reason=reason)


def _instruments(workspace: Workspace, values: Sequence[Variant]) -> Iterator[Standing]:
    for name in sorted(workspace.plugins.analyzers):
        found = tried(partial(_availability, workspace, "analyzer", name, values))
        if isinstance(found, Failure):
            found = Availability(name=name, state="error", reason=found.error.splitlines()[0])
        words = WORDS["computed" if found.state == "there" else found.state]
        yield Standing(key=f"analyzer:{name}", state=found.state, words=words, reason=found.reason)


def _availability(workspace: Workspace, kind: str, name: str, values: Sequence[Variant]) -> Availability:
    record = workspace.plugins.view(name) if kind == "view" else workspace.plugins.analyzer(name)
    of = values if record.grain is Grain.COHORT else values[:1]
    if isinstance(record, View):
        return availability_in_turn(workspace, record, of)
    return analyzer_availability(workspace, name, of)
