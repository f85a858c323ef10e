"""`miscope templates`: studies one keeps to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from miscope.cli import template_exchange
from miscope.cli.dropped import refuse_dropped
from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, note_problems, print_json, print_table
from miscope.commands import in_workspace

if TYPE_CHECKING:
    from miscope.studies.document import Document
    from miscope.studies.templates import Templates
    from miscope.workspace import Workspace

__all__ = ["add_to"]

_Name = Annotated[str, typer.Argument(metavar="NAME", help="The template's name, or its id.")]
_Description = Annotated[str | None, typer.Option(help="What it is for.")]
_Favourite = Annotated[bool | None, typer.Option("--favourite/--no-favourite", help="Whether it is listed first.")]
_Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="WORD", help="To find it by (repeatable).")]


def add_to(cli: typer.Typer) -> None:
    """The commands of `templates`; alone it lists them."""
    group = typer.Typer(rich_markup_mode=None, invoke_without_command=True, help="Studies one keeps to start from.")
    group.callback()(_listed_alone)
    group.command("list")(listed)
    for command in (show, save, edit, duplicate, delete):
        group.command()(command)
    template_exchange.add_to(group)
    cli.add_typer(group, name="templates", rich_help_panel="Make")


def _listed_alone(context: typer.Context, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    name = context.invoked_subcommand
    if name is None:
        listed(workspace=workspace, as_json=as_json)
        return
    known = "It is of the command that follows."
    refuse_dropped(True, "before a command", known, f"Write:  miscope templates {name} --json", json=as_json)
    if workspace is not None:
        context.default_map = {name: {"workspace": str(workspace)}}


def listed(
    tag: Annotated[str | None, typer.Option(help="Only those with this word.")] = None,
    family: Annotated[str | None, typer.Option(help="Only those of this family.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the templates: favourites first, then by name."""
    place = opened(workspace)
    templates = of(place)
    found = [
        row
        for row in (one.as_row() for one in templates.all())
        if tag in (None, *row["tags"]) and family in (None, row["study"].get("family"))
    ]
    if as_json:
        print_json(found)
        return
    if found:
        rows = [[row["name"], row["study"].get("family"), row["uses"], row["description"]] for row in found]
        marks = ["*" if row["favourite"] else "" for row in found]
        columns = ("", "template", "family", "uses", "for")
        print_table(columns, [(mark, *row) for mark, row in zip(marks, rows, strict=True)])
    else:
        line = in_workspace(place.root, "miscope templates save NAME STUDY.yaml")
        print(f"There is no such template in {place.root}.  To keep one:  {line}")
    note_problems(templates.broken())


def show(name: _Name, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Show a template as its file has it."""
    template = of(opened(workspace)).find(name)
    if as_json:
        print_json(template.as_row())
        return
    from miscope.studies.template import template_text

    print(template_text(template.facts, template.study), end="")
    note(f"used {template.uses} times" + (f", last {template.last_used}" if template.last_used else ""))


def save(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    source: Annotated[str, typer.Argument(metavar="STUDY|VARIANT", help="A study's file, or a variant by name.")],
    description: _Description = None,
    favourite: _Favourite = None,
    tag: _Tags = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="In the place of the one of that name.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Keep a study, or the settings of a variant, as a template."""
    place = opened(workspace)
    study = _source(place, source)
    said = study.values.get("description")
    facts = _given(description or said, favourite, tag, name=name)
    template = of(place).save(facts, study, over=overwrite)
    print(f"{template.facts.name}: kept as {of(place).folder / template.id}.yaml")


def edit(
    name: _Name,
    rename: Annotated[str | None, typer.Option(metavar="NAME", help="Call it so from now on.")] = None,
    description: _Description = None,
    favourite: _Favourite = None,
    tag: _Tags = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Change what is said of a template; the tags given take the place of those it has."""
    templates = of(opened(workspace))
    facts = _given(description, favourite, tag, name=rename)
    print(templates.change(templates.find(name), **facts).facts.name)


def duplicate(name: _Name, workspace: WorkspaceOption = None) -> None:
    """Make a copy, under a name that says so."""
    templates = of(opened(workspace))
    print(templates.duplicate(templates.find(name)).facts.name)


def delete(name: _Name, workspace: WorkspaceOption = None) -> None:
    """Forget a template; what was run from it stays."""
    templates = of(opened(workspace))
    template = templates.find(name)
    templates.delete(template)
    print(f"{template.facts.name}: deleted")


def of(place: Workspace) -> Templates:
    """The templates of the workspace."""
    from miscope.studies.templates import Templates

    return Templates(place)


def _given(
    description: str | None, favourite: bool | None, tags: list[str] | None, *, name: str | None
) -> dict[str, Any]:
    facts = {"name": name, "description": description, "favourite": favourite, "tags": tuple(tags) if tags else None}
    return {key: value for key, value in facts.items() if value is not None}


def _source(place: Workspace, source: str) -> Document:
    """The study in that file; or of that variant, with all its settings."""
    from miscope.cli.targets import whole_name
    from miscope.settings import settings_of
    from miscope.studies.document import Document
    from miscope.studies.extending import read_study_file

    if Path(source).exists() or source.endswith((".yaml", ".yml")):
        return read_study_file(Path(source))
    variant = place.find(whole_name(place, source))
    return Document(file=source, values={"family": variant.family, "base": settings_of(variant)})
