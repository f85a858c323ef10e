"""A checkpoint file made elsewhere: its tensors, and what it says of its training. Nothing in it is executed."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from miscope.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SUFFIXES", "ForeignFile", "read_foreign"]

SUFFIXES = (".safetensors", ".pth", ".pt")

_STATES = ("model", "state_dict", "model_state_dict", "weights")
_CONFIGS = ("config", "data_config", "model_config", "optim_config", "cfg")
_AFTER_UPDATE = re.compile(r"(?:epoch)[_-]?(\d+)")
_STEP = re.compile(r"(?:step|iter(?:ation)?)[_-]?(\d+)")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ForeignFile:
    """What one file holds."""

    path: Path
    sha256: str
    states: tuple[tuple[int, Mapping[str, Tensor]], ...]
    """Step (updates made so far) and tensors by the file's own names; most files hold one."""
    metrics: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    """'train_loss' and 'test_loss' as (step, value): a loss recorded before the i-th update is of the weights at i."""
    config: Mapping[str, object] = field(default_factory=dict)
    """Plain values of the configuration it carries, which need not be true."""
    optimizer: Mapping[str, object] = field(default_factory=dict)
    """Plain values of the optimizer's first parameter group: what was really used."""


def read_foreign(path: Path) -> ForeignFile:
    """Read a .safetensors, .pth or .pt file; BadFile if it is truncated, needs unpickling, or holds no weights."""
    from torch import is_tensor

    raw = _safetensors(path) if path.suffix == ".safetensors" else _torch(path)
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    metrics = _metrics(raw)
    optimizer = raw.get("optimizer") or raw.get("optimizer_state_dict") or {}
    lists = raw.get("state_dicts")
    if isinstance(lists, Sequence) and isinstance(raw.get("epochs"), Sequence):
        states = tuple((int(e) + 1, s) for e, s in zip(raw["epochs"], lists, strict=False))
    else:
        found = next((raw[key] for key in _STATES if isinstance(raw.get(key), Mapping)), raw)
        states = ((_step(path, raw, optimizer, metrics), found),)
    plain = tuple((step, {str(name): t for name, t in state.items() if is_tensor(t)}) for step, state in states)
    if not all(state for _, state in plain):
        names = ", ".join(map(str, list(raw)[:8])) or "nothing"
        raise BadFile(path, f"It holds no weights, but: {names}.", "Give a file with a state dict of tensors.")
    config = {key: value for name in _CONFIGS if isinstance(raw.get(name), Mapping) for key, value in raw[name].items()}
    groups = optimizer.get("param_groups") or [{}]
    return ForeignFile(
        path=path, sha256=sha, states=plain, metrics=metrics, config=_plain(config), optimizer=_plain(groups[0])
    )


def _torch(path: Path) -> Mapping[str, Any]:
    import pickle

    import torch

    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        problem = f"It is no complete PyTorch file of plain tensors and values: {reason}"
        raise BadFile(
            path, problem, "Save the weights alone, as a state dict or as safetensors; code is never run."
        ) from None
    if not isinstance(raw, Mapping):
        raise BadFile(path, f"It holds a {type(raw).__name__}, not weights by name.", "Give a file with a state dict.")
    return raw


def _safetensors(path: Path) -> Mapping[str, Any]:
    import json

    from safetensors import SafetensorError, safe_open

    from miscope.checkpoint_file import read_tensors

    try:
        with safe_open(path, framework="pt") as file:
            said = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise BadFile(path, f"It is no complete safetensors file: {error}.", "Copy it again from its source.") from None
    header = {key: value for key, value in said.items() if key in ("step", "epoch")}
    if "miscope" in said:
        header = {"step": json.loads(said["miscope"])["step"]}
    return {"model": read_tensors(path), **{key: int(value) for key, value in header.items() if str(value).isdigit()}}


def _metrics(raw: Mapping[str, Any]) -> dict[str, list[tuple[int, float]]]:
    """Loss lists as series; a shorter test list was recorded at every n-th epoch."""
    found = {}
    train = _numbers(raw.get("train_losses"))
    test = _numbers(raw.get("test_losses"))
    if train:
        found["train_loss"] = list(enumerate(train))
    if test:
        stride = _stride(len(train), len(test))
        found["test_loss"] = [(i * stride, value) for i, value in enumerate(test)]
    return found


def _stride(epochs: int, recorded: int) -> int:
    """The n for which every n-th of the epochs makes so many records; of several the roundest, as people choose it."""
    if recorded >= epochs:
        return 1
    least = math.ceil(epochs / recorded)
    most = epochs if recorded == 1 else math.ceil(epochs / (recorded - 1)) - 1
    for unit in (1000, 500, 100, 50, 10, 5):
        if round_one := next((n for n in range(least, most + 1) if n % unit == 0), None):
            return round_one
    return least


def _numbers(values: object) -> list[float]:
    if values is None or isinstance(values, str | Mapping):
        return []
    try:
        array = np.asarray([float(value) for value in values], dtype=np.float64)  # pyright: ignore[reportGeneralTypeIssues]
    except (TypeError, ValueError):
        return []
    return array.tolist()


def _step(
    path: Path, raw: Mapping[str, Any], optimizer: Mapping[str, Any], metrics: Mapping[str, Sequence[object]]
) -> int:
    """Updates behind the weights: the optimizer knows best, then the file's own words, its name, its losses."""
    counted = [
        int(s["step"]) for s in (optimizer.get("state") or {}).values() if isinstance(s, Mapping) and "step" in s
    ]
    if counted:
        return max(counted)
    for key, after in (("step", 0), ("global_step", 0), ("epoch", 1)):
        if isinstance(raw.get(key), int):
            return int(raw[key]) + after
    if match := _STEP.search(path.stem):
        return int(match[1])
    if match := _AFTER_UPDATE.search(path.stem):
        # A loop that saves at the end of epoch e has made e + 1 updates.
        return int(match[1]) + 1
    if "train_loss" in metrics:
        return len(metrics["train_loss"])
    raise BadFile(
        path,
        "Neither its content nor its name says how many updates are behind the weights.",
        "Name it step_<N>, N the updates made so far.",
    )


def _plain(values: Mapping[object, object]) -> dict[str, object]:
    """Those that JSON can hold."""
    kept = {}
    for key, value in values.items():
        if isinstance(value, str | int | float | bool) or value is None:
            kept[str(key)] = value
        elif isinstance(value, list | tuple) and all(isinstance(v, str | int | float) for v in value):
            kept[str(key)] = list(value)
    return kept
