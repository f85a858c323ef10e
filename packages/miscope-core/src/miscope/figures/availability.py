"""Whether a view or an instrument has something to show of a variant, and where not, why: a clause and a whole text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, final

from miscope.analysis.analyzer_options import Options
from miscope.analysis.artifacts import artifact, artifact_across
from miscope.analysis.planning import resolve
from miscope.analyzer import Analyzer, Grain
from miscope.errors import DoesNotApply, MiscopeError, NoArtifact, NoCheckpoint, UnknownName
from miscope.figures.render import draw, gather
from miscope.variant import Variant
from miscope.view import View, ViewData

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["Availability", "State", "analyzer_availability", "gather_before", "view_availability"]

State = Literal["there", "missing", "inapplicable", "error"]
"""Whether there is something to look at; not yet, since something was not computed; there cannot be, since the family
or the probe lacks what is needed; or it cannot be read."""

_WAITS = "it takes long, and is computed when asked for by name"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What there is of one view or instrument, for a variant or for several together."""

    name: str
    state: State
    reason: str = ""
    """Why there is nothing, as a clause; "" where there is something."""
    message: str = ""
    """The whole text of the error."""
    command: str = ""
    """What computes it, where it was not computed."""
    step: int | None = None
    """The checkpoint that a view of checkpoint grain would show: the last that has all it needs."""
    earlier: bool = False
    """Whether that is not the last checkpoint of all."""
    steps: tuple[int, ...] = ()
    """Where artifacts of checkpoint grain are."""


def view_availability(
    workspace: Workspace, view: View, variants: Sequence[Variant], *, drawing: bool = False
) -> Availability:
    """What there is for the view of this variant, or of these where it compares.

    drawing: have it drawn too; a few find out only then that there is nothing to draw.
    """
    try:
        last = (workspace.store.finite_steps(variants[0].name) or [None])[-1]
        at = last if view.grain is Grain.CHECKPOINT else None
        shown = gather_before(workspace, view, variants, at)
        if drawing:
            draw(view, shown, {})
    except MiscopeError as error:
        return _without(view, error)
    return Availability(name=view.name, state="there", step=shown.step, earlier=shown.step != at)


def analyzer_availability(workspace: Workspace, name: str, variants: Sequence[Variant]) -> Availability:
    """What there is of the analyzer's artifacts with its default options, of this variant, or over these together."""
    from miscope.analysis.resolved_analysis import resolve_analysis

    store, analyzer = workspace.store, workspace.plugins.analyzer(name)
    try:
        analyses = [resolve_analysis(workspace, one, [name], steps=store.finite_steps(one.name)) for one in variants]
        if analyzer.grain is Grain.COHORT:
            artifact_across(store, analyses, name)
            return Availability(name=name, state="there")
        if set(artifact(store, analyses[0], name, None)) <= {"step"}:
            return Availability(name=name, state="inapplicable", reason="it found nothing here to compute")
    except NoArtifact as error:
        missing = _without(analyzer, error)
        waits = any(each.opt_in for each in resolve(workspace.plugins.analyzers, [name]).values())
        return replace(missing, reason=f"{missing.reason}; {_WAITS}") if waits else missing
    except MiscopeError as error:
        return _without(analyzer, error)
    at_steps, alone = analyzer.grain is Grain.CHECKPOINT, analyses[0]
    have = store.artifact_steps(alone.variant.name, name, alone.recipes[name]) if at_steps else ()
    return Availability(name=name, state="there", steps=tuple(have))


def gather_before(
    workspace: Workspace, view: View, variants: Sequence[Variant], step: int | None, options: Options | None = None
) -> ViewData:
    """What the view is given at the step or, where something was not computed there, at the nearest before it."""
    at = step
    while True:
        try:
            return gather(workspace, view, variants, at, options)
        except NoArtifact as error:
            before = [there for there in error.have if at is not None and there < at]
            if not before:
                raise
            at = max(before)


def _without(record: View | Analyzer, error: MiscopeError) -> Availability:
    state, reason = _told(record, error)
    command = error.command if isinstance(error, NoArtifact) else ""
    return Availability(name=record.name, state=state, reason=reason, message=str(error), command=command)


def _told(record: View | Analyzer, error: MiscopeError) -> tuple[State, str]:
    match error:
        case NoArtifact() if isinstance(record, View):
            return "missing", f"needs {error.analyzer}: {_clause(error.known)}"
        case NoArtifact() | NoCheckpoint():
            return "missing", _clause(error.known)
        case DoesNotApply():
            return "inapplicable", error.reason
        case UnknownName():
            return "error", f"it reads {error.name!r}, which is not installed"
        case _:
            return "error", str(error).splitlines()[0]


def _clause(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].removesuffix(".")
