"""Least Action Learning for miscope: modular arithmetic by MLPs, transformers and networks that route."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    import typer

    from miscope import Analyzer, Family, View


@hookimpl
def miscope_families() -> Iterable[Family]:
    from miscope_lal.mlp import MlpFamily
    from miscope_lal.routed import RoutedFamily
    from miscope_lal.routed_transformer import RoutedTransformerFamily
    from miscope_lal.transformer import TransformerFamily

    return (MlpFamily(), RoutedFamily(), TransformerFamily(), RoutedTransformerFamily())


@hookimpl
def miscope_analyzers() -> Iterable[Analyzer]:
    from miscope_lal.analyzers import ALL

    return ALL


@hookimpl
def miscope_views() -> Iterable[View]:
    from miscope_lal.views import ALL

    return ALL


@hookimpl
def miscope_commands(cli: typer.Typer) -> None:
    from miscope_lal.cli.lal import add_to

    add_to(cli)
