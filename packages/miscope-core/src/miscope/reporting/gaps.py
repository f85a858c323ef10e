"""What is missing as a reader wants it: once for all that one command brings, or that one reason keeps out."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from miscope.reporting.content import Missing

__all__ = ["gaps"]

_ONLY = "--only"


def gaps(missing: Iterable[Missing]) -> tuple[Missing, ...]:
    """Of one variant, what the same words and different `--only` compute: names and commands together. What nothing
    computes: the same view or analyzer of several variants together.
    """
    together: dict[tuple[object, ...], list[Missing]] = {}
    for one in missing:
        key = (one.of, one.reason, _rest(one.command)) if one.command else (one.name, one.reason)
        together.setdefault(key, []).append(one)
    return tuple(_joined(each) for each in together.values())


def _joined(several: Sequence[Missing]) -> Missing:
    return Missing(
        name=", ".join(dict.fromkeys(each.name for each in several)),
        of=", ".join(filter(None, dict.fromkeys(each.of for each in several))),
        reason=several[0].reason,
        command=_command([each.command for each in several]),
    )


def _rest(command: str) -> tuple[str, ...]:
    """Its words without what is computed."""
    words = shlex.split(command)
    return tuple(w for i, w in enumerate(words) if w != _ONLY and (i == 0 or words[i - 1] != _ONLY))


def _command(commands: Sequence[str]) -> str:
    words = shlex.split(commands[0])
    if _ONLY not in words:
        return commands[0]
    all_of = [word for command in commands for word in _computed(command)]
    place, chosen = words.index(_ONLY), [word for name in dict.fromkeys(all_of) for word in (_ONLY, name)]
    rest = _rest(commands[0])
    return shlex.join([*rest[:place], *chosen, *rest[place:]])


def _computed(command: str) -> list[str]:
    words = shlex.split(command)
    return [word for i, word in enumerate(words) if i and words[i - 1] == _ONLY]
