"""What an instrument reads: whether it is there, and whether it ever can be."""

from __future__ import annotations

from miscope.analyzer import Grain
from miscope.seeing import Setting
from miscope.store import Store

__all__ = ["because_of", "missing_reads", "refused_reads"]


def missing_reads(setting: Setting, name: str, store: Store) -> str:
    """Why an analyzer that spans training cannot be tried: what of its reads is not there; "" if all is."""
    for upstream in setting.analyzers[name].reads:
        key = setting.key(upstream)
        if setting.analyzers[upstream].grain is not Grain.CHECKPOINT:
            if not store.has(key):
                return f"It reads {upstream!r}, which is not there for {setting.variant.name}."
            continue
        absent = sorted(set(setting.steps) - set(store.artifact_steps(key.variant, upstream, key.recipe)))
        if absent:
            many = f"{len(absent)} of {len(setting.steps)} steps, first at {absent[0]}"
            return f"It reads {upstream!r}, which is missing at {many}, for {setting.variant.name}."
    return ""


def refused_reads(setting: Setting, name: str, store: Store) -> str | None:
    """Why an analyzer that spans training does not apply, because of what it reads; None if all of that does."""
    for upstream in setting.analyzers[name].reads:
        key = setting.key(upstream)
        if setting.analyzers[upstream].grain is Grain.CHECKPOINT:
            refused = set(store.refused_steps(key.variant, upstream, key.recipe)) & set(setting.steps)
            reason = store.refusal(setting.key(upstream, min(refused))) if refused else None
        else:
            reason = store.refusal(key)
        if reason is not None:
            return because_of(upstream, reason)
    return None


def because_of(upstream: str, reason: str) -> str:
    """Why what reads an analyzer does not apply where that one does not."""
    return f"it reads {upstream!r}, which does not apply: {reason}"
