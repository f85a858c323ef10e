"""What is done with a template that comes from elsewhere, where there is one of its name."""

from __future__ import annotations

import enum

__all__ = ["Conflict"]


class Conflict(enum.StrEnum):
    """Which of the two is kept, or both."""

    SKIP = "skip"
    """The one that is there."""
    OVERWRITE = "overwrite"
    """The one that comes, with the uses of the other."""
    RENAME = "rename"
    """Both, the one that comes under another name."""
