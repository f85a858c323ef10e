"""Whether what an analyzer returns is what it documents, and can be stored under its names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TypeAlias

import numpy as np

from miscope.analyzer import Analyzer
from miscope.artifact import Arrays

__all__ = ["Words", "check_arrays", "not_returned", "stands_for"]

Words: TypeAlias = Mapping[str, Collection[str]]
"""'ROLE' -> the names of the model's weights, 'SITE' -> those of its sites."""

_ARRAY_NAME = re.compile(r"(?!\.+(/|$))[^/\\\x00-\x1f]+(/(?!\.+(/|$))[^/\\\x00-\x1f]+)*")
"""Parts between slashes, none of them only dots."""


def check_arrays(analyzer: Analyzer, arrays: Arrays, words: Words) -> None:
    """Assert that it returned named arrays of numbers or text, each documented, and of as many axes as it says.

    words: what a word in capitals stands for; one that is not there, for any name.
    """
    assert isinstance(arrays, Mapping), f"{analyzer.name} should return a dict of arrays, not {type(arrays).__name__}"
    assert arrays, f"{analyzer.name} returned no array at all"
    for name, array in arrays.items():
        assert isinstance(array, np.ndarray), (
            f"{analyzer.name}: {name!r} is {type(array).__name__}; wrap it in np.asarray (a 0-d array is a scalar)"
        )
        assert array.dtype.kind in "biufcU", f"{analyzer.name}: {name!r} holds {array.dtype}, which cannot be stored"
        assert name != "step", f"{analyzer.name}: 'step' is miscope's own name, of the steps arrays are stacked over"
        assert _ARRAY_NAME.fullmatch(str(name)), (
            f"{analyzer.name}: {name!r} cannot be the name of an array; no part between / may be dots alone"
        )
        assert any(stands_for(pattern, words).fullmatch(name) for pattern in analyzer.outputs), (
            f"{analyzer.name}: {name!r} is not in `outputs` ({', '.join(analyzer.outputs)}); say there what it is"
        )
        _check_shape(analyzer, name, array, analyzer.outputs.get(name, ""))


def _one_of(names: Collection[str] | None) -> str:
    return ".+" if names is None else f"({'|'.join(map(re.escape, names))})"


def _check_shape(analyzer: Analyzer, name: str, array: np.ndarray, documented: str) -> None:
    """The shape in brackets at the beginning of what is said under that very name: '(K, 2) ...', '() ...'.

    What is said of many arrays at once (ROLE/...) need not be one shape: heads stand side by side in some.
    """
    shape = re.match(r"\(([^()]*)\)", documented)
    if not shape or "..." in shape[1]:
        return
    axes = [axis.strip() for axis in shape[1].split(",") if axis.strip()]
    fits = len(axes) == array.ndim and all(map(_fits, axes, array.shape))
    assert fits, f"{analyzer.name}: {name!r} is documented as ({shape[1]}), and is {array.shape}"


def _fits(axis: str, size: int) -> bool:
    # An empty array is one of which there is nothing to tell.
    return not axis.isdecimal() or size in (0, int(axis))


def not_returned(analyzer: Analyzer, names: Collection[str], words: Words) -> tuple[str, ...]:
    """The documented outputs of which none of these names is one."""
    return tuple(
        pattern for pattern in analyzer.outputs if not any(stands_for(pattern, words).fullmatch(name) for name in names)
    )


def stands_for(pattern: str, words: Words) -> re.Pattern[str]:
    """'ROLE/{min,max}' as a regular expression: braces stand for one of several, a word in capitals for its names.

    A word that is not among `words` stands for any name.
    """
    parts = re.split(r"([A-Z]{3,}|\*|\{[^}]*\})", pattern)
    literal = [re.escape(part) for part in parts[::2]]
    free = [_one_of(p[1:-1].split(",") if p.startswith("{") else words.get(p)) for p in parts[1::2]]
    return re.compile("".join(a + b for a, b in zip(literal, [*free, ""], strict=True)))
