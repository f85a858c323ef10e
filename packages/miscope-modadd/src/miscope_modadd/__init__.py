"""Modular addition for miscope: the calibration families, whose structure is known, and their Fourier context."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    import typer

    from miscope import Analyzer, Family, View


@hookimpl
def miscope_families() -> Iterable[Family]:
    from miscope_modadd.embedding_mlp import EmbeddingMlpFamily
    from miscope_modadd.mlp import MlpFamily
    from miscope_modadd.nanda2023 import Nanda2023Family
    from miscope_modadd.transformer import TransformerFamily

    return (TransformerFamily(), Nanda2023Family(), MlpFamily(), EmbeddingMlpFamily())


@hookimpl
def miscope_analyzers() -> Iterable[Analyzer]:
    from miscope_modadd.analyzers import ALL

    return ALL


@hookimpl
def miscope_views() -> Iterable[View]:
    from miscope_modadd.views import ALL

    return ALL


@hookimpl
def miscope_commands(cli: typer.Typer) -> None:
    from miscope_modadd.demo import demo

    cli.command(rich_help_panel="Make")(demo)
