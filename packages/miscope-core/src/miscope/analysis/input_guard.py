"""Notices when an instrument writes into what it is shown: others are shown the same tensors and arrays."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
import torch
from torch import Tensor

from miscope.analysis.module_state import ModuleState, TensorsState
from miscope.analysis.process_settings import GENERATORS, OF_ANY_THREAD, put_back, read_settings
from miscope.model import HookedModel
from miscope.snapshot import Cohort, Snapshot, Trajectory
from miscope.view import ViewData

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from miscope.model import Model
    from miscope.probe import Probe
    from miscope.source_checkpoint import SourceCheckpoint

__all__ = ["InputGuard", "fingerprint"]

What: TypeAlias = "Snapshot | Trajectory | Cohort | ViewData"
Held: TypeAlias = "Tensor | np.ndarray"

_COLUMNS, _ROWS = 1024, 64
"""Words of eight bytes in a row of the table that a fingerprint sums, and rows at once, which the caches hold."""
_HALF = np.uint64(32)
_WEIGHTS = np.random.default_rng(0).integers(2**63, size=_COLUMNS, dtype=np.uint64) | np.uint64(1)


@final
class InputGuard:
    """What several instruments are shown in turn, and what it held before the first of them."""

    def __init__(self) -> None:
        self._prints: dict[tuple[str, int], int] = {}
        self._copies: dict[int, tuple[Held, Held]] = {}
        self._networks: dict[int, ModuleState] = {}
        self._weights: dict[int, TensorsState] = {}
        self._settings: dict[str, Any] = {}
        self._random: tuple[Any, ...] = ()

    def remember(self, shown: What) -> None:
        """Remember what is shown, where it is shown for the first time."""
        self._settings = read_settings(OF_ANY_THREAD) if isinstance(shown, ViewData) else read_settings()
        # Put back without a word, since building a network draws. Not of a view: several are drawn at a time.
        self._random = () if isinstance(shown, ViewData) else tuple(read() for read, _ in GENERATORS)
        for whose, model, inputs in _networks(shown):
            if id(model) not in self._networks:
                # Once before: a TransformerLens bridge hangs hooks of its own on itself when it is first run.
                with torch.no_grad():
                    model.run({name: torch.zeros(r.shape) for name, r in model.roles.items()}, inputs, [])
                self._networks[id(model)] = ModuleState(model.module, whose)
        for source in _sources(shown):
            if id(source) not in self._weights:
                self._weights[id(source)] = TensorsState(source.weights.items(), "the source's", "weights")
        for label, value in _per_job(shown):
            if (label, id(value)) not in self._prints:
                self._prints[label, id(value)] = fingerprint(value)
        for _, value in _per_variant(shown):
            if id(value) not in self._copies:
                self._copies[id(value)] = value, value.clone() if _is_tensor(value) else value.copy()

    def changed(self, shown: What) -> list[str]:
        """What of it is no longer as it was, in words; what outlives the job is put back as it was."""
        other = [label for label, value in _per_job(shown) if fingerprint(value) != self._prints[label, id(value)]]
        wrong = [(label, value) for label, value in _per_variant(shown) if not _alike(*self._copies[id(value)])]
        for _, value in wrong:
            _put_back(*self._copies[id(value)])
        for before, (_, write) in zip(self._random, GENERATORS, strict=False):
            write(before)
        labels = [*other, *(label for label, _ in wrong)]
        for _, model, _ in _networks(shown):
            if id(model) in self._networks:  # else it was built meanwhile
                labels += self._networks[id(model)].put_back()
        for source in _sources(shown):
            labels += self._weights[id(source)].put_back()
        return labels + [f"the setting {name}" for name in put_back(self._settings)]


def fingerprint(value: Held) -> int:
    """A number that changes with any change of the bytes, of their order or of the shape; nearly at memory's speed."""
    array = _plain(value)
    if array.dtype.kind in "USO":
        return zlib.crc32(repr(array.tolist()).encode())
    flat = _bytes(array)
    whole = len(flat) // (8 * _COLUMNS) * (8 * _COLUMNS)
    table = flat[:whole].view(np.uint64).reshape(-1, _COLUMNS)
    checksum = zlib.crc32(flat[whole:].data, zlib.crc32(repr((value.dtype, tuple(value.shape))).encode()))
    for start in range(0, len(table), _ROWS):
        rows = table[start : start + _ROWS]
        # Weighted, since a plain sum is the same after a shuffle; the high half mixed in, since of an even number of
        # changed signs, the highest bits, nothing is left in a sum modulo 2^64.
        mixed = rows >> _HALF
        mixed ^= rows
        mixed *= _WEIGHTS
        checksum = zlib.crc32(mixed.sum(1).data, checksum)
    return checksum


def _alike(value: Held, copy: Held) -> bool:
    """Whether they have the same bytes in the same shape; sooner known of two arrays than the fingerprint of one."""
    if value.dtype != copy.dtype or tuple(value.shape) != tuple(copy.shape):
        return False
    now, before = (_plain(each) for each in (value, copy))
    if now.dtype.kind == "O":
        return now.tolist() == before.tolist()
    return np.array_equal(_bytes(now), _bytes(before))


def _bytes(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _plain(value: Held) -> np.ndarray:
    return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy() if _is_tensor(value) else value


def _is_tensor(value: Held) -> TypeIs[Tensor]:
    return isinstance(value, Tensor)


def _parts(shown: What) -> Iterator[Snapshot | Trajectory | ViewData]:
    """What is shown of each variant."""
    members = getattr(shown, "members", ())
    if isinstance(shown, Snapshot | Trajectory | ViewData):
        yield shown
    beside = getattr(shown, "untrained", None)
    if beside is not None and beside.shown is not None:
        yield beside.shown
    if (source := getattr(shown, "source", None)) is not None:
        yield source
    for member in members:
        yield from _parts(getattr(member, "shown", member))


def _per_job(shown: What) -> Iterator[tuple[str, Held]]:
    """What every instrument of a job is shown, made for that job."""
    if not isinstance(shown, Snapshot):
        return
    yield from ((f"weights {name!r}", value) for name, value in shown.weights.items())
    yield from ((f"activations {name!r}", value) for name, value in shown.activations.items())
    for name, tensors in shown.optimizer_state.items():
        yield from ((f"optimizer_state {name!r} {key!r}", value) for key, value in tensors.items())
    for name, arrays in shown.artifacts.items():
        yield from ((f"artifacts {name!r} {key!r}", value) for key, value in arrays.items())


def _per_variant(shown: What) -> Iterator[tuple[str, Held]]:
    """What is made once for a variant and shown to everything that looks at it in this process."""
    for part in _parts(shown):
        yield from (() if part.probe is None else _of_probe(part.probe))
        yield from ((f"bases {name!r}", basis.rows) for name, basis in part.bases.items())
        for name, loss in getattr(part, "losses", {}).items():
            yield f"losses {name!r} inputs", loss.examples.inputs
            if loss.examples.labels is not None:
                yield f"losses {name!r} labels", loss.examples.labels
    for source in _sources(shown):
        yield from ((f"the source's {label}", value) for label, value in _of_probe(source.probe))
        yield from ((f"the source's bases {name!r}", basis.rows) for name, basis in source.bases.items())


def _of_probe(probe: Probe) -> Iterator[tuple[str, Held]]:
    yield "probe inputs", probe.inputs
    if probe.labels is not None:
        yield "probe labels", probe.labels
    if probe.train is not None:
        yield "probe train", probe.train
    yield from ((f"probe columns {name!r}", values) for name, values in probe.columns.items())
    yield from ((f"probe symmetries {name!r}", values) for name, values in probe.symmetries.items())


def _sources(shown: What) -> Iterator[SourceCheckpoint]:
    """What the variants are built on, where it is shown; made once for a variant, too."""
    for part in _parts(shown):
        yield from getattr(part, "sources", ())


def _networks(shown: What) -> Iterator[tuple[str, HookedModel, Tensor]]:
    """The networks that an instrument is given to run, each with whose it is and one input."""
    for part in _parts(shown):
        if part.probe is not None:
            yield from (("the model", one, part.probe.inputs[:1]) for one in _hooked(getattr(part, "model", None)))
    for source in _sources(shown):
        yield from (("the source model", one, source.probe.inputs[:1]) for one in _hooked(source.model))


def _hooked(model: Model | None) -> Iterator[HookedModel]:
    """The network that is run, also inside of another model."""
    for holder in (model, *getattr(model, "__dict__", {}).values()):
        if isinstance(holder, HookedModel):
            yield holder


def _put_back(value: Held, copy: Held) -> None:
    if _is_tensor(value):
        with torch.no_grad():
            if value.shape != copy.shape:
                value.resize_(tuple(copy.shape))
            value.copy_(torch.as_tensor(copy))
    else:
        value.shape = tuple(copy.shape)
        np.copyto(value, np.asarray(copy))
