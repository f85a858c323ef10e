"""How long something takes, as people say it."""

from __future__ import annotations

__all__ = ["duration"]


def duration(seconds: float) -> str:
    """'2 d 3 h', '3 h 05 min', '4 min 10 s', '12 s', 'less than 1 s'."""
    if seconds < 1:
        return "less than 1 s"
    whole = round(seconds)
    days, hours, minutes = whole // 86400, whole // 3600, whole % 3600 // 60
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{whole} s"
