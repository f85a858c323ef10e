"""`miscope report`: what is known of variants as one document."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json

if TYPE_CHECKING:
    from miscope.lens import Lens
    from miscope.reporting.composing import Draft
    from miscope.reporting.content import Report
    from miscope.workspace import Workspace

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `report`."""
    cli.command(rich_help_panel="Look")(report)


def report(
    variant: Annotated[
        list[str],
        typer.Argument(
            metavar="VARIANT...|FAMILY [KEY=VALUE]...",
            help="Its name, or the parts it begins with; several are compared.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.", show_default=False)],
    to: Annotated[
        str | None, typer.Option(metavar="html|md|pdf|ipynb", help="What to write.  (default: by the suffix of FILE)")
    ] = None,
    views: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Views or patterns: 'keys.*'.  (default: those that ask for a place)"),
    ] = None,
    lens: Annotated[
        str | None, typer.Option(metavar="NAME", help="The views of this lens, with its controls: `miscope lenses`.")
    ] = None,
    static: Annotated[
        bool | None,
        typer.Option(
            "--static/--interactive",
            help="Pictures, or figures that can be zoomed.  (default: these in html, pictures elsewhere)",
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="(default: what it is of)", show_default=False)] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what is known of VARIANT as one file: tables, events, observations, figures, provenance."""
    from miscope.cli.targets import variants_meant
    from miscope.reporting.report import report as reported

    place = opened(workspace)
    asked = _views(place, views, lens)
    chosen = variants_meant(place, variant)
    whole = _with_bar(reported(place, chosen, out, to=to, views=asked, static=static, title=title))
    if as_json:
        print_json(_summed(whole, out))
        return
    for one in whole.missing:
        todo = f"  To compute it:  {one.command}" if one.command else ""
        note(f"Left out: {one.name}{f' of {one.of}' if one.of else ''}, {one.reason}.{todo}")
    count = len(whole.views)
    print(f"{out}: {count} figure{'s' * (count != 1)}, {out.stat().st_size / 1e6:,.1f} MB")


def _views(place: Workspace, views: str | None, lens: str | None) -> Sequence[str] | Lens:
    from miscope.errors import BadValue
    from miscope.figures.lenses import known_lenses

    if lens is None:
        return [name.strip() for name in (views or "").split(",") if name.strip()]
    if views is not None:
        raise BadValue("--views and --lens exclude each other.", "A lens says which views.", "Give one of them.")
    return known_lenses(place).named(lens)


def _summed(whole: Report, out: Path) -> dict[str, object]:
    found = [{"of": group.of, **vars(one)} for group in whole.findings for one in group.found]
    return {
        "path": str(out),
        "bytes": out.stat().st_size,
        "figures": [{"number": one.number, "view": one.view, "of": one.of} for one in whole.views],
        "observations": found,
        "missing": [vars(one) for one in whole.missing],
    }


def _with_bar(drafts: Iterable[Draft]) -> Report:
    """The report at the end, with a bar and the time that is left on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress

    from miscope.cli.time_left import TimeLeft

    columns = (BarColumn(bar_width=None), MofNCompleteColumn(), TimeLeft())
    whole = None
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=None)
        for draft in drafts:
            bar.update(task, completed=draft.done, total=draft.total)
            whole = draft.report
    assert whole is not None
    return whole
