"""A snapshot made by hand, for testing the maths of an instrument on numbers one knows."""

from __future__ import annotations

from typing import Any

from miscope.family import make_variant
from miscope.snapshot import Snapshot
from miscope.testing.toy import ToyFamily

__all__ = ["toy_snapshot"]


def toy_snapshot(**fields: Any) -> Snapshot:
    """A snapshot of the toy family at step 0 that holds these fields: toy_snapshot(weights={"W_E": torch.eye(5)})."""
    family = ToyFamily()
    variant = make_variant(family, {})
    probe = next(iter(family.probes(variant).values()))
    return Snapshot(**{"variant": variant, "step": 0, "options": None, "probe": probe, **fields})
