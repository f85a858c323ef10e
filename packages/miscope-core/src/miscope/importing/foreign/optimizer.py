"""The optimizer's state dict in a foreign file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from miscope.errors import BadFile

__all__ = ["OPTIMIZER_KEYS", "notes_on_groups", "optimizer_in"]

OPTIMIZER_KEYS = ("optimizer", "optimizer_state_dict", "optimizer_state", "optim", "opt")


def optimizer_in(path: Path, raw: Mapping[Any, Any]) -> Mapping[str, Any]:
    """The optimizer's state dict; {} where there is none."""
    # A word there names the kind of optimizer.
    key = next((key for key in OPTIMIZER_KEYS if not isinstance(raw.get(key), str | None)), None)
    state = {} if key is None else raw[key]
    states = raw.get("optimizer_states")  # Lightning's, one for each optimizer
    if key is None and isinstance(states, list) and len(states) == 1:
        key, state = "optimizer_states", states[0]
    groups = state.get("param_groups", []) if isinstance(state, Mapping) else None
    if not isinstance(groups, list) or not all(isinstance(group, Mapping) for group in groups):
        raise BadFile(
            path,
            f"Its {key!r} is a {type(state).__name__}, not the state dict of one optimizer.",
            "Save optimizer.state_dict() under it, or leave it out.",
        )
    return state


def notes_on_groups(optimizer: Mapping[str, Any]) -> list[str]:
    """A sentence where groups of its parameters are trained in different ways, of which a record holds the first's."""
    groups = optimizer.get("param_groups", [])
    words = [word for word in (groups[0] if groups else ()) if word not in ("params", "param_names", "name")]
    differing = [word for word in words if any(str(group.get(word)) != str(groups[0][word]) for group in groups)]
    if not differing:
        return []
    listed = ", ".join(f"{word} {groups[0][word]}" for word in differing)
    return [
        f"Its optimizer has {len(groups)} groups of parameters that differ; the record holds the first's: {listed}."
    ]
