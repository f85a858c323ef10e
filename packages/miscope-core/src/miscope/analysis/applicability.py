"""Whether a variant gives an analyzer or a view all that it needs: a clause that says what is missing, or None."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from miscope.analyzer import Analyzer, Grain
from miscope.maths.answer_basis import answer_basis
from miscope.needs import Needs
from miscope.patterns import has_none_like, matching, matching_metrics
from miscope.probe import Probe

if TYPE_CHECKING:
    from miscope.model_context import ModelContext

__all__ = ["applies", "chain_applies", "needs_weights"]


def applies(needs: Needs, context: ModelContext, probe: Probe, metrics: Iterable[str] = ()) -> str | None:
    """None if the family and the probe give all that an analyzer or a view declares, else what is missing, as a clause.

    Every pattern of sites and roles must match something. metrics: names of those recorded; they are demanded only
    where there is nothing else to look at, since a variant may come from elsewhere without any.
    """
    return (
        _missing_in_sources(needs, context)
        or _missing_in_model(needs, context)
        or _missing_in_probe(needs, context.family.name, probe)
        or _missing_in_bases(needs, context, probe)
        or _missing_in_training(needs, context, metrics)
    )


def chain_applies(
    chain: Mapping[str, Analyzer],
    context: ModelContext,
    metrics: Iterable[str],
    *,
    lacking: str | None,
    stateless: Callable[[], str | None],
) -> str | None:
    """None if the last analyzer of the chain, and all that it reads, have something to look at; else what is missing.

    lacking: why there is no checkpoint to look at, as a clause; None where there is one. stateless: why no checkpoint
    has the optimizer's state beside it; asked only where an analyzer needs that.
    """
    without = None if lacking is None else needs_weights(chain, list(chain)[-1], lacking)
    reasons = (
        applies(analyzer.needs, context, context.probe(), metrics) for analyzer in reversed(list(chain.values()))
    )
    found = without or next(filter(None, reasons), None)
    return found or (stateless() if any(analyzer.needs.optimizer for analyzer in chain.values()) else None)


def needs_weights(table: Mapping[str, Analyzer], name: str, lacking: str) -> str | None:
    """Why the analyzer has nothing to look at where only metrics are, as a clause; None if it has.

    table: with everything it reads. lacking: why there are none. What looks at a metric or the record itself
    does without what it reads at each checkpoint.
    """
    analyzer, needs = table[name], table[name].needs
    alone = analyzer.grain is not Grain.CHECKPOINT and not needs.weights and (needs.metrics or needs.facts)
    spanning = [upstream for upstream in needs.reads if table[upstream].grain is not Grain.CHECKPOINT]
    if alone and all(needs_weights(table, upstream, lacking) is None for upstream in spanning):
        return None
    return f"it looks at weights, and {lacking}"


def _missing_in_sources(needs: Needs, context: ModelContext) -> str | None:
    return "it is built on no other variant" if needs.sources and not context.sources else None


def _missing_in_model(needs: Needs, context: ModelContext) -> str | None:
    if not (needs.sites or needs.weights):
        return None
    if context.model.missing is not None and (needs.sites or needs.model or needs.objective):
        return context.model.missing.reason
    for kind, patterns, names in (
        ("site", needs.sites, context.model.sites),
        ("weights", needs.weights, context.model.roles),
    ):
        for pattern in patterns:
            if not matching([pattern], names):
                return f"{context.family.name} {has_none_like(kind, pattern)}"
    return None


def _missing_in_probe(needs: Needs, family: str, probe: Probe) -> str | None:
    for column in needs.columns:
        if column not in probe.columns:
            return f"the probe {probe.name!r} of {family} has no column {column!r}"
    if needs.grid and len(probe.grid) != needs.grid:
        return f"it needs a probe that enumerates {needs.grid} factors, and {probe.name!r} has {len(probe.grid)}"
    if needs.labels and probe.labels is None:
        return f"the probe {probe.name!r} of {family} has no labels"
    return None


def _missing_in_bases(needs: Needs, context: ModelContext, probe: Probe) -> str | None:
    if needs.answer_basis and answer_basis(probe, context.bases) is None:
        return f"{context.family.name} gives no task basis over the right answers"
    return None


def _missing_in_training(needs: Needs, context: ModelContext, metrics: Iterable[str]) -> str | None:
    if needs.gradients and context.task is None:
        return f"{context.family.name} is not trained here, so there is no loss to differentiate"
    # A described variant may keep the optimizer's state, if not the loss.
    if needs.optimizer and context.task is None and not context.family.described:
        return f"{context.family.name} is not trained here, so no optimizer's state is kept"
    if needs.objective and context.task is None and context.probe().labels is None:
        return f"{context.family.name} is not trained here, and its probe has no labels, so there is no loss"
    alone = not (needs.reads or needs.weights)
    if needs.metrics and alone and not matching_metrics(needs.metrics, metrics):
        return f"no metric like {needs.metrics[0]!r} was recorded"
    return None
