"""When it happened and what came of it: sentences of the detectors of events and stages, and of the verdict."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from miscope.analyzers.observed.words import interval_of, listed, number
from miscope.maths.learnt import LEARNT, NEVER_FELL, definitions, words
from miscope.maths.verdict import labelled
from miscope.observation import Observation, ObservedArtifact

__all__ = ["grokking_observed", "stages_observed", "windows_observed"]

_CI = "95 % interval by block bootstrap of its curve"


def grokking_observed(seen: ObservedArtifact) -> list[Observation]:
    """When each set was learnt, with its interval, and with what delay one after the other."""
    texts = words([seen.arrays], definitions([seen.arrays]))
    learnt = [_learnt(seen, event, texts.get(event, event)) for event in LEARNT]
    return [*learnt, *_delay(seen), *_slingshots(seen)]


def _learnt(seen: ObservedArtifact, event: str, definition: str) -> Observation:
    step, last = float(seen.arrays[event]), float(seen.arrays["last"])
    if not np.isfinite(step):
        fell = "" if event == "memorised" or seen.arrays["fell"] else f", and the test loss {NEVER_FELL}"
        return Observation(text=f"By {seen.at(last)} it has not {event} ({definition}){fell}.")
    if step == float(seen.arrays["first"]):
        text = f"It had {event} by {seen.at(step)}, where its record begins ({definition})."
        return Observation(text=text, value=step)
    band = interval_of(seen.arrays[f"{event}/ci"])
    doubt = f"{_CI}: {band[0]:,.0f} to {band[1]:,.0f}" if band else "no interval: too few records"
    return Observation(text=f"It {event} at {seen.at(step)} ({definition}; {doubt}).", value=step, interval=band)


def _delay(seen: ObservedArtifact) -> Iterator[Observation]:
    arrays, clock = seen.arrays, f"{seen.step_label}s"
    delay, least, line = (float(arrays[name]) for name in ("delay", "delay_at_least", "line/delay"))
    if np.isfinite(float(arrays["ratio"])):
        ratio = float(arrays["ratio"])
        verdict = "it grokked" if arrays["grokked"] == 1 else "that is not called grokking"
        text = f"It generalised {delay:,.0f} {clock} after it memorised, at {ratio:.3g} times the {seen.step_label}"
        yield Observation(text=f"{text}: {verdict} (line: {line:g} times).", value=delay)
    elif arrays["censored"] == 1 and np.isfinite(least):
        text = f"Whether it would have generalised later is not known: the delay is {least:,.0f} {clock} at least."
        yield Observation(text=text, value=least)


def _slingshots(seen: ObservedArtifact) -> Iterator[Observation]:
    count = int(seen.arrays["slingshot_count"])
    if count:
        steps = [f"{step:,}" for step in seen.arrays["slingshots"].tolist()]
        rose = f"rose through {number(float(seen.arrays['line/loss']))} nats"
        text = f"After it had been learnt the training loss {rose} {count} time{'s' * (count != 1)}"
        yield Observation(text=f"{text} ({seen.step_label} {listed(steps)}).", value=float(count))


def windows_observed(seen: ObservedArtifact) -> list[Observation]:
    """The verdict with its reasons."""
    told = [labelled(reason, seen.step_label) for reason in seen.arrays["reason"].tolist()]
    reasons = "; ".join(reason.rstrip(".") for reason in told)
    return [Observation(text=f"Verdict: {seen.arrays['verdict'][0]} ({reasons})." if reasons else "No verdict.")]


def stages_observed(seen: ObservedArtifact) -> list[Observation]:
    """How many stages, and where they part."""
    arrays, options = seen.arrays, seen.options
    steps, bands = arrays["consensus"].tolist(), arrays["ci"].tolist()
    null = f"each method cuts a random walk with probability {options.level:g}"
    need = f"at least {options.methods} of {len(arrays['method'])} methods"
    if not steps:
        return [Observation(text=f"No boundary of a stage is agreed on by {need} ({null}).", value=0.0)]
    places = [f"{step:,} (95 %: {low:,} to {high:,})" for step, (low, high) in zip(steps, bands, strict=True)]
    count = len(steps) + 1
    text = f"{count} stages, which part at {seen.step_label} {listed(places)}, by {need} ({null})."
    return [Observation(text=text, value=float(count))]
