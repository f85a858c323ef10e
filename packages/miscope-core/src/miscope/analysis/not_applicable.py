"""Why an analyzer or a view does not apply: by what the variant lacks, by what it said itself, or by what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from miscope.analysis.applicability import applies, chain_applies
from miscope.analysis.planning import resolve
from miscope.analysis.resolved_analysis import ResolvedAnalysis, in_order
from miscope.analyzer import Grain
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.store.standing import lacks_optimizer, lacks_weights
from miscope.view import View

if TYPE_CHECKING:
    from miscope.model_context import ModelContext
    from miscope.store.store import Store

__all__ = [
    "because_of",
    "beside",
    "check_something_computed",
    "check_view_applies",
    "cure_of",
    "incomparable",
    "not_applicable_errors",
    "reason",
    "reason_of_reads",
]


def reason(store: Store, analysis: ResolvedAnalysis, name: str, step: int | None) -> str | None:
    """Why there can be no such artifact: what the variant lacks, or what the analyzer said when it was tried."""
    variant = analysis.variant.name
    if step is not None and (unfinite := store.unfinite(variant, step)) is not None:
        return f"at step {step}, {unfinite}"
    lacking = None if analysis.steps else lacks_weights(store, variant)
    chain = resolve(analysis.analyzers, [name])
    stateless = partial(lacks_optimizer, store, variant)
    lacks = chain_applies(chain, analysis.context, store.metrics(variant), lacking=lacking, stateless=stateless)
    return lacks or _kept(store, analysis, name, step)


def reason_of_reads(store: Store, analysis: ResolvedAnalysis, name: str, step: int | None) -> str | None:
    """Why an analyzer does not apply because of what it reads, at the step or over training; None if that does."""
    for upstream in analysis.analyzers[name].needs.reads:
        if (why := _kept(store, analysis, upstream, step)) is not None:
            return because_of(upstream, why)
    return None


def because_of(upstream: str, reason: str) -> str:
    """Why what reads an analyzer does not apply where that one does not."""
    return f"it reads {upstream!r}, which does not apply: {reason}"


def _kept(store: Store, analysis: ResolvedAnalysis, name: str, step: int | None) -> str | None:
    """What an analyzer said when it was tried: at the step, or without one at the first it was."""
    if analysis.analyzers[name].grain is not Grain.CHECKPOINT or step is not None:
        return store.not_applicable(analysis.key(name, step))
    key = analysis.key(name)
    steps = set(store.not_applicable_steps(key.variant, name, key.recipe)) & set(analysis.steps)
    return store.not_applicable(analysis.key(name, min(steps))) if steps else None


def incomparable(analyses: Sequence[ResolvedAnalysis], name: str) -> str | None:
    """Why an analyzer cannot compare these variants, as a clause; None if it can.

    Variants of one modulus with different splits are shown the same inputs; those of another modulus are not.
    """
    first, *others = in_order(analyses)
    if not others:
        return "it compares several variants, and this is one alone"
    if first.analyzers[name].needs.same_probe:
        for other in others:
            if not torch.equal(first.probe.inputs, other.probe.inputs):
                pair = f"{first.variant.name} and {other.variant.name}"
                return f"it compares variants input by input, and {pair} are shown different inputs"
    return None


def beside(analyses: Sequence[ResolvedAnalysis], command: str) -> tuple[str, str] | None:
    """What is known and what to do where a variant is compared with none: the command names others; else None."""
    if len(analyses) > 1:
        return None
    return "Nothing is missing of the variant: a comparison takes two or more.", f"Name others beside it:  {command}"


def cure_of(context: ModelContext, reason: str) -> tuple[str, str] | None:
    """What is known and what to do where that reason is a network that is not to be had; None for any other."""
    missing = context.model.missing
    return (missing.known, missing.todo) if missing is not None and missing.reason == reason else None


def not_applicable_errors(
    names: Iterable[str], reasons: Mapping[str, str], context: ModelContext
) -> list[DoesNotApply]:
    """The errors of those of the names that have a reason."""
    return [
        DoesNotApply(reasons[name], name=name, variant=context.variant.name, cure=cure_of(context, reasons[name]))
        for name in names
        if name in reasons
    ]


def check_view_applies(view: View, context: ModelContext, metrics: Iterable[str]) -> None:
    """Raise DoesNotApply where the variant lacks what the view needs. metrics: names of those recorded."""
    why = applies(view.needs, context, context.probe(), metrics)
    if why is not None:
        raise DoesNotApply(why, name=view.name, variant=context.variant.name, kind="view", cure=cure_of(context, why))


def check_something_computed(view: View, variant: str, artifacts: Mapping[str, Arrays]) -> None:
    """An instrument may find nothing to compute and leave no arrays: what reads it beside others does without."""
    if artifacts and all(set(arrays) <= {"step"} for arrays in artifacts.values()):
        why = f"{' and '.join(map(repr, artifacts))} found nothing here to compute"
        raise DoesNotApply(why, name=view.name, variant=variant, kind="view")
