"""A probe as somebody gives it, checked part by part: what instruments are shown must be what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from miscope.errors import BadValue
from miscope.probe import Probe

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["given_probe"]

_TODO = "Change it and give it again; nothing was written."


def given_probe(given: Probe | Tensor) -> Probe:
    """The probe with its tensors on the CPU and its columns as int64; inputs alone are a probe without labels.

    Raises BadValue for parts that do not fit each other.
    """
    probe = Probe(name="inputs", inputs=given) if isinstance(given, torch.Tensor) else given
    if not isinstance(probe, Probe) or not len(probe.inputs):
        shown = "It has no inputs." if isinstance(probe, Probe) else f"It is {type(given).__name__}."
        raise BadValue("That is no probe.", shown, "Give a miscope.Probe, or the inputs alone, (N, ...), as a tensor.")
    plain = replace(
        probe,
        inputs=probe.inputs.detach().cpu().contiguous(),
        labels=None if probe.labels is None else torch.from_numpy(_whole(probe, "labels", probe.labels)),
        columns={name: _whole(probe, f"column {name!r}", values) for name, values in probe.columns.items()},
        symmetries={name: _whole(probe, f"symmetry {name!r}", values) for name, values in probe.symmetries.items()},
        train=None if probe.train is None else _rows(probe, "train", probe.train).astype(bool),
        counted=None if probe.counted is None else _counted(probe, probe.counted),
    )
    _check_grid(plain)
    _check_symmetries(plain.name, plain.symmetries, len(plain.inputs))
    return plain


def _rows(probe: Probe, part: str, values: Any) -> np.ndarray:
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    if array.shape != (len(probe.inputs),):
        raise _refused(probe.name, part, f"It is of the shape {array.shape}; there are {len(probe.inputs)} inputs.")
    return array


def _counted(probe: Probe, values: Any) -> np.ndarray:
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    if array.ndim != 2 or len(array) != len(probe.inputs):
        known = f"It is of the shape {array.shape}; for {len(probe.inputs)} inputs it has a row of positions each."
        raise _refused(probe.name, "counted", known)
    return array.astype(bool)


def _whole(probe: Probe, part: str, values: Any) -> np.ndarray:
    array = _rows(probe, part, values)
    if array.dtype.kind not in "iu":
        raise _refused(probe.name, part, f"It holds {array.dtype}, and whole numbers are needed.")
    return array.astype(np.int64)


def _check_grid(probe: Probe) -> None:
    for name in probe.grid:
        if name not in probe.columns:
            raise _refused(probe.name, "grid", f"It names {name!r}; its columns: {', '.join(probe.columns) or 'none'}.")
    if not probe.grid:
        return
    complete = np.indices(probe.shape).reshape(len(probe.grid), -1)
    if not np.array_equal(np.stack([probe.columns[name] for name in probe.grid]), complete):
        known = f"{' and '.join(probe.grid)} do not run through every combination once, the last fastest."
        raise _refused(probe.name, "grid", known)


def _check_symmetries(name: str, symmetries: Mapping[str, np.ndarray], n: int) -> None:
    for symmetry, rows in symmetries.items():
        if not np.array_equal(np.sort(rows), np.arange(n)):
            raise _refused(name, f"symmetry {symmetry!r}", "It does not send each input to one of its own.")


def _refused(probe: str, part: str, known: str) -> BadValue:
    return BadValue(f"The {part} of the probe {probe!r} does not fit.", known, _TODO)
