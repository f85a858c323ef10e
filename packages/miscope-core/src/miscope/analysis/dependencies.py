"""What an analyzer reads: what of it is not there."""

from __future__ import annotations

from collections.abc import Collection

from miscope.analysis.resolved_analysis import ResolvedAnalysis
from miscope.analyzer import Grain
from miscope.store.store import Store

__all__ = ["missing_reads"]


def missing_reads(
    store: Store, analysis: ResolvedAnalysis, name: str, step: int | None = None, *, fresh: Collection[str] = ()
) -> str:
    """Why an analyzer cannot be tried at the step, or over training: what of its reads is not there; "" if all is.

    fresh: what was computed in the same job.
    """
    for upstream in analysis.analyzers[name].needs.reads:
        if upstream in fresh:
            continue
        key = analysis.key(upstream, step)
        if analysis.analyzers[upstream].grain is not Grain.CHECKPOINT or step is not None:
            if not store.has(key):
                where = f"for {analysis.variant.name}" if step is None else f"at step {step}"
                return f"It reads {upstream!r}, which is not there {where}."
            continue
        absent = sorted(set(analysis.steps) - set(store.artifact_steps(key.variant, upstream, key.recipe)))
        if absent:
            many = f"{len(absent)} of {len(analysis.steps)} steps, first at {absent[0]}"
            return f"It reads {upstream!r}, which is missing at {many}, for {analysis.variant.name}."
    return ""
