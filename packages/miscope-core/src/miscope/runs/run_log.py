"""What a run's process prints, which goes into the run's log."""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress

__all__ = ["say", "say_trace"]


def say(what: object) -> None:
    """A line, or several, in the log; one that cannot be written ends no run."""
    with suppress(OSError):
        print(what, file=sys.stderr, flush=True)


def say_trace() -> None:
    """The exception that is being handled, with where it came from."""
    say(traceback.format_exc().rstrip())
