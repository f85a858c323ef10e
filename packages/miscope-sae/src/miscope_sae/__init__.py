"""Sparse autoencoders for miscope: built on a checkpoint of another variant, at one of its sites."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    from miscope import Family


@hookimpl
def miscope_families() -> Iterable[Family]:
    from miscope_sae.batch_top_k import BatchTopKFamily
    from miscope_sae.gated import GatedFamily
    from miscope_sae.jump_relu import JumpReluFamily
    from miscope_sae.known_features import KnownFeaturesFamily
    from miscope_sae.matryoshka import MatryoshkaFamily
    from miscope_sae.standard import StandardFamily
    from miscope_sae.top_k import TopKFamily

    return (
        StandardFamily(),
        JumpReluFamily(),
        TopKFamily(),
        BatchTopKFamily(),
        GatedFamily(),
        MatryoshkaFamily(),
        KnownFeaturesFamily(),
    )
