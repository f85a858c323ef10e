"""What the index says of variants, before it is a table: records, checkpoints, analyses, runs, and single numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miscope.tabulating.measure import Measure

if TYPE_CHECKING:
    from miscope.index.index import Index

__all__ = ["finished_last", "known_numbers", "numbers_of", "quoted", "variant_rows"]

_VARIANTS = """
WITH kept AS (SELECT variant, count(*) AS checkpoints, max(step) AS step FROM checkpoints GROUP BY variant),
made AS (SELECT variant, list(DISTINCT analyzer) AS analyzers FROM artifacts GROUP BY variant),
trained AS (
    SELECT variant, arg_max(state, coalesce(started, last_line)) AS state, max(ended) AS ended,
        max(epoch(coalesce(started, last_line))) AS begun
    FROM runs WHERE kind = 'train' GROUP BY variant
)
SELECT v.variant, v.family, v.params::VARCHAR AS params, v.training::VARCHAR AS training, v.problem,
    kept.checkpoints, kept.step, made.analyzers, trained.state, trained.begun
FROM variants AS v LEFT JOIN kept ON kept.variant = v.variant LEFT JOIN made ON made.variant = v.variant
    LEFT JOIN trained ON trained.variant = v.variant
ORDER BY trained.ended DESC NULLS LAST, v.variant
"""

_KNOWN = """
SELECT DISTINCT name FROM metrics UNION SELECT DISTINCT analyzer || '/' || name FROM scalars ORDER BY name
"""

_NUMBERS = """
WITH latest AS (
    SELECT variant, analyzer, max_by(recipe, time) AS recipe FROM artifacts GROUP BY variant, analyzer
), numbers AS (
    SELECT variant, name, step, value FROM metrics WHERE name IN ({names})
    UNION ALL
    SELECT s.variant, s.analyzer || '/' || s.name, s.step, s.value
    FROM scalars AS s JOIN latest AS l ON l.variant = s.variant AND l.analyzer = s.analyzer AND l.recipe = s.recipe
    WHERE s.analyzer || '/' || s.name IN ({names})
)
SELECT variant, name, arg_max(coalesce(value, 'nan'::DOUBLE), coalesce(step, 0)) AS last,
    min(value) FILTER (NOT isnan(value)) AS min, max(value) FILTER (NOT isnan(value)) AS max,
    arg_max(coalesce(value, 'nan'::DOUBLE), coalesce(step, 0)) FILTER (coalesce(step, 0) <= {at}) AS at
FROM numbers GROUP BY variant, name
"""
"""Of an analyzer its numbers are those of the recipe that was computed last."""

_LAST = 2**63 - 1
"""No step is beyond it."""

_FINISHED = """
SELECT variant FROM runs WHERE kind = 'train' AND state = 'completed' AND ended IS NOT NULL
    AND variant IN (SELECT variant FROM variants WHERE problem IS NULL)
ORDER BY ended DESC, variant LIMIT 1
"""


def variant_rows(index: Index) -> list[dict[str, Any]]:
    """One of each variant, those whose training ended last first: records as JSON, and what there is of it."""
    return index.ask(_VARIANTS).to_pylist()


def known_numbers(index: Index) -> tuple[str, ...]:
    """Names of all metrics and of all scalars of analyzers that any variant has, sorted."""
    return tuple(index.ask(_KNOWN)["name"].to_pylist())


def numbers_of(index: Index, measures: Sequence[Measure], at: int | None = None) -> Mapping[str, Mapping[str, float]]:
    """Of each variant the measures that it has, by how they are written; NaN where the last is not a number.

    at: the step at which, or last before which, those are of that are written so; None for the last.
    """
    if not measures:
        return {}
    names = ", ".join(f"'{quoted(name)}'" for name in dict.fromkeys(measure.name for measure in measures))
    found: dict[str, dict[str, float]] = {}
    for row in index.ask(_NUMBERS.format(names=names, at=_LAST if at is None else min(at, _LAST))).to_pylist():
        numbers = {str(m): row[m.which] for m in measures if m.name == row["name"] and row[m.which] is not None}
        found.setdefault(row["variant"], {}).update(numbers)
    return found


def finished_last(index: Index) -> str | None:
    """The variant whose training was completed last; None where none was."""
    names = index.ask(_FINISHED)["variant"].to_pylist()
    return names[0] if names else None


def quoted(text: str) -> str:
    """The text between the single quotes of SQL."""
    return text.replace("'", "''")
