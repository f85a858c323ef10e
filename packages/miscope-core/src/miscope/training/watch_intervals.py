"""Which instruments watch a training, and how often, as they are written: 'ranks.weights:100'. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from miscope.analysis.planning import resolve
from miscope.analyzer import Analyzer, Grain
from miscope.errors import BadValue

__all__ = ["watch_intervals"]

_DIGITS = 18
"""Of the last step that a checkpoint's file can be named after."""


def watch_intervals(
    table: Mapping[str, Analyzer], watch: Sequence[str], *, default: int, afterwards: Callable[[str], str]
) -> dict[str, int]:
    """Steps from one computation to the next, by analyzer; by default for those that are written without a number.

    afterwards: the line that computes an instrument which cannot watch. Raises UnknownName, and BadValue for a number
    that is none, for an instrument that is there twice, and for one that looks at more than one step.
    """
    every: dict[str, int] = {}
    for text in watch:
        name, often = _parsed(text, default)
        if name in every:
            raise BadValue(
                f"{name!r} is to be watched twice.", f"Given: {', '.join(watch)}.", "Name each instrument once."
            )
        _refuse_spanning(table, name, afterwards)
        every[name] = often
    return every


def _parsed(text: str, default: int) -> tuple[str, int]:
    name, colon, number = text.rpartition(":")
    if not colon:
        return text, default
    if not number.isdecimal() or len(number) > _DIGITS or int(number) < 1:
        raise BadValue(
            f"{text!r} does not say how often {name!r} is to be watched.",
            f"What follows the colon is a whole number of steps, 1 or more, and not {number!r}.",
            f"Write it like this:  {name}:100",
        )
    return name, int(number)


def _refuse_spanning(table: Mapping[str, Analyzer], name: str, afterwards: Callable[[str], str]) -> None:
    """Raise BadValue for an instrument that looks at more than one checkpoint, or reads one that does."""
    chain = resolve(table, [name])
    spanning = next((each for each in chain.values() if each.grain is not Grain.CHECKPOINT), None)
    if spanning is not None:
        what = "several variants" if spanning.grain is Grain.COHORT else "the whole of a training"
        reads = "" if spanning.name == name else f" reads {spanning.name!r}, which"
        raise BadValue(
            f"{name!r} cannot be watched while a model trains.",
            f"It{reads} looks at {what}, and not at one step.",
            f"Analyze it afterwards:  {afterwards(name)}",
        )
