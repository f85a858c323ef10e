"""Shell patterns over the names of sites, weights and metrics; several in one are parted by bars."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from miscope.errors import BadValue

__all__ = ["has_none_like", "matches", "matching", "matching_metrics"]


def matches(name: str, pattern: str) -> bool:
    """Whether the name matches the pattern, or one of those that bars part: 'blocks.*.hook_z|blocks.*.hook_post'."""
    return any(fnmatchcase(name, each) for each in pattern.split("|"))


def matching(patterns: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """The names that match any of the patterns ('blocks.*.mlp.hook_post'), in the order of `names`."""
    wanted = tuple(patterns)
    return tuple(name for name in names if any(matches(name, pattern) for pattern in wanted))


def matching_metrics(patterns: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """The metrics that match any of the patterns; those that instruments saw while training, only one that says so.

    Their names are 'analyzer/output': '*/*' matches all of them, '*_loss' none, and '*' alone every metric there is.
    """
    wanted = tuple(patterns)
    for pattern in wanted:
        if not isinstance(pattern, str):
            raise BadValue(f"{pattern!r} is no name of a metric.", "It is no text.", "Give names or shell patterns.")
    of_instruments = [pattern for pattern in wanted if "/" in pattern or pattern == "*"]
    return tuple(name for name in names if matching(of_instruments if "/" in name else wanted, [name]))


def has_none_like(kind: str, pattern: str) -> str:
    """The clause for a family without a match: "has no site 'blocks.*.attn.hook_z' and no 'blocks.*.mlp.hook_post'"."""
    return f"has no {kind} " + " and no ".join(repr(each) for each in pattern.split("|"))
