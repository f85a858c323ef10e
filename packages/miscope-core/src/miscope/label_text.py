"""What may be written of a run or a variant by hand: notes, a line, words to find it by."""

from __future__ import annotations

from collections.abc import Sequence

from miscope.errors import BadValue

__all__ = ["LONGEST_NOTES", "LONGEST_TAG", "MOST_TAGS", "check_tags", "check_text"]

LONGEST_NOTES, LONGEST_TAG = 10_000, 64
"""Characters."""
MOST_TAGS = 100
_REPEATED = 20
"""Characters of a tag that a refusal repeats."""


def check_text(field: str, text: object, longest: int, *, of: str, is_line: bool = False) -> None:
    """BadValue, of that field, for what is too long, no text, or, as a line, has an end in the middle or is blank.

    of: what it is said of, 'a run'.
    """
    if not isinstance(text, str):
        raise BadValue(f"That cannot be the {field} of {of}.", "It is no text.", "Give another.", field=field)
    is_blank = is_line and text != "" and not text.strip()
    whole = _is_whole(text)
    if len(text) > longest or "\0" in text or is_blank or not whole or (is_line and len(text.splitlines()) > 1):
        known = f"It has at most {longest:,} characters{' on one line' if is_line else ''}, and none of them is NUL."
        if is_blank:
            known = "It has nothing but spaces."
        elif not whole:
            known = "It has half a character, which no file can hold."
        raise BadValue(f"That cannot be the {field} of {of}.", known, "Give another.", field=field)


def check_tags(tags: Sequence[str], *, of: str) -> None:
    """BadValue, of the field 'tags', where one is empty or no line, one is there twice, or they are too many."""
    for tag in tags:
        if isinstance(tag, str) and len(tag) > LONGEST_TAG:
            known = f"A tag has at most {LONGEST_TAG}, on one line."
            what = f"The tag {tag[:_REPEATED] + '…'!r} has {len(tag):,} characters."
            raise BadValue(what, known, "Shorten it; a comma begins another tag.", field="tags")
        check_text("tags", tag, LONGEST_TAG, of=of, is_line=True)
    if "" in tags or len({*tags}) < len(tags) or len(tags) > MOST_TAGS:
        known = f"There are at most {MOST_TAGS}, each of them once, and none is empty."
        raise BadValue(f"These are no tags of {of}.", known, "Give others.", field="tags")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
