"""Cells of the matrix of analyses as the fewest requests that compute them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from miscope.analyze_request import AnalyzeRequest

__all__ = ["requests_for"]


def requests_for(wanted: Mapping[str, Sequence[str]]) -> list[AnalyzeRequest]:
    """One for all variants of which the same analyzers are wanted, in the order in which they are given.

    wanted: analyzers by variant; a variant of which none are is left out.
    """
    together: dict[tuple[str, ...], list[str]] = {}
    for variant, analyzers in wanted.items():
        if analyzers:
            together.setdefault(tuple(sorted(set(analyzers))), []).append(variant)
    return [AnalyzeRequest(variants=tuple(names), analyzers=analyzers) for analyzers, names in together.items()]
