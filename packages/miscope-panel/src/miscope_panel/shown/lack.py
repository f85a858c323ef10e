"""What a card lacks of what was never computed: the request that computes it, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.analysis.analyzer_options import options_apart, options_asked
from miscope.analysis.earlier_times import seconds_left
from miscope.analysis.outstanding import Outstanding, ResolvedRequest, outstanding
from miscope.analyze_request import AnalyzeRequest
from miscope.analyzer import Grain
from miscope.errors import MiscopeError
from miscope_panel.shown.computed_options import options_given
from miscope_panel.shown.durations import duration

if TYPE_CHECKING:
    from miscope.view import View
    from miscope.workspace import Workspace
    from miscope_panel.shown.picture import Request

__all__ = ["Lack", "lack_of", "read_by"]


_PATIENCE = 10.0
"""Seconds for which one looks at a bar that fills."""


@final
@dataclass(frozen=True, kw_only=True)
class Lack:
    """Of one card, by now."""

    request: AnalyzeRequest
    """Computes it, and what it is computed from."""
    words: str
    """'20 checkpoints, about 4 s'."""
    label: str = "Compute"
    """What is asked for, in a few words: of several variants how many lack it."""
    of_family: AnalyzeRequest | None = None
    """The same of every variant of the family; None where there is no other, or the view compares."""


def read_by(view: View) -> tuple[str, ...]:
    """Analyzers whose artifacts the view cannot do without."""
    needs = view.needs
    return tuple(dict.fromkeys(name for name in (*needs.reads, *needs.history) if name not in needs.optional))


def lack_of(workspace: Workspace, request: Request) -> Lack | None:
    """What was not computed of what the card reads; None where all was, or none of it can be.

    request: with others compared, of all these variants together, also where the view shows one at a time.
    Files are read, and the variants' models are made.
    """
    try:
        view = workspace.plugins.view(request.view)
        compares = view.grain is Grain.COHORT
        variants = tuple(dict.fromkeys([request.variant, *request.compared]))
        wanted = _request(workspace, view, variants, request)
        if wanted is None:
            return None
        work = _outstanding(workspace, wanted)
        if not work.total:
            return None
        label = "Compute"
        if len(variants) > 1 and not compares:
            short = tuple(work.busy)
            wanted, label = wanted.model_copy(update={"variants": short}), _of_several(len(short), len(variants))
        words = _words(work, _seconds(workspace, work))
    except MiscopeError:  # the card says what is wrong
        return None
    family = request.variant.partition("/")[0]
    alone = len(variants) == 1 and not compares
    others = tuple(name for name in workspace.names() if name.partition("/")[0] == family) if alone else ()
    return Lack(
        request=wanted,
        words=words,
        label=label,
        of_family=wanted.model_copy(update={"variants": others}) if len(others) > 1 else None,
    )


def _request(workspace: Workspace, view: View, variants: tuple[str, ...], request: Request) -> AnalyzeRequest | None:
    table = workspace.plugins.analyzers
    names = [name for name in read_by(view) if name in table]
    if not names:
        return None
    chosen = options_asked(table, names, options_given(workspace, request.controls))
    return AnalyzeRequest(variants=variants, analyzers=tuple(names), options=options_apart(table, list(chosen), chosen))


def _of_several(short: int, count: int) -> str:
    if short == count:
        return f"Compute for all {count} variants"
    return f"Compute for the {short} of {count} that {'lacks' if short == 1 else 'lack'} it"


def _outstanding(workspace: Workspace, wanted: AnalyzeRequest) -> Outstanding:
    values = [workspace.find(name) for name in wanted.variants]
    asked = ResolvedRequest(names=wanted.analyzers, steps=None, force=False, options=wanted.options)
    return outstanding(workspace, values, asked)


def _seconds(workspace: Workspace, work: Outstanding) -> float | None:
    """None too where the index cannot answer: what can be computed does not depend on it."""
    try:
        return seconds_left(workspace, work)
    except MiscopeError:
        return None


def _words(work: Outstanding, seconds: float | None) -> str:
    parts = []
    if work.checkpoints:
        parts.append(f"{work.checkpoints:,} {'checkpoint' if work.checkpoints == 1 else 'checkpoints'}")
    spanning = sum(job.step is None for one in work.by_variant for wave in one.waves for job in wave.jobs)
    if spanning:
        parts.append("the whole of training" if spanning == 1 else f"the whole of training {spanning} times")
    if work.together:
        parts.append(f"{len(work.by_variant)} variants together")
    about = "" if seconds is None else f", about {duration(max(seconds, 1))}"
    # Longer than anybody waits: it is said that nobody has to.
    job = "" if seconds is None or seconds <= _PATIENCE else ": it runs as a job, and this page may be left"
    return " and ".join(parts) + about + job
