"""Whether an instrument has anything to look at: a sentence that says why not, or None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from miscope.analyzer import Analyzer, Grain
from miscope.errors import DoesNotApply
from miscope.maths.answer_basis import answer_basis
from miscope.patterns import has_none_like, matching, matching_metrics
from miscope.probe import Probe

if TYPE_CHECKING:
    from miscope.subject import Subject
    from miscope.view import View

__all__ = ["applies", "chain_applies", "cure_of", "needs_weights", "refuse_view", "refused"]


def applies(analyzer: Analyzer, subject: Subject, probe: Probe, metrics: Iterable[str] = ()) -> str | None:
    """None if the family and the probe give the analyzer all it declares, else what is missing, as a clause.

    Every pattern of sites and roles must match something. metrics: names of those recorded; they are demanded only of
    an analyzer that has nothing else to look at, since a variant may come from elsewhere without any.
    """
    return (
        _missing_in_model(analyzer, subject)
        or _missing_in_probe(analyzer, subject.family.name, probe)
        or _missing_in_bases(analyzer, subject, probe)
        or _missing_in_training(analyzer, subject, metrics)
    )


def chain_applies(
    chain: Mapping[str, Analyzer], subject: Subject, metrics: Iterable[str], *, lacking: str | None
) -> str | None:
    """None if the last analyzer of the chain, and all that it reads, have something to look at; else what is missing.

    lacking: why there is no checkpoint to look at, as a clause; None where there is one.
    """
    without = None if lacking is None else needs_weights(chain, list(chain)[-1], lacking)
    reasons = (applies(analyzer, subject, subject.probe(), metrics) for analyzer in chain.values())
    return without or next(filter(None, reasons), None)


def cure_of(subject: Subject, reason: str) -> tuple[str, str] | None:
    """What is known and what to do where that reason is a network that is not to be had; None for any other."""
    missing = subject.model.missing
    return (missing.known, missing.todo) if missing is not None and missing.reason == reason else None


def refused(names: Iterable[str], reasons: Mapping[str, str], subject: Subject) -> list[DoesNotApply]:
    """The errors of those of the names that have a reason."""
    return [
        DoesNotApply(name, subject.variant.name, reasons[name], cure=cure_of(subject, reasons[name]))
        for name in names
        if name in reasons
    ]


def needs_weights(table: Mapping[str, Analyzer], name: str, lacking: str) -> str | None:
    """Why the analyzer has nothing to look at where only metrics are, as a clause; None if it has.

    table: with everything it reads. lacking: why there are none. What looks at a metric or the record itself
    does without what it reads at each checkpoint.
    """
    analyzer = table[name]
    alone = analyzer.grain is not Grain.CHECKPOINT and not analyzer.weights and (analyzer.metrics or analyzer.facts)
    spanning = [upstream for upstream in analyzer.reads if table[upstream].grain is not Grain.CHECKPOINT]
    if alone and all(needs_weights(table, upstream, lacking) is None for upstream in spanning):
        return None
    return f"it looks at weights, and {lacking}"


def refuse_view(view: View, subject: Subject, probe: Probe) -> None:
    """Raise DoesNotApply where the family or the probe lacks what the view needs."""
    family, name = subject.family.name, subject.variant.name
    if view.grid and len(probe.grid) != view.grid:
        reason = f"it needs a probe that enumerates {view.grid} factors, and {probe.name!r} has {len(probe.grid)}"
        raise DoesNotApply(view.name, name, reason, kind="view")
    if view.sites and (missing := subject.model.missing) is not None:
        raise DoesNotApply(view.name, name, missing.reason, kind="view", cure=(missing.known, missing.todo))
    if view.sites and not matching(view.sites, subject.model.sites):
        raise DoesNotApply(view.name, name, f"{family} {has_none_like('site', view.sites[0])}", kind="view")
    if view.weights and not matching(view.weights, subject.model.roles):
        raise DoesNotApply(view.name, name, f"{family} {has_none_like('weights', view.weights[0])}", kind="view")


def _missing_in_model(analyzer: Analyzer, subject: Subject) -> str | None:
    if not (analyzer.sites or analyzer.weights):
        return None
    if subject.model.missing is not None and (analyzer.sites or analyzer.runs):
        return subject.model.missing.reason
    for kind, patterns, names in (
        ("site", analyzer.sites, subject.model.sites),
        ("weights", analyzer.weights, subject.model.roles),
    ):
        for pattern in patterns:
            if not matching([pattern], names):
                return f"{subject.family.name} {has_none_like(kind, pattern)}"
    return None


def _missing_in_probe(analyzer: Analyzer, family: str, probe: Probe) -> str | None:
    for column in analyzer.columns:
        if column not in probe.columns:
            return f"the probe {probe.name!r} of {family} has no column {column!r}"
    if analyzer.grid and len(probe.grid) != analyzer.grid:
        return f"it needs a probe that enumerates {analyzer.grid} factors, and {probe.name!r} has {len(probe.grid)}"
    if analyzer.labels and probe.labels is None:
        return f"the probe {probe.name!r} of {family} has no labels"
    return None


def _missing_in_bases(analyzer: Analyzer, subject: Subject, probe: Probe) -> str | None:
    if analyzer.answer_basis and answer_basis(probe, subject.bases) is None:
        return f"{subject.family.name} gives no task basis over the right answers"
    return None


def _missing_in_training(analyzer: Analyzer, subject: Subject, metrics: Iterable[str]) -> str | None:
    # A described variant may keep the optimizer's state, if not the loss.
    without_loss = analyzer.gradients or (analyzer.optimizer and not subject.family.described)
    if without_loss and subject.task is None:
        return f"{subject.family.name} is not trained here, so there is no loss to differentiate"
    if analyzer.objective and subject.task is None and subject.probe().labels is None:
        return f"{subject.family.name} is not trained here, and its probe has no labels, so there is no loss"
    alone = not (analyzer.reads or analyzer.weights)
    if analyzer.metrics and alone and not matching_metrics(analyzer.metrics, metrics):
        return f"no metric like {analyzer.metrics[0]!r} was recorded"
    return None
