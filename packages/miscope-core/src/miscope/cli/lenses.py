"""`miscope lenses`: named sets of views, of packages and of the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from miscope.figures.lenses import KnownLenses
    from miscope.view import View
    from miscope.workspace import Workspace

__all__ = ["add_to"]

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="One of them, in full.", show_default=False)]


def add_to(cli: typer.Typer) -> None:
    """The command `lenses`."""
    cli.command(rich_help_panel="Installed")(lenses)


def lenses(name: Name = None, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the named sets of views; with a NAME, its sections, views and their controls."""
    from miscope.figures.lenses import known_lenses

    place = opened(workspace)
    known = known_lenses(place)
    for fault in known.faults:
        note(fault)
    if name is not None:
        _print_lens(place, known, name, as_json=as_json)
        return
    rows = [_described(place, known, each) for each in known.lenses]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("lens", "title", "what it is meant to answer", "from"),
        [(row["name"], row["title"], row["question"], row["from"]) for row in rows],
    )


def _described(place: Workspace, known: KnownLenses, name: str) -> dict[str, Any]:
    lens = known.lenses[name]
    provider = None if name in known.own else place.plugins.provided_by["lens", name]
    return {**lens.model_dump(mode="json"), "from": known.own[name] if provider is None else provider.package}


def _print_lens(place: Workspace, known: KnownLenses, name: str, *, as_json: bool) -> None:
    lens = known.named(name)
    if as_json:
        print_json(_described(place, known, name))
        return
    print(f"{lens.title}\n{lens.question}".rstrip())
    for section in lens.sections:
        print(f"\n{section.title}")
        for shown in section.views:
            controls = "".join(f"  {control}={value}" for control, value in shown.controls.items())
            print(f"  {shown.view}{controls}{_fault(place.plugins.views.get(shown.view), shown.controls)}")


def _fault(view: View | None, controls: Mapping[str, object]) -> str:
    if view is None:
        return "  (not installed)"
    unknown = sorted(set(controls) - {control.name for control in view.all_controls})
    return f"  (it has no control {', '.join(map(repr, unknown))})" if unknown else ""
