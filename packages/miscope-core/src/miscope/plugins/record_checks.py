"""What is wrong with a record that a plug-in offers: one clause, or None; asked once, when its table is made."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence, Set
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, get_args, get_origin

from miscope.slug import abbreviation, check_name

if TYPE_CHECKING:
    from pydantic import BaseModel

    from miscope.analyzer import Analyzer
    from miscope.family import Family
    from miscope.view import View

__all__ = ["fault", "faults_of_reads", "label"]

_RESERVED = "cohort"
"""Stands for the family in the names of several variants together."""

_TAKEN = ("fps", "frames", "name", "options", "step", "variant", "view")
"""Words that are given beside a view's controls, in Python, on the command line and in an address."""


def fault(kind: str, record: Any) -> str | None:
    """The first thing that would make the record fail, or others with it, later and elsewhere."""
    checks = {"family": _family, "analyzer": _analyzer, "view": _view, "executor": _executor, "lens": _lens}
    return next((clause for clause in checks[kind](record) if clause), None)


def label(kind: str, record: Any) -> str:
    """What a listing calls it: "the analyzer 'rank.stable'"."""
    name = getattr(record, "name", None)
    if isinstance(name, str):
        return f"the {kind} {name!r}"
    article = "an" if kind[0] in "aeiou" else "a"
    return f"{article} {kind} ({_name_of(record)})"


def faults_of_reads(table: Mapping[str, Analyzer]) -> dict[str, str]:
    """Analyzers that nobody can compute because of what they read: those in a circle, and readers of cohort grain."""
    from miscope.analyzer import Grain

    faults = {}
    for name, analyzer in table.items():
        circle = _circle(table, name)
        if circle:
            faults[name] = f"it reads itself in a circle, {' -> '.join(circle)}"
        for upstream in analyzer.needs.reads:
            if upstream in table and table[upstream].grain is Grain.COHORT:
                faults[name] = (
                    f"it reads {upstream!r}, which spans several variants: its numbers depend on which were analyzed "
                    "together, so nothing may build on them"
                )
    return faults


def _circle(table: Mapping[str, Analyzer], name: str) -> tuple[str, ...]:
    """The shortest way from an analyzer back to itself over what is read; () if there is none."""
    ways: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    for way in ways:
        for upstream in table[way[-1]].needs.reads if way[-1] in table else ():
            if upstream == name:
                return (*way, name)
            if upstream not in seen:
                seen.add(upstream)
                ways.append((*way, upstream))
    return ()


def _family(family: Family) -> Iterator[str | None]:
    from pydantic import BaseModel

    from miscope.training_config import TrainingConfig

    yield _path_safe(family)
    if family.name == _RESERVED:
        yield f"{_RESERVED!r} is miscope's own word for several variants together"
    yield _text(family, "title")
    yield _text(family, "step_label")
    params = getattr(family, "params", None)
    if not (isinstance(params, type) and issubclass(params, BaseModel)):
        yield f"its `params` must be a subclass of miscope.Params, and is {_shown(params)}"
        return
    for name, info in params.model_fields.items():
        short = abbreviation(info) or ""
        if short and not short.replace("_", "").replace(".", "").isalnum():
            yield f"the slug {short!r} of its parameter {name!r} becomes part of a path: letters and digits only"
    yield _json(params, "parameter", defaults=False)
    training = getattr(family, "training_config", None)
    if not (isinstance(training, type) and issubclass(training, TrainingConfig)):
        yield f"its `training_config` must be a subclass of miscope.TrainingConfig, and is {_shown(training)}"


def _analyzer(analyzer: Analyzer) -> Iterator[str | None]:
    from miscope.analyzer import Options, Symmetry

    yield _path_safe(analyzer)
    if not isinstance(analyzer.version, int) or isinstance(analyzer.version, bool):
        yield f"its `version` must be a whole number, and is {_shown(analyzer.version)}"
    yield _grain(analyzer.grain)
    yield _function(analyzer, "compute")
    yield _function(analyzer, "observe") if analyzer.observe is not None else None
    yield _tuple(analyzer, "not_invariant_to")
    yield _tuple(analyzer, "synonyms")
    yield from _needs(analyzer, "analyzer", foreign=("optional", "history", "untrained", "source_metrics"))
    yield from (
        _one_of(analyzer, "not_invariant_to", get_args(Symmetry), value=word) for word in analyzer.not_invariant_to
    )
    if not isinstance(analyzer.outputs, Mapping):
        yield f"its `outputs` must map array names to what they are, and is {_shown(analyzer.outputs)}"
    if not (isinstance(analyzer.options, type) and issubclass(analyzer.options, Options)):
        yield f"its `options` must be a subclass of miscope.Options, and is {_shown(analyzer.options)}"
        return
    yield _json(analyzer.options, "option", defaults=True)


_COMPUTED = ("optimizer", "gradients", "objective", "model", "facts", "sources", "same_probe")
"""What is given where something is computed and kept, and not where it is drawn."""


def _needs(record: Analyzer | View, kind: str, *, foreign: Sequence[str]) -> Iterator[str | None]:
    """What is wrong with what it declares; foreign: fields that are for the other kind of record."""
    from dataclasses import fields

    from miscope.needs import Needs

    if not isinstance(record.needs, Needs):
        yield f"its `needs` must be a miscope.Needs, and is {_shown(record.needs)}"
        return
    yield from (_tuple(record.needs, field.name) for field in fields(Needs) if field.default == ())
    yield _one_of(record.needs, "positions", ("answer", "all"))
    yield from (
        f"its needs name `{field}`, and no {kind} is given that" for field in foreign if getattr(record.needs, field)
    )


def _view(view: View) -> Iterator[str | None]:
    from miscope.view import Choice, Number, Toggle

    yield _path_safe(view)
    yield _text(view, "title")
    yield _grain(view.grain)
    yield _function(view, "draw")
    yield _tuple(view, "synonyms")
    yield _tuple(view, "selects")
    yield from _needs(view, "view", foreign=_COMPUTED)
    yield _one_of(view, "time_axis", (None, "x", "y"))
    names = []
    for control in view.controls:
        if not isinstance(control, Choice | Number | Toggle):
            yield f"its `controls` are Choice, Number and Toggle, and one is {_shown(control)}"
            return
        if not isinstance(control.name, str) or not control.name.isidentifier() or iskeyword(control.name):
            yield f"its control {control.name!r} is given to `draw` by keyword, and that is no name for one"
        if control.name in _TAKEN:
            yield f"its control {control.name!r} cannot be turned: that word is miscope's own wherever a view is drawn"
        said = getattr(control, "selects", None) or control.name
        if not isinstance(said, str) or not said.isidentifier():
            yield f"what its control {control.name!r} selects must be a name, and is {_shown(said)}"
        if control.name in names:
            yield f"it has two controls named {control.name!r}"
        if isinstance(control, Choice) and not isinstance(control.options, tuple | list):
            yield f"the options of its control {control.name!r} must be a tuple, and are {_shown(control.options)}"
        names.append(control.name)
    yield _drawable_with(view, names)


def _drawable_with(view: View, names: Sequence[str]) -> str | None:
    """Why the drawing function cannot be called with what is shown and these controls."""
    try:
        takes = list(inspect.signature(view.draw).parameters.values())[1:]
    except (TypeError, ValueError):  # a function in C tells no signature
        return None
    known = {each.name for each in takes if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
    anything = any(each.kind is each.VAR_KEYWORD for each in takes)
    for name in names:
        if name not in known and not anything:
            return f"its control {name!r} is given to `draw` by keyword, and `draw` takes no {name!r}"
    needed = [each.name for each in takes if each.name in known and each.default is each.empty]
    missing = next((name for name in needed if name not in names), None)
    return None if missing is None else f"its `draw` needs {missing!r}, and it has no control of that name"


def _executor(executor: Any) -> Iterator[str | None]:
    yield _path_safe(executor)


def _lens(lens: Any) -> Iterator[str | None]:
    # Its other fields were checked when it was made.
    yield _path_safe(lens)


def _path_safe(record: Any) -> str | None:
    name = getattr(record, "name", None)
    if not isinstance(name, str):
        return "it has no `name`" if name is None else f"its `name` must be text, and is {_shown(name)}"
    try:
        check_name(name)
    except ValueError as error:
        return f"its name becomes part of a path, and {error}"
    return None


def _text(record: Any, field: str) -> str | None:
    value = getattr(record, field, None)
    if isinstance(value, str) and value:
        return None
    return f"it has no `{field}`" if not value else f"its `{field}` must be text, and is {_shown(value)}"


def _grain(value: object) -> str | None:
    from miscope.analyzer import Grain

    if isinstance(value, Grain):
        return None
    close = difflib.get_close_matches(str(value).lower(), list(Grain), n=1, cutoff=0.5)
    meant = f"; did you mean Grain.{close[0].upper()}?" if close else ""
    return f"its `grain` must be one of {', '.join(f'Grain.{each.name}' for each in Grain)}, and is {value!r}{meant}"


def _function(record: Any, field: str) -> str | None:
    value = getattr(record, field)
    return None if callable(value) else f"its `{field}` must be a function, and is {_shown(value)}"


def _tuple(record: Any, field: str) -> str | None:
    value = getattr(record, field)
    if isinstance(value, str):
        return f"its `{field}` is the text {value!r}, of which every letter would be a name; write ({value!r},)"
    if not isinstance(value, tuple | list):
        return f"its `{field}` must be a tuple of names, and is {_shown(value)}"
    other = next((each for each in value if not isinstance(each, str)), None)
    return None if other is None else f"its `{field}` must be names, and one is {_shown(other)}"


def _one_of(record: Any, field: str, allowed: Sequence[object], *, value: object = ...) -> str | None:
    given = getattr(record, field) if value is ... else value
    if given in allowed:
        return None
    return f"its `{field}` must be one of {', '.join(map(repr, allowed))}, and is {given!r}"


_OTHERWISE = "is a set, or holds one: another process may order it, and make its digest, otherwise; use a tuple"


def _json(model: type[BaseModel], what: str, *, defaults: bool) -> str | None:
    """Why the model's default values could not be part of a digest."""
    for name, info in model.model_fields.items():
        if _without_order(info.annotation):
            return f"its {what} {name!r} {_OTHERWISE}"
    required = [name for name, info in model.model_fields.items() if info.is_required()]
    if required:
        return f"its {what} {required[0]!r} has no default; every one must have one" if defaults else None
    made = model()
    for name in model.model_fields:
        try:
            json.dumps(made.model_dump(mode="json", include={name}))
        except (TypeError, ValueError) as error:
            value = getattr(made, name)
            return f"its {what} {name!r} cannot be written as JSON: {type(value).__name__} ({type(error).__name__})"
    return None


def _without_order(annotation: Any, inside: tuple[type, ...] = ()) -> bool:
    """Whether a value of the type is a set, or may hold one."""
    from pydantic import BaseModel

    kind = get_origin(annotation) or annotation
    if not isinstance(kind, type):
        return any(_without_order(part, inside) for part in get_args(annotation))
    if issubclass(kind, Set):
        return True
    if issubclass(kind, BaseModel) and kind not in inside:
        return any(_without_order(info.annotation, (*inside, kind)) for info in kind.model_fields.values())
    return any(_without_order(part, inside) for part in get_args(annotation))


def _shown(value: object) -> str:
    return value.__name__ if isinstance(value, type) else repr(value)


def _name_of(record: Any) -> str:
    return record.__name__ if isinstance(record, type) else type(record).__name__
