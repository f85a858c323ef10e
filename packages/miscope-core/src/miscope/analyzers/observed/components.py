"""Which components of the task's basis it computes with: sentences of votes, spectra and progress measures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from miscope.analyzers.observed.words import listed, number, share
from miscope.observation import Observation, ObservedArtifact

__all__ = ["components_observed", "progress_observed", "spectra_observed", "votes_observed"]

_STRONGEST = 5
"""Blocks whose share together a sentence gives."""


def votes_observed(seen: ObservedArtifact) -> list[Observation]:
    """Which components are key, by how many votes, beside what noise would get."""
    arrays, options = seen.arrays, seen.options
    labels, votes, key = arrays["label"].tolist(), arrays["votes"].tolist(), arrays["key"]
    among = f"of {len(labels)} components of the answers' basis"
    need = f"{options.majority} or more of {len(arrays['voter'])} instruments' votes"
    null = f"white noise in place of the logits gets any vote of theirs with probability {options.null:g}"
    if not key.any():
        return [Observation(text=f"None {among} is key at {seen.at(seen.step or 0)} ({need}; {null}).", value=0.0)]
    named = [f"{labels[i]} ({votes[i]})" for i in np.flatnonzero(key)]
    text = f"{int(key.sum())} {among} are key at {seen.at(seen.step or 0)}, with their votes: {listed(named)}"
    return [Observation(text=f"{text} ({need}; {null}).", value=float(key.sum()))]


def spectra_observed(seen: ObservedArtifact) -> list[Observation]:
    """How concentrated each embedding is in few blocks of its basis, beside where it began."""
    return list(_spectra(seen))


def _spectra(seen: ObservedArtifact) -> Iterator[Observation]:
    for name in seen.arrays:
        role, slash, what = name.rpartition("/")
        if not slash or what != "fraction" or str(np.ravel(seen.arrays[f"{role}/basis"])[0]) == "singular":
            continue
        now, before = seen.arrays[name], seen.first.get(name)
        if len(now) <= _STRONGEST:
            continue
        strongest = float(np.sort(now)[::-1][:_STRONGEST].sum())
        labels = [str(label) for label in seen.arrays[f"{role}/label"][np.argsort(-now)[:_STRONGEST]]]
        began = ""
        if before is not None and seen.first_step == 0 != seen.step:
            began = f"{share(float(np.sort(before)[::-1][:_STRONGEST].sum()))} in as many at the initialisation; "
        text = f"The {_STRONGEST} strongest of {len(now)} blocks of {role} ({listed(labels)}) hold {share(strongest)}"
        reference = f"{began}equal shares would hold {share(_STRONGEST / len(now))}"
        yield Observation(text=f"{text} of its power outside the constant ({reference}).", value=strongest)


def progress_observed(seen: ObservedArtifact) -> list[Observation]:
    """What the key components alone answer, and what is left without them."""
    arrays = seen.arrays
    split = next((split for split in ("test", "all") if f"full/{split}" in arrays), None)
    if split is None or not arrays["key"].any():
        return []
    full, only, without = (float(arrays[f"{name}/{split}"]) for name in ("full", "restricted", "excluded"))
    where = "test inputs" if split == "test" else "inputs of the probe"
    text = f"On {where} the loss is {number(full)} nats; with the key components alone it is {number(only)}"
    causal = [str(label) for label in arrays["label"][arrays["causal"]]]
    alone = f"; left out alone, {listed(causal)} each raise it more than tenfold" if causal else ""
    ending = f"{alone}. Counted over every input, so nothing is estimated."
    return [Observation(text=f"{text}, and without them {number(without)}{ending}", value=without)]


def components_observed(seen: ObservedArtifact) -> list[Observation]:
    """Which component gathered neurons first, and how many stayed."""
    return list(_stories(seen))


def _stories(seen: ObservedArtifact) -> Iterator[Observation]:
    arrays, options = seen.arrays, seen.options
    for name in arrays:
        site, slash, what = name.rpartition("/")
        if not slash or what != "first_mover":
            continue
        movers, step = arrays[name].tolist(), float(arrays[f"{site}/first_mover_step"])
        null = f"a cluster is {share(options.cluster)} of the neurons, each committed beyond a calibrated null"
        if not movers or not np.isfinite(step):
            yield Observation(text=f"No component of {site} is known to have gathered neurons first ({null}).")
            continue
        order, transient = arrays[f"{site}/order"].tolist(), int(arrays[f"{site}/transient_count"])
        text = f"In {site} {listed(movers)} had a cluster of neurons first, at {seen.at(step)}"
        end = f"{len(order)} components have one at the end ({listed(order)})" if order else "none has one at the end"
        yield Observation(text=f"{text}; {end}, and {transient} lost theirs ({null}).", value=step)
