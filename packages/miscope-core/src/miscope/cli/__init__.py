"""The command line: reads arguments, calls the verbs, prints what they yield. Nothing heavy is imported up here."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """The `miscope` command; ends the process with 0, 1 (a MiscopeError), 2 (wrong usage), or as `explained` says."""
    from miscope.interruption import ended_by_signals

    with ended_by_signals():
        from typer.main import get_command

        from miscope.cli.app import application
        from miscope.cli.leaving import check_streams

        check_streams()
        command = get_command(application())
    command.main(arguments, prog_name="miscope")
