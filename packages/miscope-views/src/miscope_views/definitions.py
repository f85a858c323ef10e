"""Time axes that variants are aligned on, and by what the events are dated that can be dated in two ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from miscope.maths.dated_events import long_name
from miscope.maths.learnt import LEARNT

if TYPE_CHECKING:
    from miscope import ViewData

__all__ = ["by", "counted", "defined", "did"]


def defined(shown: ViewData, event: str) -> str:
    """'memorised (train loss < 0.01)'; what the event is called alone where it has one definition."""
    called = long_name(event)
    return f"{called} ({shown.definitions[event]})" if event in shown.definitions else called


def did(event: str) -> str:
    """'memorised', 'reached half of test loss fall': what variants did to which an event happened."""
    return event if event in LEARNT else f"reached {long_name(event)}"


def by(shown: ViewData, *events: str) -> str:
    """'by train loss < 0.01 · ' of those of the events that can be dated in two ways; '' of none."""
    wordings = dict.fromkeys(shown.definitions[event] for event in events if event in shown.definitions)
    return f"by {', '.join(wordings)} · " if wordings else ""


def counted(align: str) -> dict[str, Any]:
    """What a figure says of its horizontal axis, on which variants are aligned: it counts steps, or something else."""
    if align == "step":
        return {"time_axes": ["x"]}
    return {"time_axes": [], "aligned": {"axes": ["x"], "by": align}}
