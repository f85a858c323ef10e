"""Families, analyzers and views as plain data: what the listing commands print and the catalogue page is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from miscope.cli.printing import print_json
from miscope.field_docs import field_docs

if TYPE_CHECKING:
    from pydantic import BaseModel

    from miscope.analyzer import Analyzer
    from miscope.family import Family
    from miscope.needs import Needs
    from miscope.plugins.plugins import Plugins
    from miscope.training_config import TrainingConfig
    from miscope.view import Control, View

__all__ = ["describe_analyzer", "describe_family", "describe_view", "print_record"]


def describe_family(plugins: Plugins, family: Family) -> dict[str, Any]:
    """Name, title, parameters and default training."""
    training = family.training(family.params()) if _has_defaults(family.params) else None
    return {
        "name": family.name,
        "title": family.title,
        **_origin(plugins, "family", family.name),
        "step": family.step_label,
        "params": _fields(family.params),
        "training": None if training is None else _training(training),
        "training_help": {} if training is None else _training_help(type(training)),
    }


def describe_analyzer(plugins: Plugins, analyzer: Analyzer) -> dict[str, Any]:
    """What it computes, what it needs, what can be chosen and what it leaves behind."""
    return {
        "name": analyzer.name,
        "version": analyzer.version,
        "grain": str(analyzer.grain),
        "summary": analyzer.summary,
        "question": analyzer.question,
        "formula": analyzer.formula,
        "source": analyzer.source,
        "synonyms": list(analyzer.synonyms),
        **_origin(plugins, "analyzer", analyzer.name),
        "needs": _declared(analyzer.needs),
        "opt_in": analyzer.opt_in,
        "not_invariant_to": list(analyzer.not_invariant_to),
        "options": _fields(analyzer.options),
        "outputs": dict(analyzer.outputs),
        "views": sorted(v.name for v in plugins.views.values() if analyzer.name in v.needs.artifacts),
    }


def describe_view(plugins: Plugins, view: View) -> dict[str, Any]:
    """What it shows, what it reads and what can be turned."""
    return {
        "name": view.name,
        "title": view.title,
        "grain": str(view.grain),
        "summary": view.summary,
        "synonyms": list(view.synonyms),
        **_origin(plugins, "view", view.name),
        "reads": list(dict.fromkeys((*view.needs.reads, *view.needs.history))),
        "optional": list(view.needs.optional),
        "needs": _declared(view.needs),
        "controls": [_control(control) for control in view.all_controls],
    }


def _declared(needs: Needs) -> dict[str, Any]:
    """The declarations that are not empty: {'weights': ['W_E'], 'grid': 2}."""
    reads = ("reads", "sites", "weights", "columns", "bases", "metrics", "grid", "labels")
    fields = (*reads, "answer_basis", "optimizer", "gradients", "objective", "model", "facts", "sources")
    fields += ("untrained", "source_metrics")
    given = {name: getattr(needs, name) for name in fields}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items() if value}


def print_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    """One record in full."""
    if as_json:
        print_json(record)
        return
    for name, value in record.items():
        if not value or name == "training_help":
            continue
        if name == "training":
            _print_training(value, record["training_help"])
        elif isinstance(value, Mapping):
            print(f"{name}:")
            for key, item in value.items():
                print(f"  {key}: {_words(item)}")
        elif isinstance(value, list) and isinstance(value[0], Mapping):
            print(f"{name}:")
            for item in value:
                print("  " + "  ".join(_words(part) for part in item.values() if part not in (None, "", [], {})))
        else:
            print(f"{name}: {_words(value)}")


def _training(training: TrainingConfig) -> dict[str, Any]:
    """The fields of a training, with its schedule as one types it."""
    from miscope.schedule import written

    return {**training.model_dump(mode="json"), "checkpoints": written(training.checkpoints)}


def _training_help(fields: type[TrainingConfig]) -> dict[str, str]:
    """What each field is, and the words it takes where these are few."""
    annotations = {name: info.annotation for name, info in fields.model_fields.items()}
    words = {name: get_args(each) for name, each in annotations.items() if get_origin(each) is Literal}
    help_ = dict(field_docs(fields))
    return help_ | {name: f"{help_.get(name, '')} One of: {', '.join(words[name])}.".lstrip() for name in words}


def _print_training(values: Mapping[str, Any], docs: Mapping[str, str]) -> None:
    print("training, each to be changed as KEY=VALUE or --set KEY=VALUE, which is the same:")
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        print(f"  {name}={text}  {docs.get(name, '')}".rstrip())


def _origin(plugins: Plugins, kind: str, name: str) -> dict[str, str]:
    provider = plugins.provided_by[kind, name]
    return {"package": provider.package, "package_version": provider.version}


def _has_defaults(model: type[BaseModel]) -> bool:
    return not any(field.is_required() for field in model.model_fields.values())


def _fields(model: type[BaseModel]) -> list[dict[str, Any]]:
    properties, written = model.model_json_schema().get("properties", {}), field_docs(model)
    return [
        {
            "name": name,
            "type": str(schema.get("type", schema.get("enum", "value"))),
            "default": schema.get("default", "required"),
            "bounds": _bounds(schema),
            "help": schema.get("description") or written.get(name, ""),
        }
        for name, schema in properties.items()
    ]


def _bounds(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    # What a 64-bit number can hold is no choice of the family's.
    return " ".join(f"{sign}{schema[key]}" for key, sign in signs.items() if abs(schema.get(key, _WORD)) < _WORD)


_WORD = 2**53


def _control(control: Control) -> dict[str, Any]:
    from miscope.view import Choice, Number, Toggle

    match control:
        case Choice():
            values = " | ".join(control.options) or "from the data"
        case Number():
            top = "from the data" if control.maximum is None else f"{control.maximum:g}"
            values = f"{control.minimum:g} to {top}"
        case Toggle():
            values = "true | false"
    return {"name": control.name, "kind": type(control).__name__.lower(), "values": values, "default": control.default}


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return str(value)
