"""Sparse autoencoders for miscope: built on a checkpoint of another variant, at one of its sites."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope import hookimpl

if TYPE_CHECKING:
    import typer

    from miscope import Analyzer, Family, Lens, View
    from miscope_sae.exchange.importing import imported as imported
    from miscope_sae.known.certifying import trial as trial
    from miscope_sae.series.autoencoders import autoencoders as autoencoders
    from miscope_sae.series.autoencoders import remarks as remarks

__all__ = ["autoencoders", "imported", "remarks", "trial"]


def __getattr__(name: str) -> Any:
    # Not in __dir__ too: whoever looks for hooks would load it.
    if name not in __all__:
        raise AttributeError(f"module 'miscope_sae' has no attribute {name!r}")
    from miscope_sae.exchange import importing
    from miscope_sae.known import certifying
    from miscope_sae.series import autoencoders as series

    modules = {"imported": importing, "trial": certifying}
    return getattr(modules.get(name, series), name)


@hookimpl
def miscope_families() -> Iterable[Family]:
    from miscope_sae.architectures.batch_top_k import BatchTopKFamily
    from miscope_sae.architectures.crosscoder import BatchTopKCrosscoderFamily, CrosscoderFamily
    from miscope_sae.architectures.gated import GatedFamily
    from miscope_sae.architectures.jump_relu import JumpReluFamily
    from miscope_sae.architectures.matryoshka import MatryoshkaFamily
    from miscope_sae.architectures.skip import SkipFamily
    from miscope_sae.architectures.standard import StandardFamily
    from miscope_sae.architectures.top_k import TopKFamily
    from miscope_sae.architectures.transcoder import TranscoderFamily
    from miscope_sae.known.births import KnownBirthsFamily
    from miscope_sae.known.features import KnownFeaturesFamily

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
