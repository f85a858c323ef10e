"""`miscope new-plugin NAME`: a tested plug-in package of one's own, to start from."""

from __future__ import annotations

import importlib.util
import re
import shutil
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from miscope.atomic import explaining
from miscope.errors import BadValue

__all__ = ["add_to", "write_plugin"]

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PLACEHOLDER = "myplugin"
"""The template is a package of this name that works as it is; making a new one is renaming it."""
_NOT_OURS = {"__pycache__", ".pytest_cache", ".ruff_cache", ".venv"}


def add_to(cli: typer.Typer) -> None:
    """The command `new-plugin`."""
    cli.command("new-plugin", rich_help_panel="Installed")(new_plugin)


def new_plugin(
    name: Annotated[str, typer.Argument(help="Its name: lower case, such as 'rank'.", show_default=False)],
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where to write it.  (default: ./miscope-NAME)", show_default=False)
    ] = None,
) -> None:
    """Write a plug-in package (an analyzer, a view, tests, README) that installs and passes its tests untouched."""
    plugin = _checked(name)
    target = write_plugin(plugin, directory or Path(f"miscope-{plugin.replace('_', '-')}"))
    print(f"Wrote {target}: an analyzer, a view and their tests.")
    print("To install it and run its tests:")
    print(f"  cd {target} && pip install -e '.[test]' && pytest")


def write_plugin(name: str, target: Path) -> Path:
    """The template under that name, as a new directory; BadValue where there is one already."""
    if target.exists():
        raise BadValue(
            f"{target} exists already.",
            "A new plug-in is never written over anything.",
            "Give another name, or another place with --dir.",
        )
    with explaining(target):
        try:
            _copy(resources.files("miscope") / "template", target, name)
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
    return text.replace(f"miscope-{_PLACEHOLDER}", f"miscope-{name.replace('_', '-')}").replace(_PLACEHOLDER, name)


def _checked(name: str) -> str:
    plugin = re.sub(r"^miscope[-_]", "", name).replace("-", "_")
    if not _NAME.fullmatch(plugin) or len(plugin) > 40:
        raise BadValue(
            f"{name!r} cannot be the name of a plug-in.",
            "It becomes part of a package, a module and the names of its instruments.",
            "Use lower-case letters, digits and single underscores, starting with a letter: 'rank', 'weight_norms'.",
        )
    if importlib.util.find_spec(f"miscope_{plugin}") is not None:
        raise BadValue(
            f"There is already a package miscope_{plugin} installed.",
            "Two packages of one name hide each other.",
            "Choose another name; `miscope plugins` lists those taken.",
        )
    return plugin
