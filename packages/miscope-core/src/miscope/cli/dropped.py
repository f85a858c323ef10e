"""Options that would have no effect beside the others: each is refused by its name, with what it goes with."""

from __future__ import annotations

from miscope.errors import BadValue

__all__ = ["refuse_dropped"]


def refuse_dropped(dropped: bool, where: str, known: str, todo: str, /, **options: object) -> None:
    """BadValue where these options are dropped, and one of them is given.

    where: 'without --queue'. options: by name, each None or False where it is not given.
    """
    given = [name for name, value in options.items() if value is not None and value is not False]
    if dropped and given:
        listed = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise BadValue(f"{listed} means nothing {where}.", known, todo)
