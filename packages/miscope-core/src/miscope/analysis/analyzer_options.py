"""Values of analyzers' options: read from text, checked, and written as one would type them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from miscope.analysis.planning import resolve
from miscope.analyzer import Analyzer
from miscope.errors import BadValue, UnknownName
from miscope.field_text import allowed, example, read_value, written_value
from miscope.view import View

__all__ = [
    "Options",
    "checked_options",
    "options_apart",
    "options_asked",
    "options_read",
    "split_options",
    "written_options",
]

Options = Mapping[str, Mapping[str, Any]]
"""Values by option, by analyzer."""


def split_options(table: Mapping[str, Analyzer], given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """{'neurons.clusters.threshold': '0.8'} as {'neurons.clusters': {'threshold': '0.8'}}; UnknownName for another."""
    by_analyzer: dict[str, dict[str, Any]] = {}
    for path, value in given.items():
        name, _, field = path.rpartition(".")
        if name not in table:
            raise UnknownName("analyzer", name or path, table)
        by_analyzer.setdefault(name, {})[field] = value
    return by_analyzer


def checked_options(table: Mapping[str, Analyzer], given: Options) -> dict[str, dict[str, Any]]:
    """The options that are not at their defaults, as the analyzers' own types have them; text is read.

    Raises UnknownName for an analyzer that is not in the table, BadValue for an option it does not have or refuses.
    """
    checked: dict[str, dict[str, Any]] = {}
    for name, values in given.items():
        if name not in table:
            raise UnknownName("analyzer", name, table)
        model = table[name].options
        fields = model.model_fields
        read = {f: read_value(fields[f], v) if f in fields else v for f, v in values.items()}
        try:
            chosen = model.model_validate(read)
        except ValidationError as error:
            raise _refused(error, name, model) from None
        if apart := _apart(chosen):
            checked[name] = apart
    return checked


def options_read(table: Mapping[str, Analyzer], view: View, given: Options) -> dict[str, dict[str, Any]]:
    """The options, checked, of analyzers that the view reads or that those read; BadValue for another's."""
    chosen = checked_options(table, given)
    named = [name for name in view.needs.artifacts if name in table]
    chain = resolve(table, named) if chosen else {}
    stranger = next((name for name in chosen if name not in chain), None)
    if stranger is not None:
        raise BadValue(
            f"{view.name!r} does not read {stranger!r}, so its options change nothing here.",
            f"It reads: {', '.join(named) or 'no analyzer'}.",
            "Leave the option out.",
        )
    return chosen


def options_asked(table: Mapping[str, Analyzer], names: Sequence[str] | None, given: Options) -> dict[str, Any]:
    """The options, checked, of the named analyzers or those that they read, of any for None; BadValue for another's."""
    chosen = checked_options(table, given)
    chain = resolve(table, names) if chosen and names is not None else table
    stranger = next((name for name in given if name not in chain), None)
    if stranger is not None:
        raise BadValue(
            f"{stranger!r} is not asked for, so its options change nothing here.",
            f"Asked for: {', '.join(names or ())}.",
            f"Leave the option out, or ask for it too:  --only {stranger}",
        )
    return chosen


def options_apart(analyzers: Mapping[str, Analyzer], names: Sequence[str], options: Options) -> dict[str, Any]:
    """Of these analyzers, the options that are not at their defaults, as JSON has them."""
    chosen = {name: analyzers[name].options.model_validate(dict(options.get(name, {}))) for name in names}
    return {name: apart for name, model in chosen.items() if (apart := _apart(model, mode="json"))}


def written_options(options: Options) -> tuple[str, ...]:
    """What one types after `-o`: ('neurons.clusters.threshold=0.8',)."""
    return tuple(
        f"{name}.{field}={written_value(value)}" for name, values in options.items() for field, value in values.items()
    )


def _apart(chosen: BaseModel, mode: str = "python") -> dict[str, Any]:
    rest = type(chosen)()
    apart = [name for name in type(chosen).model_fields if getattr(chosen, name) != getattr(rest, name)]
    return chosen.model_dump(mode=mode, include=set(apart))


def _refused(error: ValidationError, name: str, model: type[BaseModel]) -> BadValue:
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    if field not in model.model_fields:
        close = difflib.get_close_matches(field, list(model.model_fields), n=1, cutoff=0.6)
        return BadValue(
            f"{name!r} has no option {field!r}.",
            f"Did you mean {close[0]!r}?" if close else f"Its options are: {', '.join(model.model_fields) or 'none'}.",
            f"`miscope analyzers {name}` describes them.",
        )
    info = model.model_fields[field]
    return BadValue(
        f"{name!r} does not take {field}={written_value(first['input'])}.",
        f"{field!r} is {allowed(info)}.",
        f"Write it like this:  {name}.{field}={example(info)}",
    )
