"""plotly.js as a page runs it: kinds of trace that figures have most at once, the others as soon as a figure has one.

To register all of them takes a browser longer than anything else of a page, and those that draw in three dimensions or
read pictures take most of that.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["ADDED", "MADE_BY", "traces_on_demand"]

_BEGINS, _ENDS = '"use strict";var Plotly=(()=>{', "window.Plotly = Plotly;"
"""Of what plotly.js is without the function around it, which a browser would read twice: to see where it ends, and to
run it."""

_REGISTERED = re.compile(r"\b([\w$]+)\.register\(\[((?:[\w$]+\(\),){20,}[\w$]+\(\))\]\);")
"""The list of all kinds, each loaded by its own call."""

_FIRST = 11
"""Bars, boxes, heat maps, histograms, contours and violins: the first of the list, in the order of plotly.js's own
index. Its last is no trace: calendars, which any of them may ask for."""

ADDED = Path(__file__).with_suffix(".js").read_text("utf-8")
"""What stands behind plotly.js."""

MADE_BY = Path(__file__).read_bytes() + ADDED.encode()
"""All that a script of the same plotly.js may differ by."""


def traces_on_demand(source: str) -> str:
    """The script of plotly.js, made so; as it is where it is built otherwise than expected."""
    begins, ends = source.find(_BEGINS), source.rfind(_ENDS)
    registered = _REGISTERED.findall(source)
    if not 0 <= begins < ends or len(registered) != 1:
        return source
    licence = source[: source.find("*/") + 2] if source.startswith("/*") else ""
    body = _REGISTERED.sub(_in_two, source[begins:ends], count=1)
    return "\n".join([licence, body, _ENDS, ADDED])


def _in_two(found: re.Match[str]) -> str:
    plotly, kinds = found[1], found[2].split(",")
    early, later = [*kinds[:_FIRST], kinds[-1]], kinds[_FIRST:-1]
    return (
        f"{plotly}.early=[{','.join(early)}];{plotly}.register({plotly}.early);"
        f"{plotly}.later=()=>{plotly}.register([{','.join(later)}]);"
    )
