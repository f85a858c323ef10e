"""Activations of known features, of two sizes, and trainings on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miscope.bound import BoundVariant, BoundWorkspace


def opened(root: Path, *families: Any, **features: Any) -> tuple[BoundWorkspace, BoundVariant]:
    """A workspace and a variant of known features in it."""
    import miscope_sae
    from miscope.bound import open_bound
    from miscope.testing import tables

    place = open_bound(root, tables(*families, sae=miscope_sae))
    source = place.variant("sae.known-features", **features)
    place.value.keep_record(source.value)
    return place, source


@pytest.fixture
def few(tmp_path: Path) -> Callable[..., BoundVariant]:
    """few('sae.topk', k=2): an autoencoder of 12 latents for 500 inputs of 8 numbers, not yet trained."""
    place, source = opened(tmp_path, features=12, width=8, inputs=500, probability=0.1)

    def make(family: str, **fields: Any) -> BoundVariant:
        plain = {"latents": 12, "batch_size": 64, "steps": 40, "allow_out_of_range": True}
        return place.variant(family, variant=source.name, step=0, site="hook_embed", **{**plain, **fields})

    return make
