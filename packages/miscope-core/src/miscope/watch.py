"""Notices when an instrument writes into what it is shown: others are shown the same tensors and arrays."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
import torch
from torch import Tensor

from miscope.moment import Cohort, Moment, Trajectory
from miscope.view import Shown

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from miscope.probe import Probe

__all__ = ["Watch", "fingerprint"]

What: TypeAlias = "Moment | Trajectory | Cohort | Shown"
Held: TypeAlias = "Tensor | np.ndarray"

_COLUMNS = 1024
"""Words of eight bytes in a row of the table that a fingerprint sums along both axes."""


@final
class Watch:
    """What several instruments are shown in turn, and what it held before the first of them."""

    def __init__(self) -> None:
        self._prints: dict[tuple[str, int], int] = {}
        self._copies: dict[int, tuple[Held, Held]] = {}
        self._settings: dict[str, Any] = {}

    def see(self, shown: What) -> None:
        """Remember what is shown, where it is shown for the first time."""
        self._settings = {name: read() for name, (read, _) in _SETTINGS.items()}
        for label, value in _per_look(shown):
            if (label, id(value)) not in self._prints:
                self._prints[label, id(value)] = fingerprint(value)
        for label, value in _for_good(shown):
            if (label, id(value)) not in self._prints:
                self._prints[label, id(value)] = fingerprint(value)
                self._copies[id(value)] = value, value.clone() if _is_tensor(value) else value.copy()

    def changed(self, shown: What) -> list[str]:
        """What of it is no longer as it was, in words; what outlives the look is put back as it was."""
        wrong = [
            (label, value)
            for label, value in (*_per_look(shown), *_for_good(shown))
            if fingerprint(value) != self._prints[label, id(value)]
        ]
        for _, value in wrong:
            if id(value) in self._copies:
                _put_back(*self._copies[id(value)])
        told = [label for label, _ in wrong]
        for name, (read, write) in _SETTINGS.items():
            if read() != self._settings[name]:
                told.append(f"the setting {name}")
                write(self._settings[name])
        return told


def fingerprint(value: Held) -> int:
    """A number that changes with any change of the bytes, or of their order; at the speed of memory."""
    array = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy() if _is_tensor(value) else value
    if array.dtype.kind in "USO":
        return zlib.crc32(repr(array.tolist()).encode())
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    whole = len(flat) // (8 * _COLUMNS) * (8 * _COLUMNS)
    # Sums along one axis alone would be the same after a sort or a shuffle along it.
    table = flat[:whole].view(np.uint64).reshape(-1, _COLUMNS)
    rest = zlib.crc32(flat[whole:].tobytes())
    return zlib.crc32(table.sum(1).tobytes(), zlib.crc32(table.sum(0).tobytes(), rest))


def _is_tensor(value: Held) -> TypeIs[Tensor]:
    return isinstance(value, Tensor)


def _parts(shown: What) -> Iterator[Moment | Trajectory | Shown]:
    """What is shown of each variant."""
    members = getattr(shown, "members", ())
    if isinstance(shown, Moment | Trajectory | Shown):
        yield shown
    for member in members:
        yield from _parts(getattr(member, "shown", member))


def _per_look(shown: What) -> Iterator[tuple[str, Held]]:
    """What every instrument of a look is shown, made for that look."""
    if not isinstance(shown, Moment):
        return
    yield from ((f"weights {name!r}", value) for name, value in shown.weights.items())
    yield from ((f"activations {name!r}", value) for name, value in shown.activations.items())
    for name, moments in shown.moments.items():
        yield from ((f"moments {name!r} {key!r}", value) for key, value in moments.items())
    for name, arrays in shown.artifacts.items():
        yield from ((f"artifacts {name!r} {key!r}", value) for key, value in arrays.items())


def _for_good(shown: What) -> Iterator[tuple[str, Held]]:
    """What is made once for a variant and shown to everything that looks at it in this process."""
    for part in _parts(shown):
        yield from (() if part.probe is None else _of_probe(part.probe))
        yield from ((f"bases {name!r}", basis.rows) for name, basis in part.bases.items())


def _of_probe(probe: Probe) -> Iterator[tuple[str, Held]]:
    yield "probe inputs", probe.inputs
    if probe.labels is not None:
        yield "probe labels", probe.labels
    if probe.train is not None:
        yield "probe train", probe.train
    yield from ((f"probe columns {name!r}", values) for name, values in probe.columns.items())
    yield from ((f"probe symmetries {name!r}", values) for name, values in probe.symmetries.items())


def _put_back(value: Held, copy: Held) -> None:
    if _is_tensor(value):
        with torch.no_grad():
            value.copy_(torch.as_tensor(copy))
    else:
        np.copyto(value, np.asarray(copy))


_SETTINGS: Mapping[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "of torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "of what numpy does on errors": (np.geterr, lambda before: np.seterr(**before)),
}
"""Of the whole process; how each is read, and put back."""
