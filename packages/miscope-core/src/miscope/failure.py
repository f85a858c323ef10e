"""Something that could not be made, as a value: what a family does wrong for one variant is no matter of the others."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, final

from miscope.errors import MiscopeError

__all__ = ["Failure", "tried"]

T = TypeVar("T")


@final
@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why something could not be made."""

    error: str
    """In sentences."""
    trace: str = ""
    """Python's traceback, where it is not an error that miscope explains."""


def tried(make: Callable[[], T]) -> T | Failure:
    """What is made, or why it could not be."""
    try:
        return make()
    except MiscopeError as error:
        return Failure(error=str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the door of what is made one by one: the others are still to be
        trace = "".join(traceback.format_exception(error))
        return Failure(error=f"{type(error).__name__}: {error}", trace=trace)
