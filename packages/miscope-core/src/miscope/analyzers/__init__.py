"""The universal instruments, one module per namespace; each line below is one instrument on offer."""

from __future__ import annotations

from miscope.analyzers import (
    attention,
    behaviour,
    events,
    factors,
    keys,
    neurons,
    parameters,
    products,
    progress,
    spectra,
)

ALL = (
    behaviour.METRICS,
    parameters.NORMS,
    parameters.TRAJECTORY,
    parameters.VELOCITY,
    spectra.EMBEDDING,
    factors.SHARES,
    products.INPUTS,
    products.ANSWERS,
    neurons.FREQUENCIES,
    neurons.CLUSTERS,
    keys.VOTES,
    progress.LOSSES,
    attention.PATTERNS,
    events.GROKKING,
)
