"""Whether an instrument has anything to look at: a sentence that says why not, or None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from miscope.analyzer import Analyzer, Grain
from miscope.maths.answer_basis import answer_basis
from miscope.patterns import has_none_like, matching
from miscope.probe import Probe

if TYPE_CHECKING:
    from miscope.subject import Subject

__all__ = ["applies", "chain_applies", "needs_weights"]


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


def _missing_in_model(analyzer: Analyzer, subject: Subject) -> str | None:
    if not (analyzer.sites or analyzer.weights):
        return None
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
    if (analyzer.gradients or analyzer.optimizer) and subject.task is None:
        return f"{subject.family.name} is not trained here, so there is no loss to differentiate"
    alone = not (analyzer.reads or analyzer.weights)
    if analyzer.metrics and alone and not matching(analyzer.metrics, metrics):
        return f"no metric like {analyzer.metrics[0]!r} was recorded"
    return None
