"""The weights in a foreign file: the state dict it is of, and others beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from miscope.errors import BadFile

__all__ = ["one_state", "other_states", "same_tensors"]

STATE_KEYS = ("model", "state_dict", "model_state_dict", "model_state", "weights", "params", "net", "network", "module")


def one_state(raw: Any, *, depth: int = 4) -> Mapping[Any, Any] | None:
    """The one state of a file or of an entry in a list: under a usual key, however deep, or the mapping itself."""
    if not isinstance(raw, Mapping):
        return None
    for key in STATE_KEYS:
        inner = raw.get(key)
        if isinstance(inner, Mapping) and depth:
            state = inner if _holds_tensors(inner) else one_state(inner, depth=depth - 1)
            if state is not None:
                return state
    # Losses and the like may be tensors too; the weights of a model have axes.
    return raw if any(getattr(value, "ndim", 0) > 1 for value in raw.values()) else None


def _holds_tensors(value: Mapping[Any, Any]) -> bool:
    import torch

    return any(torch.is_tensor(inner) for inner in value.values())


def other_states(path: Path, raw: Mapping[Any, Any], taken: Mapping[Any, Any]) -> tuple[str, ...]:
    """A sentence on further states beside the one taken, such as an average of the weights; () where there are none.

    BadFile where another usual key holds another state: nothing says which of them is meant.
    """
    if taken is raw:
        return ()
    others = {key: state for key, held in raw.items() if (state := one_state(held)) is not None}
    mine = next(key for key in others if others[key] is taken)
    differing = [key for key, state in others.items() if not same_tensors(state, taken)]
    if meant := next((key for key in differing if key in STATE_KEYS), None):
        problem = f"It holds a state under {mine!r} and another under {meant!r}, and nothing says which is meant."
        raise BadFile(path, problem, "Save the weights alone, or each of the two in a file of its own.")
    names = ", ".join(repr(key) for key in differing)
    return (f"The weights are those under {mine!r}; others, under {names}, are left out.",) if differing else ()


def same_tensors(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Whether two states hold the same tensors under the same names; what is no tensor does not count."""
    import torch

    tensors, others = ({k: t for k, t in state.items() if torch.is_tensor(t)} for state in (one, other))
    return tensors.keys() == others.keys() and all(tensor.equal(others[name]) for name, tensor in tensors.items())
