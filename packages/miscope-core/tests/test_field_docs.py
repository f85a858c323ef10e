"""What is written under a field is what `help` says of it, and what the command line says of options."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pydoc
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

import miscope
from miscope.field_docs import documented, field_docs

Run = Callable[..., tuple[int, str, str]]

PROMISED = ("miscope", "miscope.model", "miscope.schedule", "miscope.intervention", "miscope.view", "miscope.testing")
"""Where a plug-in takes the records from that it writes or is given."""


def records() -> Iterator[type]:
    by_name = {}
    for place in PROMISED:
        module = importlib.import_module(place)
        for name in module.__all__:
            kind = getattr(module, name)
            if inspect.isclass(kind) and (fields_of(kind) or kind.__name__ in ("Family", "Executor")):
                by_name[kind.__name__] = kind
    yield from by_name.values()


def fields_of(kind: type) -> list[str]:
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind) if not field.name.startswith("_")]
    return list(kind.model_fields) if issubclass(kind, BaseModel) else []


def test_help_says_what_every_field_of_a_public_record_is() -> None:
    for kind in records():
        shown, written = pydoc.plain(pydoc.render_doc(kind)), field_docs(kind)
        ours = [base for base in kind.__mro__ if base.__module__.startswith("miscope")]
        annotated = {name for base in ours for name in vars(base).get("__annotations__", {})}
        own = [name for name in annotated if not name.startswith("_") and name != "model_config"]
        assert set(written) == set(own), kind
        assert set(own) >= set(fields_of(kind)), kind
        for name, text in written.items():
            assert f"{name}: {text}" in shown, kind


def test_the_records_of_every_hook_are_among_them() -> None:
    names = {kind.__name__ for kind in records()}
    assert {"Analyzer", "View", "Family", "Executor", "Task", "Probe", "Basis", "Role", "ViewData", "Snapshot"} <= names
    assert len(names) >= 28


def test_a_docstring_keeps_what_it_said_and_is_that_of_an_instance_too() -> None:
    assert (miscope.Role.__doc__ or "").splitlines()[:3] == [
        "What one weight tensor is for; the name and orientation TransformerLens gives it.",
        "",
        "Fields:",
    ]
    role = miscope.Role(name="W_E", axes=("token",), shape=(3,))
    assert inspect.getdoc(role) == miscope.Role.__doc__


class Choosing(miscope.Options):
    """What a third party's analyzer can be told."""

    level: float = 0.05
    """Chance that noise
    is called a change."""
    seed: int = 0


class ChoosingMore(Choosing):
    """And more."""

    seed: int = 1
    """Of the noise."""


def test_what_is_written_under_the_options_of_a_plugin_is_found_with_that_of_their_base() -> None:
    assert field_docs(Choosing) == {"level": "Chance that noise is called a change."}
    assert field_docs(ChoosingMore) == {"level": "Chance that noise is called a change.", "seed": "Of the noise."}


def test_a_class_whose_source_is_not_there_keeps_its_docstring() -> None:
    space: dict[str, Any] = {}
    exec("class Typed:\n    'Typed in.'\n    size: int\n    'In metres.'", space)
    assert documented(space["Typed"]).__doc__ == "Typed in."


def test_the_command_line_says_what_is_written_under_an_option(command: Run) -> None:
    out = command("analyzers", "stages.change_points")[1]
    assert "Checkpoints that a stage has at least." in out
    page = command("catalogue")[1]
    assert "| option | what it is | type | default | bounds |" in page
    assert "| `least` | Checkpoints that a stage has at least. | integer | `4` |" in page
