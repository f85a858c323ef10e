"""Time axes that variants are aligned on, and by what the events are dated that can be dated in two ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from miscope import ViewData

__all__ = ["by", "counted", "defined"]


def defined(shown: ViewData, event: str) -> str:
    """'memorised (train loss < 0.01)'; the event's name alone where it has one definition."""
    return f"{event} ({shown.definitions[event]})" if event in shown.definitions else event


def by(shown: ViewData, *events: str) -> str:
    """'by train loss < 0.01 · ' of those of the events that can be dated in two ways; '' of none."""
    wordings = dict.fromkeys(shown.definitions[event] for event in events if event in shown.definitions)
    return f"by {', '.join(wordings)} · " if wordings else ""


def counted(align: str) -> dict[str, Any]:
    """What a figure says of its horizontal axis, on which variants are aligned: it counts steps, or something else."""
    if align == "step":
        return {"time_axes": ["x"]}
    return {"time_axes": [], "aligned": {"axes": ["x"], "by": align}}
