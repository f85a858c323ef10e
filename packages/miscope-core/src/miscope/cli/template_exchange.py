"""`miscope templates export` and `import`: templates as JSON, for others and from them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.out_file import check_out
from miscope.cli.out_file import write_out as write_file
from miscope.cli.printing import note, print_json, print_table
from miscope.errors import BadFile
from miscope.studies.conflict import Conflict

__all__ = ["add_to"]


def add_to(group: typer.Typer) -> None:
    """The commands `export` and `import`."""
    group.command("export")(write_out)
    group.command("import")(take_in)


def write_out(
    name: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Those to export.  (default: all)")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of printing.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Print templates as JSON, without what is of this workspace alone: ids and uses."""
    from miscope.studies.template_exchange import exported
    from miscope.studies.templates import Templates

    check_out(out)
    templates = Templates(opened(workspace))
    whole = exported([templates.find(each) for each in name] if name else templates.all())
    if out is None:
        print_json(whole)
        return
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    write_file(out, text.encode())
    print(f"{len(whole['templates'])} templates in {out}")


def take_in(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="As `miscope templates export` or miStudio writes it.")],
    on_conflict: Annotated[Conflict, typer.Option(help="What to do where there is one of that name.")] = Conflict.SKIP,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would become of each, and keep none.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep the templates of a file, each once it is checked; ends with 1 if one is no template."""
    from miscope.studies.template_exchange import Action, import_templates
    from miscope.studies.templates import Templates

    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadFile(path, "It is no text in UTF-8.", "`miscope templates export` writes one.") from None
    report = import_templates(Templates(opened(workspace)), text, conflict=on_conflict, dry_run=dry_run)
    if as_json:
        print_json([asdict(each) for each in report])
    else:
        print_table(("item", "becomes", "kept as"), [(each.name, each.action, each.kept_as) for each in report])
        counts = Counter(each.action for each in report)
        note(", ".join(f"{counts[action]} {action}" for action in Action if counts[action]) or "There are none in it.")
        for each in report:
            if each.error:
                note(f"\n{each.name or 'An item without a name'}:\n{each.error}")
            for left_out in each.left_out:
                note(f"{each.name}: left out {left_out}")
    if any(each.action is Action.INVALID for each in report):
        raise typer.Exit(1)
