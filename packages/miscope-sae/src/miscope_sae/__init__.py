"""Sparse autoencoders for miscope: built on a checkpoint of another variant, at one of its sites."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope import hookimpl

if TYPE_CHECKING:
    import typer

    from miscope import Analyzer, Family, Lens, View
    from miscope_sae.certifying import trial as trial
    from miscope_sae.importing import imported as imported
    from miscope_sae.series import autoencoders as autoencoders
    from miscope_sae.series import remarks as remarks

__all__ = ["autoencoders", "imported", "remarks", "trial"]


def __getattr__(name: str) -> Any:
    # Not in __dir__ too: whoever looks for hooks would load it.
    if name not in __all__:
        raise AttributeError(f"module 'miscope_sae' has no attribute {name!r}")
    from miscope_sae import certifying, importing, series

    modules = {"imported": importing, "trial": certifying}
    return getattr(modules.get(name, series), name)


@hookimpl
def miscope_families() -> Iterable[Family]:
    from miscope_sae.batch_top_k import BatchTopKFamily
    from miscope_sae.crosscoder import BatchTopKCrosscoderFamily, CrosscoderFamily
    from miscope_sae.gated import GatedFamily
    from miscope_sae.jump_relu import JumpReluFamily
    from miscope_sae.known_births import KnownBirthsFamily
    from miscope_sae.known_features import KnownFeaturesFamily
    from miscope_sae.matryoshka import MatryoshkaFamily
    from miscope_sae.skip import SkipFamily
    from miscope_sae.standard import StandardFamily
    from miscope_sae.top_k import TopKFamily
    from miscope_sae.transcoder import TranscoderFamily

    return (
        StandardFamily(),
        JumpReluFamily(),
        TopKFamily(),
        BatchTopKFamily(),
        GatedFamily(),
        MatryoshkaFamily(),
        SkipFamily(),
        TranscoderFamily(),
        CrosscoderFamily(),
        BatchTopKCrosscoderFamily(),
        KnownFeaturesFamily(),
        KnownBirthsFamily(),
    )


@hookimpl
def miscope_analyzers() -> Iterable[Analyzer]:
    from miscope_sae.analyzers import ALL

    return ALL


@hookimpl
def miscope_views() -> Iterable[View]:
    from miscope_sae.views import ALL

    return ALL


@hookimpl
def miscope_lenses() -> Iterable[Lens]:
    from miscope import lenses_in

    return lenses_in(Path(__file__).parent / "lenses")


@hookimpl
def miscope_commands(cli: typer.Typer) -> None:
    from miscope_sae.cli.sae import add_to

    add_to(cli)
