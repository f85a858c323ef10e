"""Where in a foreign file's content its states, their steps, its optimizer and its configuration lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from miscope.errors import BadFile
from miscope.foreign.numbers import whole

__all__ = ["Content", "lay_out"]

STATE_KEYS = ("model", "state_dict", "model_state_dict", "model_state", "weights", "params", "net", "network", "module")
LIST_KEYS = ("state_dicts", "checkpoints", "model_checkpoints", "model_state_dicts", "states", "models")
STEP_LISTS = ("checkpoint_steps", "saved_steps", "steps", "iterations")
OWN_KEYS = ("step", "epoch")
"""What an entry of a list may say of itself."""
EPOCH_LISTS = ("checkpoint_epochs", "saved_epochs", "epochs")
CONFIG_KEYS = (
    *("config", "data_config", "model_config", "optim_config", "train_config", "training_config", "cfg", "args"),
    *("hparams", "hyper_parameters"),
)
OPTIMIZER_KEYS = ("optimizer", "optimizer_state_dict", "optimizer_state", "optim", "opt")
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
    header: Mapping[Any, Any]
    """Everything at the top of the file."""
    optimizer: Mapping[str, Any]
    scheduler: Mapping[str, Any]
    config: Mapping[str, Any]


def lay_out(path: Path, raw: Any) -> Content:
    """The content by kind; BadFile where no weights are in it, or states and their steps do not belong together."""
    if isinstance(raw, list | tuple) and raw and all(_single(held) is not None for held in raw):
        raw = {"states": raw}
    if not isinstance(raw, Mapping):
        raise BadFile(path, f"It holds a {type(raw).__name__}, not weights by name.", _TODO)
    several = _several(path, raw)
    single = _single(raw)
    if several is None and single is None:
        names = ", ".join(map(str, list(raw)[:8])) or "nothing"
        raise BadFile(path, f"It holds no weights, but: {names}.", _TODO)
    states, listed = ((single,), None) if several is None else several
    return Content(
        states=tuple(state for state in states if state is not None),
        listed=listed,
        last=None if several is None else single,
        header=raw,
        optimizer=_optimizer(path, raw),
        scheduler=next((raw[key] for key in SCHEDULER_KEYS if isinstance(raw.get(key), Mapping)), {}),
        config={k: v for name in CONFIG_KEYS if isinstance(raw.get(name), Mapping) for k, v in raw[name].items()},
    )


def _single(raw: Any, *, depth: int = 4) -> Mapping[Any, Any] | None:
    """The one state of a file or of an entry in a list: under a usual key, however deep, or the mapping itself."""
    if not isinstance(raw, Mapping):
        return None
    for key in STATE_KEYS:
        inner = raw.get(key)
        if isinstance(inner, Mapping) and depth:
            found = inner if _holds_tensors(inner) else _single(inner, depth=depth - 1)
            if found is not None:
                return found
    # Losses and the like may be tensors too; the weights of a model have axes.
    return raw if any(getattr(value, "ndim", 0) > 1 for value in raw.values()) else None


def _holds_tensors(value: Mapping[Any, Any]) -> bool:
    import torch

    return any(torch.is_tensor(inner) for inner in value.values())


def _several(path: Path, raw: Mapping[Any, Any]) -> tuple[Sequence[Any], tuple[str, tuple[int, ...]]] | None:
    """Several states with what says when they were saved."""
    for key in LIST_KEYS:
        held = raw.get(key)
        if isinstance(held, list | tuple) and not held:
            raise BadFile(path, f"Its list {key!r} is empty.", _TODO)
        entries = held.values() if isinstance(held, Mapping) else held if isinstance(held, list | tuple) else ()
        states = [_single(entry) for entry in entries]
        if not states or None in states:
            continue
        if isinstance(held, Mapping):
            return states, (key, _numbers(path, f"the keys of {key!r}", list(held)))
        return states, _listed(path, raw, key, list(entries))
    if raw and all(isinstance(key, int) for key in raw) and all(_single(held) is not None for held in raw.values()):
        return [_single(held) for held in raw.values()], ("", _numbers(path, "its keys", list(raw)))
    return None


def _listed(path: Path, raw: Mapping[Any, Any], key: str, entries: list[Any]) -> tuple[str, tuple[int, ...]]:
    """The list of steps or epochs beside the entries, or what each of them says of itself."""
    count = len(entries)
    lists = {name: raw[name] for name in (*STEP_LISTS, *EPOCH_LISTS) if _is_list(raw.get(name))}
    for own in OWN_KEYS:
        if not lists and all(entry.get(own) is not None for entry in entries):
            return own, _numbers(path, f"{own!r} in {key!r}", [entry[own] for entry in entries])
    if not lists:
        raise _without_steps(path, f"{count} states in a list")
    when = next((name for name, values in lists.items() if len(values) == count), next(iter(lists)))
    numbers = _numbers(path, repr(when), lists[when])
    if len(numbers) != count:
        problem = f"Its {key!r} holds {count} states, its {when!r} {len(numbers)} numbers."
        raise BadFile(path, problem, "Save as many of one as of the other.")
    return when, numbers


def _without_steps(path: Path, what: str) -> BadFile:
    return BadFile(
        path,
        f"It holds {what} and does not say of which steps they are.",
        "Save {'state_dicts': states, 'steps': steps}, steps the updates made so far, one for each state.",
    )


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0


def _numbers(path: Path, where: str, values: Sequence[Any]) -> tuple[int, ...]:
    numbers = tuple(whole(path, f"{where}[{i}]", value) for i, value in enumerate(values))
    twice = next((number for i, number in enumerate(numbers) if number in numbers[:i]), None)
    if twice is not None:
        raise BadFile(path, f"{where} lists {twice} twice.", "Keep one state for each step.")
    return numbers


def _optimizer(path: Path, raw: Mapping[Any, Any]) -> Mapping[str, Any]:
    """The optimizer's state dict; {} where there is none."""
    # A word there names the kind of optimizer.
    key = next((key for key in OPTIMIZER_KEYS if not isinstance(raw.get(key), str | None)), None)
    found = {} if key is None else raw[key]
    states = raw.get("optimizer_states")  # Lightning's, one for each optimizer
    if key is None and isinstance(states, list) and len(states) == 1:
        key, found = "optimizer_states", states[0]
    groups = found.get("param_groups", []) if isinstance(found, Mapping) else None
    if not isinstance(groups, list) or not all(isinstance(group, Mapping) for group in groups):
        raise BadFile(
            path,
            f"Its {key!r} is a {type(found).__name__}, not the state dict of one optimizer.",
            "Save optimizer.state_dict() under it, or leave it out.",
        )
    return found
