"""The universal instruments, one module per namespace; each line below is one instrument on offer."""

from __future__ import annotations

from miscope.analyzers import (
    attention,
    behaviour,
    dimensions,
    events,
    factors,
    geometry,
    heads,
    keys,
    learning,
    neurons,
    parameters,
    phases,
    products,
    progress,
    ranks,
    spectra,
)

ALL = (
    behaviour.METRICS,
    learning.CORRECTNESS,
    learning.ORDER,
    parameters.NORMS,
    parameters.TRAJECTORY,
    parameters.VELOCITY,
    ranks.WEIGHTS,
    spectra.EMBEDDING,
    factors.SHARES,
    products.INPUTS,
    products.ANSWERS,
    neurons.FREQUENCIES,
    neurons.CLUSTERS,
    phases.NEURONS,
    keys.VOTES,
    progress.LOSSES,
    attention.PATTERNS,
    heads.ROLES,
    dimensions.ACTIVATIONS,
    geometry.CLASSES,
    geometry.PCA,
    events.GROKKING,
)
