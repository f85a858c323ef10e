"""`miscope where NAME`: the file and line of a record, the views that show it, and its tests."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from miscope.cli.options import JsonOption
from miscope.cli.printing import print_json

if TYPE_CHECKING:
    from miscope.plugins.plugins import Plugins

__all__ = ["add_to", "places_of"]


def add_to(cli: typer.Typer) -> None:
    """The command `where`."""
    cli.command(rich_help_panel="Installed")(where)


def where(
    name: Annotated[str, typer.Argument(help="An analyzer, a view or a family.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Say where the code of NAME is: the file and line that computes it, its views, its tests."""
    from miscope.plugins.plugins import Plugins

    places = places_of(Plugins.installed(), name)
    if as_json:
        print_json(places)
        return
    for kind, labelled in places.items():
        for label, place in labelled.items():
            print(f"{kind:10} {label:32} {place}")


def places_of(plugins: Plugins, name: str) -> dict[str, dict[str, str]]:
    """{'analyzer': {name: 'file:line'}, 'view': {...}, 'family': {...}, 'test': {...}}, what is empty left out.

    Raises UnknownName if no record carries the name.
    """
    from miscope.errors import UnknownName

    analyzer, family = plugins.analyzers.get(name), plugins.families.get(name)
    views = [v for v in plugins.views.values() if name in (v.name, *v.needs.artifacts)]
    if analyzer is None and family is None and not views:
        raise UnknownName("record", name, [*plugins.analyzers, *plugins.views, *plugins.families], listing=_LISTING)
    code: list[tuple[str, str, Any]] = []
    if analyzer is not None:
        code.append(("analyzer", name, analyzer.compute))
    if family is not None:
        code.append(("family", name, type(family)))
    code += [("view", view.name, view.draw) for view in sorted(views, key=lambda v: v.name)]
    places: dict[str, dict[str, str]] = {}
    for kind, label, what in code:
        places.setdefault(kind, {})[label] = _file_and_line(what)
    tests = {path.name: f"{path}:{line}" for _, _, what in code for path, line in _tests_of(what, name)}
    return places | ({"test": dict(sorted(tests.items()))} if tests else {})


_LISTING = "`miscope analyzers`, `miscope views` and `miscope families` list what is installed."


def _file_and_line(what: Callable[..., object] | type) -> str:
    file = inspect.getsourcefile(what)
    return f"{file}:{inspect.getsourcelines(what)[1]}"


def _tests_of(what: Callable[..., object] | type, name: str) -> Iterator[tuple[Path, int]]:
    """Test files beside the package that are named like the module or name the record; none in an installed wheel."""
    source = Path(inspect.getsourcefile(what) or "")
    root = next((parent for parent in source.parents if (parent / "pyproject.toml").is_file()), None)
    if root is None or not (root / "tests").is_dir():
        return
    for path in sorted((root / "tests").rglob("test_*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        mention = next((number for number, line in enumerate(lines, 1) if f'"{name}"' in line), None)
        if mention is not None or path.stem == f"test_{source.stem}":
            yield path, mention or 1
