"""Instruments of routing: of any network with sites '*.routing.hook_weights', whose rows lie on the simplex."""

from __future__ import annotations

from miscope_lal.analyzers import alike, classes, clusters, drift, paths, statistics, untrained

ALL = (
    statistics.STATISTICS,
    statistics.MAP,
    alike.ALIKE,
    paths.PATHS,
    classes.CLASSES,
    clusters.CLUSTERS,
    drift.DRIFT,
    untrained.UNTRAINED,
)
