"""The named steps of a variant's training, as a time axis marks them."""

from __future__ import annotations

from collections.abc import Mapping

from miscope.analyzer import Grain
from miscope.errors import MiscopeError
from miscope.figures.render import gather
from miscope.view import View
from miscope.workspace import Workspace

__all__ = ["events_of"]

_NOTHING = View(name="events", title="", grain=Grain.TRAJECTORY, draw=lambda shown: None)  # pyright: ignore
"""Declares nothing, so that gathering it gives a variant's steps and events alone."""


def events_of(workspace: Workspace, variant: str) -> Mapping[str, float]:
    """Step of each event that was detected; none where the variant cannot be read."""
    try:
        return dict(gather(workspace, _NOTHING, workspace.find(variant)).events)
    except MiscopeError:
        return {}
