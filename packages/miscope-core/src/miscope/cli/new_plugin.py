"""`miscope new-plugin NAME`: a tested plug-in package of one's own, to start from."""

from __future__ import annotations

import enum
import importlib.metadata
import importlib.util
import keyword
import re
import shlex
import shutil
import sys
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from miscope.errors import BadValue
from miscope.hookspecs import PROJECT
from miscope.store.atomic import explaining

__all__ = ["Kind", "add_to", "write_plugin"]

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 32
"""Characters: with more, lines of the package would be longer than its own linter allows."""
_PLACEHOLDER = "myplugin"
"""Each template is a package of this name that works as it is; making a new one is renaming it."""
_NOT_OURS = {"__pycache__", ".pytest_cache", ".ruff_cache", ".venv"}

_OURS = ("core", "dask", "hub", "lal", "modadd", "panel", "sae", "toys", "views")
"""Packages of miscope itself, installed or not, here already or to come."""
_WORDS = {
    "none": "It stands for no plug-in at all in the environment variable MISCOPE_PLUGINS.",
    "toy": "miscope.testing has its toy families under it.",
    "checked": "miscope.testing has what it checks under it.",
}
"""Names that mean something else where plug-ins are named."""


class Kind(enum.StrEnum):
    """What a new plug-in offers."""

    ANALYZER = "analyzer"
    VIEW = "view"
    FAMILY = "family"
    COMMAND = "command"
    EXECUTOR = "executor"


_HOLDS = {
    Kind.ANALYZER: "an analyzer, a view of it",
    Kind.VIEW: "a view",
    Kind.FAMILY: "a family",
    Kind.COMMAND: "a command",
    Kind.EXECUTOR: "an executor",
}


def add_to(cli: typer.Typer) -> None:
    """The command `new-plugin`."""
    cli.command("new-plugin", rich_help_panel="Installed")(new_plugin)


def new_plugin(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name: lower case, such as 'rank'.", show_default=False)],
    kind: Annotated[Kind, typer.Option(help="What it offers; an analyzer comes with a view of it.")] = Kind.ANALYZER,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where to write it.  (default: ./miscope-NAME)", show_default=False)
    ] = None,
) -> None:
    """Write a plug-in package (one record, its tests, README) that installs and passes its tests untouched."""
    plugin = _checked(name)
    if kind is Kind.COMMAND:
        _refuse_command(context, plugin)
    target = write_plugin(plugin, directory or Path(_distribution(plugin)), kind)
    print(f"Wrote {target}: {_HOLDS[kind]} and tests.")
    print("To install it and run its tests:")
    print(f"  cd {shlex.quote(str(target))} && {_installing()} && {_python()} -m pytest")


def _installing() -> str:
    """What installs the package in the current folder where this miscope is installed."""
    if importlib.util.find_spec("pip") is None:
        return f"uv pip install --python {_python()} -e '.[test]'"
    return f"{_python()} -m pip install -e '.[test]'"


def _python() -> str:
    """This interpreter, as one types it: by its whole path unless `python` finds it."""
    on_path = shutil.which("python")
    return "python" if on_path and Path(on_path).parent == Path(sys.executable).parent else shlex.quote(sys.executable)


def write_plugin(name: str, target: Path, kind: Kind = Kind.ANALYZER) -> Path:
    """The template of that kind under that name, as a new directory; BadValue where there is one already."""
    if target.exists():
        raise BadValue(
            f"{target} exists already.",
            "A new plug-in is never written over anything.",
            "Give another name, or another place with --dir.",
        )
    with explaining(target):
        try:
            _copy(resources.files("miscope") / "template" / kind, target, name)
        except OSError:
            shutil.rmtree(target, ignore_errors=True)  # half of a package would be in the way of the next try
            raise
    return target


def _copy(source: Traversable, target: Path, name: str) -> None:
    target.mkdir(parents=True)
    for entry in source.iterdir():
        if entry.name in _NOT_OURS or entry.name.endswith((".pyc", ".egg-info")):
            continue
        here = target / _renamed(entry.name, name)
        if entry.is_dir():
            _copy(entry, here, name)
        else:
            here.write_text(_renamed(entry.read_text(encoding="utf-8"), name), encoding="utf-8")


def _renamed(text: str, name: str) -> str:
    return text.replace(f"miscope-{_PLACEHOLDER}", _distribution(name)).replace(_PLACEHOLDER, name)


def _distribution(plugin: str) -> str:
    """What the package is called by pip, which reads '-', '_' and '.' as one."""
    return f"miscope-{plugin.replace('_', '-')}"


def _checked(name: str) -> str:
    plugin = re.sub(r"^miscope[-_]", "", name).replace("-", "_")
    if not _NAME.fullmatch(plugin) or len(plugin) > _LONGEST or keyword.iskeyword(plugin):
        raise BadValue(
            f"{name!r} cannot be the name of a plug-in.",
            "It becomes part of a package, a module and the names of its instruments.",
            f"Use lower-case letters, digits and single underscores, starting with a letter, {_LONGEST} at most, and "
            "no word of Python's own: 'rank', 'weight_norms'.",
        )
    taken = _taken(plugin)
    if taken:
        raise BadValue(
            f"A new plug-in cannot be called {name!r}: that name is taken.",
            taken,
            "Choose another name; `miscope plugins` lists those of installed ones.",
        )
    return plugin


def _taken(plugin: str) -> str:
    """By what, in a sentence; "" if the name is free."""
    package = _distribution(plugin)
    if plugin in _OURS:
        return f"{package} is a package of miscope itself."
    if plugin in _WORDS:
        return _WORDS[plugin]
    for installed in importlib.metadata.distributions():
        if re.sub(r"[-_.]+", "-", installed.name or "").lower() == package:
            return (
                f"{installed.name} {installed.version} is installed, and two packages of one name replace each other."
            )
    for point in importlib.metadata.entry_points(group=PROJECT):
        if point.name.replace("-", "_") == plugin:
            return f"{point.dist.name if point.dist else point.value} offers its records under it."
    if importlib.util.find_spec(f"miscope_{plugin}") is not None:
        return f"There is a module miscope_{plugin} already, and two of one name hide each other."
    return ""


def _refuse_command(context: typer.Context, plugin: str) -> None:
    names = context.find_root().command.list_commands(context)  # pyright: ignore[reportAttributeAccessIssue]
    if plugin in names:
        raise BadValue(
            f"A new command cannot be called {plugin!r}: that name is taken.",
            f"`miscope {plugin}` is there already.",
            "Choose another name; `miscope --help` lists the commands.",
        )
