"""Why a run ended badly: the sentence that says it first, what else is known, and the traceback of its log."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["sentence_and_rest", "traceback_in"]

_BEGINS = "Traceback (most recent call last):"


def sentence_and_rest(error: str) -> tuple[str, str]:
    """The first line, and the others; ('', '') where nothing is said."""
    first, _, rest = error.strip().partition("\n")
    return first, rest.strip()


def traceback_in(lines: Sequence[str]) -> str:
    """The last traceback among the lines of a log, up to the line that names the exception; '' where there is none."""
    begin = next((at for at in reversed(range(len(lines))) if lines[at] == _BEGINS), None)
    if begin is None:
        return ""
    # What is indented belongs to it, and so does the line after that, which says what was raised.
    end = next((at for at in range(begin + 1, len(lines)) if lines[at] and not lines[at].startswith(" ")), len(lines))
    return "\n".join(lines[begin : end + 1])
