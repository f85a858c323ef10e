"""How a command leaves: with a reason on standard error and an exit code, never a traceback that is no bug."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import typer

from miscope.errors import CannotWrite, MiscopeError
from miscope.interruption import SAID, Terminated, signals_interrupt

__all__ = ["check_streams", "explained"]

_PIPE_CLOSED = 141
"""What a shell says of a program that wrote into a pipe whose reader had left: 128 and SIGPIPE."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

_NOWHERE = MiscopeError(
    "The current folder does not exist any more.",
    "Names that do not begin with / are looked for there.",
    "Go to a folder that exists, and give the command again.",
)

_CLOSED = MiscopeError(
    "Standard output is closed.",
    "A command prints its answer there, and the next file it opened would get it instead.",
    "Leave out `>&-`; to throw the answer away, write `> /dev/null`.",
)


@contextmanager
def explained() -> Iterator[None]:
    """What ends a command early as typer.Exit, once the reason is said.

    1 for a MiscopeError, 130 for Ctrl-C, 143 for SIGTERM; 141, without a word, where whoever reads the output left.
    """
    with signals_interrupt():
        try:
            yield
            sys.stdout.flush()
        except MiscopeError as error:
            print(error, file=sys.stderr)
            raise typer.Exit(1) from None
        except BrokenPipeError:
            _let_go_of(sys.stdout, sys.stderr)
            raise typer.Exit(_PIPE_CLOSED) from None
        except OSError as error:
            if error.errno is None:  # no word of the system's about a file: a bug
                raise
            print(_about(error), file=sys.stderr)
            raise typer.Exit(1) from None
        except Terminated:
            print(SAID[signal.SIGTERM], file=sys.stderr)
            raise typer.Exit(143) from None
        except KeyboardInterrupt:
            print(SAID[signal.SIGINT], file=sys.stderr)
            raise typer.Exit(130) from None


def _about(error: OSError) -> MiscopeError:
    """What a file that nobody expected to fail has to say."""
    if error.filename is None and not _folder_stands():
        return _NOWHERE
    if error.filename is None and error.errno in _FULL:
        _let_go_of(sys.stdout)
        return CannotWrite("Standard output", error)
    return MiscopeError(
        f"{error.filename or 'A file'} cannot be used.",
        f"The system says: {error.strerror}.",
        "Choose another, or change who may read and write it.",
    )


def _folder_stands() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def check_streams() -> None:
    """End with 1 where standard output is closed; where the others are, put nothing in their place.

    The system would give their numbers to the files that are opened next.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    if sys.stdout is None:
        print(_CLOSED, file=sys.stderr)
        raise SystemExit(1)


def _let_go_of(*streams: TextIO) -> None:
    """Have the interpreter, when it ends, write what is left into nothing instead of failing again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())
