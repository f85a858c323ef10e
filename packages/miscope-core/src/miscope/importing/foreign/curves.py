"""Losses without weights: the curves in a CSV, JSON or Parquet file, each with the fields that tell its run apart."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

from miscope.errors import BadFile
from miscope.importing.foreign.content import read_content
from miscope.importing.foreign.losses import FOR_ANY, KEYS, Points, placed, recorded
from miscope.importing.foreign.numbers import whole
from miscope.importing.foreign.paths import SUFFIXES
from miscope.importing.foreign.words import RATES, Words, words_in

__all__ = ["CURVE_SUFFIXES", "Curve", "read_curves"]

CURVE_SUFFIXES = (".csv", ".json", ".parquet", *SUFFIXES)
_STEPS = ("step", "steps", "global_step", "_step", "iteration", "iter", "update", "epoch", "epochs")
"""Columns that say when, the first there is: updates made before the value was taken."""
_NAMED, _VALUE = ("name", "metric"), "value"
_WITHIN = ("metrics", "history", "logs", "log")
_METRIC = {word: metric for metric, words in KEYS.items() for word in (metric, *words)}
_TODO = "Give columns, or lists, of steps and of losses: step, train_loss, test_loss."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """What one run recorded."""

    path: Path
    sha256: str
    metrics: Mapping[str, Points]
    """'train_loss', 'test_loss', ... as (step, value), steps ascending."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """By the file's own words: columns that tell runs apart, and its configuration."""
    words: Words = field(default_factory=Words)
    """What else the file says, of which only a family knows what are parameters."""
    notes: tuple[str, ...] = ()


def read_curves(path: Path, words: Collection[str]) -> list[Curve]:
    """The curves of a file, one for each combination of the columns whose names are among `words`.

    Raises BadFile where nothing says of which steps the values are, where one run has two values at a step, or where no
    number is recorded at all.
    """
    if path.suffix.lower() not in CURVE_SUFFIXES or not path.is_file():
        problem = f"Its name ends in none of {', '.join(CURVE_SUFFIXES)}." if path.exists() else "It is not there."
        raise BadFile(path, problem, "Give losses as CSV, JSON or Parquet, or the checkpoint file that holds them.")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    curves = [
        Curve(path=path, sha256=sha256, metrics=run.metrics, fields=run.fields, words=run.words, notes=tuple(run.notes))
        for run in _runs(path, _content(path), words)
        if run.metrics
    ]
    if not curves:
        raise BadFile(path, "It holds no recorded numbers.", _TODO)
    return curves


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    metrics: Mapping[str, Points]
    fields: Mapping[str, object] = field(default_factory=dict)
    words: Words = field(default_factory=Words)
    notes: Sequence[str] = ()


def _content(path: Path) -> Any:
    """Rows as dicts, or what the JSON holds."""
    if path.suffix.lower() in SUFFIXES:
        return _as_lists(read_content(path))
    try:
        match path.suffix.lower():
            case ".parquet":
                import pyarrow.parquet as pq

                return pq.ParquetFile(path).read().to_pylist()
            case ".csv":
                return _table(path)
            case _:
                return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, csv.Error, RecursionError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        kind = {".csv": "CSV", ".json": "JSON"}.get(path.suffix.lower(), "Parquet")
        raise BadFile(path, f"It is no complete {kind}: {reason}.", "Copy it again from its source.") from None


def _as_lists(held: Any) -> Any:
    """What a checkpoint file holds, as JSON would hold it: tensors of one axis as lists."""
    if isinstance(held, Mapping):
        return {name: _as_lists(inner) for name, inner in held.items()}
    return held.tolist() if getattr(held, "ndim", 0) == 1 else held


def _table(path: Path) -> list[Mapping[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, strict=True)
        headings = [name for name in reader.fieldnames or () if name.strip()]
        twice = next((name for name in headings if headings.count(name) > 1), None)
        if twice is not None:
            raise BadFile(path, f"Two of its columns are called {twice!r}.", "Give each a name of its own.")
        return list(reader)


def _runs(path: Path, content: Any, words: Collection[str]) -> Iterator[_Run]:
    if isinstance(content, Mapping):
        yield from _of_mapping(path, content, words)
    elif isinstance(content, list) and all(isinstance(each, Mapping) for each in content):
        if any(isinstance(value, list | Mapping) for each in content for value in each.values()):
            for each in content:
                yield from _of_mapping(path, each, words)
        else:
            yield from _of_rows(path, content, words)
    else:
        raise BadFile(path, f"It holds a {type(content).__name__}, not losses by name.", _TODO)


def _of_mapping(path: Path, content: Mapping[str, Any], words: Collection[str]) -> Iterator[_Run]:
    """A run as lists by name, with its configuration; lists of one length with steps among them are a table."""
    written = words_in(content)
    config = {**written.config, **{word: v for word, v in content.items() if word in words and not isinstance(v, list)}}
    inner = next((content[key] for key in _WITHIN if isinstance(content.get(key), Mapping | list)), None)
    held: Any = content if inner is None else inner
    runs = _runs(path, held, words) if isinstance(held, list) else _of_lists(path, held, words)
    for run in runs:
        yield replace(run, fields={**config, **run.fields}, words=replace(written, beside={}))


def _of_lists(path: Path, held: Mapping[str, Any], words: Collection[str]) -> Iterator[_Run]:
    lists = {name: values for name, values in held.items() if isinstance(values, list)}
    when = _step_column(lists)
    if when is None:
        yield _of_header(path, held)
        return
    other = next((name for name, values in lists.items() if len(values) != len(lists[when])), None)
    if other is None:
        rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        yield from _of_rows(path, rows, words)
    elif when in FOR_ANY and sum(len(values) == len(lists[when]) for values in lists.values()) > 1:
        yield _of_header(path, held)
    else:
        problem = f"Its {when!r} has {len(lists[when])} values and its {other!r} {len(lists[other])}."
        raise BadFile(path, problem, f"Give as many of one as of the other, or a list {other + '_steps'!r}.")


def _of_header(path: Path, header: Mapping[str, Any]) -> _Run:
    """Losses as a checkpoint file has them: with steps of their own, else the i-th of the weights before update i."""
    by_metric = {name: [one for one in ones if not one.single] for name, ones in recorded(path, header).items()}
    by_metric = {name: ones for name, ones in by_metric.items() if ones}
    dense = max((len(one.values) for ones in by_metric.values() for one in ones if one.at is None), default=0)
    metrics, notes = placed(by_metric, (dense,))
    return _Run(metrics={name: sorted(points) for name, points in metrics.items()}, notes=notes)


def _of_rows(path: Path, rows: Sequence[Mapping[str, Any]], words: Collection[str]) -> Iterator[_Run]:
    columns = list(dict.fromkeys(str(name) for row in rows for name in row))
    when = _step_column(columns)
    if not rows:
        return
    if when is None:
        raise BadFile(path, f"It has no column of steps, but: {', '.join(columns[:8]) or 'nothing'}.", _TODO)
    telling = _telling(rows, columns, words, when)
    runs: dict[str, tuple[dict[str, object], dict[str, dict[int, float]]]] = {}
    unread: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        if row.get(when) in (None, ""):
            continue
        step = whole(path, f"the {when} of row {number}", _value(row[when]))
        fields = {name: _value(row[name]) for name in telling if row.get(name) not in (None, "")}
        _, metrics = runs.setdefault(json.dumps(fields, sort_keys=True), (fields, {}))
        for name, value in _recorded_in({name: row[name] for name in row if name not in (when, *telling)}):
            if isinstance(value, float):
                _put(path, metrics.setdefault(name, {}), name, (step, value))
            else:
                unread.setdefault(name, f"{value!r:.40} in row {number}")
    for fields, metrics in runs.values():
        notes = [
            f"{name!r} is left out where it is no number: {where}." for name, where in unread.items() if name in metrics
        ]
        yield _Run(metrics={name: sorted(held.items()) for name, held in metrics.items()}, fields=fields, notes=notes)


def _telling(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], words: Collection[str], when: str) -> list[str]:
    """The columns that tell runs apart. A rate that changes while no step comes twice is one run's schedule."""
    steps = [row.get(when) for row in rows]
    single = len(set(steps)) == len(steps)
    changing = {name for name in RATES if single and len({str(row.get(name)) for row in rows}) > 1}
    return [name for name in columns if name in words and name != when and name not in changing]


def _recorded_in(row: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The values of a row, by metric, numbers as floats; a row of name and value holds one. What is empty is passed."""
    named = next((word for word in _NAMED if word in row), None)
    pairs = [(row[named], row[_VALUE])] if named is not None and _VALUE in row else row.items()
    for name, text in pairs:
        value = _value(text)
        plain = "".join(letter if letter.isalnum() else "_" for letter in str(name)).strip("_")
        # A column without a heading is the row numbers that pandas writes.
        if plain and value not in (None, ""):
            yield _METRIC.get(plain.lower(), plain), _as_float(value)


def _as_float(value: object) -> object:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return value
    try:
        return float(value)
    except OverflowError:
        return value


def _put(path: Path, points: dict[int, float], metric: str, point: tuple[int, float]) -> None:
    step, value = point
    before = points.setdefault(step, value)
    if before != value and not (before != before and value != value):
        raise BadFile(
            path,
            f"It has {metric} at step {step} twice: {before:.6g} and {value:.6g}.",
            "Tell its runs apart by columns named for the fields they differ in (seed, weight_decay), or give one file "
            "for each.",
        )


def _step_column(columns: Collection[str]) -> str | None:
    lower = {str(name).lower(): name for name in columns}
    return next((lower[word] for word in _STEPS if word in lower), None)


def _value(text: Any) -> Any:
    """A number where the text is one ('10.0' is 10), else as it is."""
    if not isinstance(text, str):
        return int(text) if isinstance(text, float) and text.is_integer() else text
    try:
        number = float(text)
    except ValueError:
        return {"true": True, "false": False}.get(text.lower(), text)
    return int(number) if number.is_integer() else number
