"""Where a server is and what it wants to be told, checked before anything is sent."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import final
from urllib.parse import parse_qs, urlsplit

from miscope.errors import BadValue

__all__ = ["Address"]

_API = "/api/v1"
_HERE = ("127.0.0.1", "localhost", "::1")
_SENDABLE = re.compile(r"[!-~]+")
"""What a header can hold of a token: ASCII, without spaces."""


@final
@dataclass(frozen=True, kw_only=True)
class Address:
    """Of one server."""

    url: str
    """'http://127.0.0.1:5006', without a slash at its end."""
    token: str | None
    seconds: float
    """That an answer may take."""
    here: bool
    """Whether it names this machine."""

    @classmethod
    def of(cls, url: object, token: object = None, seconds: object = 60.0) -> Address:
        """The address as it was given or copied from a browser; BadValue for what cannot be one.

        A token may stand in it, as the server prints it; what comes after the '?' otherwise is left out, and so is
        `/api/v1`.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
            what, known = f"An answer cannot take {seconds!r} seconds.", "It is a number of seconds, above 0."
            raise BadValue(what, known, "Leave `seconds` out for 60.", field="seconds")
        try:
            parts = urlsplit(url.strip() if isinstance(url, str) else "")
            host = parts.hostname if parts.port != 0 else None
            (host or "").encode("idna")
        except ValueError:  # a port that is no number, a bracket that is not closed, a name that no machine has
            raise _no_address(url) from None
        if parts.scheme not in ("http", "https") or not host or not parts.netloc.isprintable() or " " in parts.netloc:
            raise _no_address(url)
        given = parse_qs(parts.query, keep_blank_values=True).get("token", [None])[0] if token is None else token
        path = parts.path.rstrip("/").removesuffix(_API)
        return cls(
            url=f"{parts.scheme}://{parts.netloc}{path}", token=_token(given), seconds=seconds, here=host in _HERE
        )


def _no_address(url: object) -> BadValue:
    shown = repr(url.partition("?")[0] if isinstance(url, str) else url)  # a token is nothing to print
    return BadValue(
        f"{shown} is no address of a server.",
        "It begins with http:// or https://, and a host follows.",
        "Give the one that `miscope serve` prints:  miscope.connect('http://127.0.0.1:5006')",
        field="url",
    )


def _token(given: object) -> str | None:
    if given is None or (isinstance(given, str) and _SENDABLE.fullmatch(given)):
        return given
    if not isinstance(given, str):
        fault = f"It is a {type(given).__name__}, and no text"
    elif not given:
        fault = "It is empty"
    elif given.strip() != given:
        fault = "There is a space or a line's end before or after it"
    else:
        fault = "A token is of letters, digits and signs that ASCII has, without spaces"
    raise BadValue(
        "That token cannot be sent.",
        f"{fault}.",
        "Give the one that `miscope serve` was started with; leave it out where that was started without.",
        field="token",
    )
