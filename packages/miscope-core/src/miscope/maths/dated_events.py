"""What the events of training are called, wherever they are named, and what each of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

__all__ = ["EVENT_WORDS", "EventWords", "long_name", "meaning", "short_name"]


@final
@dataclass(frozen=True, kw_only=True)
class EventWords:
    """What an event of training is called."""

    short: str
    """Where there is no room for more, or the test loss is spoken of."""
    long: str
    """Anywhere else: it says of what it is."""
    means: str
    """When it is, in a clause."""


EVENT_WORDS: Mapping[str, EventWords] = {
    "memorised": EventWords(short="memorised", long="memorised", means="the training set is learnt"),
    "peak": EventWords(
        short="test loss peak", long="test loss peak", means="the test loss is at its highest before it falls"
    ),
    "onset": EventWords(
        short="onset of fall", long="onset of test loss fall", means="log test loss has gone 10 % of its whole fall"
    ),
    "half": EventWords(
        short="half of fall", long="half of test loss fall", means="log test loss has gone half of its whole fall"
    ),
    "complete": EventWords(
        short="90 % of fall", long="90 % of test loss fall", means="log test loss has gone 90 % of its whole fall"
    ),
    "generalised": EventWords(short="generalised", long="generalised", means="the test set is learnt"),
}
"""By their names in `events.grokking`, in the order in which they are listed."""


def short_name(event: str) -> str:
    """What an event is called where there is little room: its own name where it is none of EVENT_WORDS."""
    return EVENT_WORDS[event].short if event in EVENT_WORDS else event


def long_name(event: str) -> str:
    """What an event is called: its own name where it is none of EVENT_WORDS."""
    return EVENT_WORDS[event].long if event in EVENT_WORDS else event


def meaning(event: str) -> str:
    """When it is; '' of one that is none of EVENT_WORDS."""
    return EVENT_WORDS[event].means if event in EVENT_WORDS else ""
