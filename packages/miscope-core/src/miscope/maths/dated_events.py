"""What the events of training are called, wherever they are named, and what each of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

__all__ = ["EVENT_WORDS", "EventWords", "long_name", "meaning"]


@final
@dataclass(frozen=True, kw_only=True)
class EventWords:
    """What an event of training is called."""

    long: str
    """Everywhere: it says of what it is."""
    means: str
    """When it is, in a clause."""


EVENT_WORDS: Mapping[str, EventWords] = {
    "memorised": EventWords(long="memorised", means="the training set is learnt"),
    "peak": EventWords(long="test loss peak", means="the test loss is at its highest before it falls"),
    "onset": EventWords(long="onset of test loss fall", means="log test loss has gone 10 % of its whole fall"),
    "half": EventWords(long="half of test loss fall", means="log test loss has gone half of its whole fall"),
    "complete": EventWords(long="90 % of test loss fall", means="log test loss has gone 90 % of its whole fall"),
    "generalised": EventWords(long="generalised", means="the test set is learnt"),
}
"""By their names in `events.grokking`, in the order in which they are listed."""


def long_name(event: str) -> str:
    """What an event is called: its own name where it is none of EVENT_WORDS."""
    return EVENT_WORDS[event].long if event in EVENT_WORDS else event


def meaning(event: str) -> str:
    """When it is; '' of one that is none of EVENT_WORDS."""
    return EVENT_WORDS[event].means if event in EVENT_WORDS else ""
