"""Parts of a probe: what an autoencoder was trained on and what not, and the same of what it is built on."""

from __future__ import annotations

import numpy as np

from miscope import Probe

__all__ = ["ALL", "HELD_OUT", "SOURCE_TRAIN", "TRAIN", "parts_of"]

ALL, TRAIN, HELD_OUT, SOURCE_TRAIN, SOURCE_TEST = "all", "train", "held_out", "source_train", "source_test"


def parts_of(probe: Probe) -> dict[str, np.ndarray]:
    """Which inputs, (N,) bool, belong to each part, of those that have any.

    'all'; 'train' and 'held_out' where the autoencoder's own training set is known; 'source_train' and 'source_test'
    where the probe has the column 'source_train', of what it is built on.
    """
    parts = {ALL: np.ones(len(probe.inputs), dtype=bool)}
    if probe.train is not None:
        parts |= {TRAIN: probe.train, HELD_OUT: ~probe.train}
    if SOURCE_TRAIN in probe.columns:
        source = probe.columns[SOURCE_TRAIN].astype(bool)
        parts |= {SOURCE_TRAIN: source, SOURCE_TEST: ~source}
    return {name: part for name, part in parts.items() if part.any()}
