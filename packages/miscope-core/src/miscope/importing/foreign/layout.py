"""Where in a foreign file's content its states, their steps, its optimizer and its configuration lie."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from miscope.errors import BadFile
from miscope.importing.foreign.losses import KEYS
from miscope.importing.foreign.numbers import as_written, whole
from miscope.importing.foreign.optimizer import OPTIMIZER_KEYS, optimizer_in
from miscope.importing.foreign.state import one_state, other_states

__all__ = ["Content", "lay_out"]

LIST_KEYS = ("state_dicts", "checkpoints", "model_checkpoints", "model_state_dicts", "states", "models")
SAVED_LISTS = ("checkpoint_steps", "saved_steps", "checkpoint_epochs", "saved_epochs")
"""What they are of, their names say."""
OWN_KEYS = ("step", "epoch")
"""What an entry of a list may say of itself."""
OTHER_LISTS = ("steps", "iterations", "epochs")
"""Often those of the losses."""
EPOCH_LISTS = ("checkpoint_epochs", "saved_epochs", "epochs")
EPOCH_KEYS = ("epoch",)
_STEP = re.compile(r"(?:step[_\-= ]?)?(\d[\w.]*)", re.IGNORECASE)
SCHEDULER_KEYS = ("scheduler", "lr_scheduler", "scheduler_state_dict", "lr_scheduler_state_dict")
_TODO = "Give a file with a state dict of tensors, or with lists 'state_dicts' and 'steps'."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Content:
    """A foreign file's content, sorted by what it is."""

    states: tuple[Mapping[Any, Any], ...]
    """As they are in the file, tensors and other values; one, or as many as are listed."""
    listed: tuple[str, tuple[int, ...]] | None
    """Key and numbers of the list that says of which steps or epochs several states are."""
    last: Mapping[Any, Any] | None
    """The state beside a list of states: usually the list's last once more."""
    entries: tuple[Mapping[Any, Any], ...]
    """What holds the states of a list, each with what it says of its own; empty where the states lie bare."""
    header: Mapping[Any, Any]
    """Everything at the top of the file."""
    optimizer: Mapping[str, Any]
    scheduler: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    """A sentence on weights that are left out."""


def lay_out(path: Path, raw: Any) -> Content:
    """The content by kind; BadFile where no weights are in it, or states and their steps do not belong together."""
    if isinstance(raw, list | tuple) and raw and all(one_state(held) is not None for held in raw):
        raw = {"states": raw}
    if not isinstance(raw, Mapping):
        raise BadFile(path, f"It holds a {type(raw).__name__}, not weights by name.", _TODO)
    held, listed = _several(path, raw) or ((), None)
    single = one_state(raw)
    if not held and single is None:
        raise _without_weights(path, raw)
    entries = tuple(entry for entry in held if one_state(entry) is not entry)
    dated = raw if listed is None or not entries else _latest(raw, entries, listed[1])
    return Content(
        states=tuple(state for state in map(one_state, held) if state is not None) or (single or {},),
        listed=listed,
        last=single if held else None,
        entries=entries,
        header=raw,
        optimizer=optimizer_in(path, dated),
        scheduler=next((dated[key] for key in SCHEDULER_KEYS if isinstance(dated.get(key), Mapping)), {}),
        notes=() if held or single is None else other_states(path, raw, single),
    )


def _without_weights(path: Path, raw: Mapping[Any, Any]) -> BadFile:
    names = ", ".join(map(str, list(raw)[:8])) or "nothing"
    if len(raw) > 1 and all(one_state(held) is not None for held in raw.values()):
        problem = f"It holds states under {names}, which do not say of which steps they are."
        return BadFile(path, problem, "Give each state the number of its updates as its key: {0: ..., 100: ...}.")
    losses = any(word in raw for words in KEYS.values() for word in words)
    alone = "To take its losses alone:  miscope import --metrics FILE --family NAME"
    return BadFile(path, f"It holds no weights, but: {names}.", alone if losses else _TODO)


def _several(
    path: Path, raw: Mapping[Any, Any]
) -> tuple[Sequence[Mapping[Any, Any]], tuple[str, tuple[int, ...]]] | None:
    """Several states as they are held, with what says when they were saved."""
    for key in LIST_KEYS:
        held = raw.get(key)
        if isinstance(held, list | tuple) and not held:
            raise BadFile(path, f"Its list {key!r} is empty.", _TODO)
        entries = held.values() if isinstance(held, Mapping) else held if isinstance(held, list | tuple) else ()
        if not entries or any(one_state(entry) is None for entry in entries):
            continue
        if isinstance(held, Mapping):
            return list(entries), (key, _numbers(path, f"The key of {key!r}", [_step_of(name) for name in held]))
        return list(entries), _listed(path, raw, key, list(entries))
    keys = [_step_of(key) for key in raw]
    if raw and all(isinstance(key, int) for key in keys) and all(one_state(held) is not None for held in raw.values()):
        return list(raw.values()), ("", _numbers(path, "Its keys", keys))
    return None


def _step_of(key: object) -> object:
    """A key of states by step as the number it is: 100, '100', 'step_100'; others as they are."""
    matched = _STEP.fullmatch(key) if isinstance(key, str) else None
    number = as_written(matched[1]) if matched else None
    return key if number is None else number


def _listed(path: Path, raw: Mapping[Any, Any], key: str, entries: list[Any]) -> tuple[str, tuple[int, ...]]:
    """What says it of the states of a list: a list for it, the entries themselves, or any list of as many numbers."""
    count = len(entries)
    own = next((name for name in OWN_KEYS if all(entry.get(name) is not None for entry in entries)), None)
    counted = _numbers(path, f"{own!r} in {key!r}", [entry[own] for entry in entries]) if own else ()
    saved, other = ([n for n in names if _is_list(raw.get(n))] for names in (SAVED_LISTS, OTHER_LISTS))
    lists = saved or ([] if own else other)
    if not lists:
        if own is None:
            raise _without_steps(path, f"{count} states in a list")
        return own, counted
    when = next((name for name in lists if len(raw[name]) == count), lists[0])
    numbers = _numbers(path, repr(when), raw[when])
    if len(numbers) != count:
        problem = f"Its {key!r} holds {count} states, its {when!r} {len(numbers)} numbers."
        raise BadFile(path, problem, "Save as many of one as of the other.")
    if own and (own in EPOCH_KEYS) == (when in EPOCH_LISTS) and numbers != counted:
        at = next(i for i in range(count) if numbers[i] != counted[i])
        problem = f"Its {when!r} says {numbers[at]} of entry {at}, which says {own} {counted[at]} of itself."
        raise BadFile(path, problem, "Correct one of them, or leave it out.")
    return when, numbers


def _without_steps(path: Path, what: str) -> BadFile:
    return BadFile(
        path,
        f"It holds {what} and does not say of which steps they are.",
        "Save {'state_dicts': states, 'steps': steps}, steps the updates made so far, one for each state.",
    )


def _latest(raw: Mapping[Any, Any], entries: Sequence[Mapping[Any, Any]], numbers: Sequence[int]) -> Mapping[Any, Any]:
    """The top of the file, with what only the entry of the last state holds: its optimizer and scheduler."""
    last = entries[max(range(len(entries)), key=lambda place: numbers[place])]
    return {**{key: last[key] for key in (*OPTIMIZER_KEYS, *SCHEDULER_KEYS) if key in last}, **raw}


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0


def _numbers(path: Path, where: str, values: Sequence[Any]) -> tuple[int, ...]:
    numbers = tuple(whole(path, f"{where}[{i}]", value) for i, value in enumerate(values))
    twice = next((number for i, number in enumerate(numbers) if number in numbers[:i]), None)
    if twice is not None:
        raise BadFile(path, f"{where} lists {twice} twice.", "Keep one state for each step.")
    return numbers
