"""The commands that installed plug-ins add to `miscope`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import typer

from miscope.plugins.plugins import Broken, installed_commands

__all__ = ["offered_commands"]


def offered_commands(taken: Collection[str]) -> tuple[dict[str, Any], tuple[Broken, ...]]:
    """Commands by name, and what could not be had of them. taken: the names of core's own."""
    return installed_commands(_added, taken)


def _added(hook: Callable[[typer.Typer], None]) -> dict[str, Any]:
    # One of its own for each package: what one adds can then neither replace nor break what another does.
    own = typer.Typer(rich_markup_mode=None)
    hook(own)
    return dict(typer.main.get_group(own).commands)
