"""A number over training as a cell has room for: few points of each variant, through which the same line goes."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from miscope.tabulating.index_rows import quoted

if TYPE_CHECKING:
    from miscope.index.index import Index

__all__ = ["Curve", "curves_of"]

Curve = tuple[tuple[float, float], ...]
"""(step, value), ascending by step."""

_PARTS = 48

_CURVES = """
WITH latest AS (
    SELECT variant, max_by(recipe, time) AS recipe FROM artifacts
    WHERE analyzer = '{analyzer}' AND variant IN ({variants}) GROUP BY variant
), known AS (
    SELECT variant, coalesce(step, 0) AS step, value FROM metrics
    WHERE name = '{name}' AND variant IN ({variants}) AND isfinite(value)
    UNION ALL
    SELECT s.variant, coalesce(s.step, 0), s.value
    FROM scalars AS s JOIN latest AS l ON l.variant = s.variant AND l.recipe = s.recipe
    WHERE s.analyzer = '{analyzer}' AND s.name = '{scalar}' AND isfinite(s.value)
), reach AS (SELECT variant, min(step) AS first, max(step) AS last FROM known GROUP BY variant)
SELECT k.variant, (k.step - r.first) * {parts} // (r.last - r.first + 1) AS part,
    [min(k.step), arg_min(k.step, k.value), arg_max(k.step, k.value), max(k.step)] AS steps,
    [arg_min(k.value, k.step), min(k.value), max(k.value), arg_max(k.value, k.step)] AS values
FROM known AS k JOIN reach AS r ON r.variant = k.variant
GROUP BY k.variant, part ORDER BY k.variant, part
"""


def curves_of(index: Index, variants: Collection[str], name: str, *, parts: int = _PARTS) -> Mapping[str, Curve]:
    """Of each of the variants that have the metric, or the scalar 'analyzer/name', its finite values over its steps.

    Of each of so many equal parts of the steps there are the first, the least, the largest and the last value, so that
    a line through them, drawn as many pixels wide, is the line through all of them (M4; Jugel et al. 2014).
    """
    if not variants or not name:
        return {}
    analyzer, _, scalar = name.partition("/")
    asked = _CURVES.format(
        name=quoted(name),
        analyzer=quoted(analyzer),
        scalar=quoted(scalar),
        variants=", ".join(f"'{quoted(variant)}'" for variant in variants),
        parts=parts,
    )
    rows = index.ask(asked).to_pylist()
    return {
        variant: tuple(
            dict.fromkeys(point for row in own for point in sorted(zip(row["steps"], row["values"], strict=True)))
        )
        for variant, own in itertools.groupby(rows, key=lambda row: row["variant"])
    }
