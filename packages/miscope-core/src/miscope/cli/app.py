"""The `miscope` command as a whole: core's commands, those of plug-ins, and how errors leave it."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import Annotated, Any, final

import typer
from typer.core import TyperGroup

import miscope
from miscope.cli import (
    adopt,
    analyze,
    annotate,
    ask,
    bundle,
    cache,
    catalogue,
    export,
    index,
    lenses,
    listing,
    new_plugin,
    prune,
    report,
    runs,
    show,
    sweep,
    templates,
    train,
    trash,
    variants,
    where,
)
from miscope.cli.leaving import explained
from miscope.cli.offered import offered_commands
from miscope.cli.options import WorkspaceOption
from miscope.errors import MiscopeError
from miscope.plugins.offers import CHOICE

__all__ = ["application"]

_COMES_WITH = {"demo": "miscope-modadd", "serve": "miscope-panel"}
"""Commands a user reads about, and the package that offers each."""


@final
class _Commands(TyperGroup):
    """Core's commands, and those of installed plug-ins, which are loaded only when one is asked for or listed."""

    @cached_property
    def offered(self) -> dict[str, Any]:
        """Plug-ins' commands by name."""
        commands, broken = offered_commands(self.commands)
        for each in broken:
            print(each, file=sys.stderr)
        return commands

    def list_commands(self, ctx: Any) -> list[str]:
        return [*self.commands, *(name for name in self.offered if name not in self.commands)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        if cmd_name not in self.offered and cmd_name in _COMES_WITH:
            package = _COMES_WITH[cmd_name]
            raise MiscopeError(
                f"`miscope {cmd_name}` comes with {package}, which is not installed or could not be loaded.",
                "`miscope plugins` lists what is.",
                f"To install it:  pip install {package}",
            )
        return self.offered.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """One section of the help for each panel, in the order of their first commands."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            panel = getattr(command, "rich_help_panel", None)
            panels.setdefault(panel if isinstance(panel, str) else "More", []).append(
                (name, command.get_short_help_str(limit=200))
            )
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)

    def make_context(self, *args: Any, **settings: Any) -> Any:
        with explained():
            return super().make_context(*args, **settings)

    def invoke(self, ctx: Any) -> Any:
        with explained():
            return super().invoke(ctx)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"miscope {miscope.__version__}")
        raise typer.Exit


def _without_plugins(wanted: bool) -> None:
    if wanted:
        # In the environment, so that processes started from here do without them too.
        os.environ[CHOICE] = "core"


def _root(
    context: typer.Context,
    workspace: WorkspaceOption = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    no_plugins: Annotated[
        bool,
        typer.Option(
            "--no-plugins", callback=_without_plugins, is_eager=True, help="Do without plug-ins: core's records only."
        ),
    ] = False,
) -> None:
    """How did learning happen? Train, look at every checkpoint through the same instruments, and compare."""
    name = context.invoked_subcommand
    if workspace is not None and name is not None:
        given = {"workspace": str(workspace)}
        command: Any = context.command.get_command(context, name)  # pyright: ignore[reportAttributeAccessIssue]
        context.default_map = {name: given | {sub: given for sub in getattr(command, "commands", ())}}


def application() -> typer.Typer:
    """The command with everything that is installed, not yet run."""
    cli = typer.Typer(
        cls=_Commands,
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        # Plain help: drawing it with rich takes longer than everything else in `miscope --help` together.
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    cli.callback()(_root)
    making = (train, analyze, sweep, templates, runs, adopt, bundle, annotate, prune, trash, cache)
    looking = (show, report, ask, export, index, variants)
    for module in (*making, *looking, listing, lenses, where, new_plugin, catalogue):
        module.add_to(cli)
    return cli
