"""The door of a report to plug-ins: one that fails is left out with its reason, and the report goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from miscope.errors import DoesNotApply, MiscopeError, NoArtifact
from miscope.reporting.content import Missing

__all__ = ["attempted"]

T = TypeVar("T")


def attempted(name: str, of: str, work: Callable[[], T]) -> T | Missing:
    """What it gives, or why there is nothing of it; errors of the plug-in among these."""
    try:
        return work()
    except NoArtifact as error:
        return Missing(name=name, of=of, reason=_clause(error.known), command=error.command)
    except DoesNotApply as error:
        return Missing(name=name, of=of, reason=_clause(error.reason))
    except MiscopeError as error:
        return Missing(name=name, of=of, reason=_clause(str(error)))
    except Exception as error:  # noqa: BLE001 - the door: a plug-in's function may raise whatever it likes
        return Missing(name=name, of=of, reason=_clause(f"it failed: {type(error).__name__}: {error}"))


def _clause(text: str) -> str:
    """All of it in one line, such that a full stop may follow."""
    whole = " ".join(text.split())
    return whole[:1].lower() + whole[1:].removesuffix(".")
