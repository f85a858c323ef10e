"""Weights and training state as safetensors files, with a header that says whose they are."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.checkpoint import Checkpoint
from miscope.errors import BadFile
from miscope.store.atomic import write_whole
from miscope.store.training_state import TrainingState

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_checkpoint", "read_header", "read_tensors", "read_training_state", "write_checkpoint", "write_state"]

SCHEMA = 1
_HEADER = "miscope"
_DAMAGED = "It was damaged since it was written: its {} does not fit the checksum."


def write_checkpoint(path: Path, checkpoint: Checkpoint, *, digest: str) -> Path:
    """One checkpoint; digest: the variant's."""
    header = {"step": checkpoint.step, "digest": digest, "metrics": dict(checkpoint.metrics)}
    return _write(path, checkpoint.weights, header)


def read_checkpoint(path: Path, roles: Collection[str] | None = None, *, digest: str | None = None) -> Checkpoint:
    """The checkpoint, with all roles or only those; BadFile if the file is anything else, or not what was written.

    digest: the variant's whose checkpoint it has to be; None for anybody's.
    """
    with _opened(path) as file:
        header = _header_of(path, file)
        _check_whose(path, header, digest)
        weights = _tensors_of(path, file, roles, header.get("checksums"))
    return Checkpoint(step=int(header["step"]), weights=weights, metrics=header.get("metrics", {}))


def write_state(path: Path, state: TrainingState, *, digest: str | None = None) -> Path:
    """A training state; its tensors are named 'moment/<role>/<name>', 'weight/<role>', 'buffer/<name>' and
    'generator/<name>'.

    digest: the variant's.
    """
    tensors = {f"weight/{role}": tensor for role, tensor in state.weights.items()}
    tensors |= {f"buffer/{name}": tensor for name, tensor in state.buffers.items()}
    tensors |= {f"generator/{name}": tensor for name, tensor in state.generators.items()}
    for role, remembered in state.optimizer_state.items():
        tensors |= {f"moment/{role}/{name}": tensor for name, tensor in remembered.items()}
    return _write(path, tensors, {"step": state.step, "digest": digest, "facts": dict(state.facts)})


def read_training_state(path: Path, *, digest: str | None = None) -> TrainingState:
    """The training state in the file; BadFile if it holds anything else, or is of another variant than the digest's."""
    header = read_header(path)
    _check_whose(path, header, digest)
    weights: dict[str, Tensor] = {}
    buffers: dict[str, Tensor] = {}
    generators: dict[str, Tensor] = {}
    optimizer_state: dict[str, dict[str, Tensor]] = {}
    for name, tensor in read_tensors(path).items():
        match name.split("/"):
            case ["weight", role]:
                weights[role] = tensor
            case ["buffer", which]:
                buffers[which] = tensor
            case ["generator", which]:
                generators[which] = tensor
            case ["moment", role, which]:
                optimizer_state.setdefault(role, {})[which] = tensor
            case _:
                raise BadFile(path, f"It holds {name!r}, which is no part of a training state.", _todo(path))
    return TrainingState(
        step=int(header["step"]),
        optimizer_state=optimizer_state,
        weights=weights,
        buffers=buffers,
        generators=generators,
        facts=header.get("facts", {}),
    )


def read_header(path: Path) -> Mapping[str, Any]:
    """What miscope wrote about the file into it."""
    with _opened(path) as file:
        return _header_of(path, file)


def read_tensors(path: Path, names: Collection[str] | None = None) -> dict[str, Tensor]:
    """All tensors of a safetensors file, or only those; BadFile where one is missing."""
    with _opened(path) as file:
        checksums = json.loads((file.metadata() or {}).get(_HEADER, "{}")).get("checksums")
        return _tensors_of(path, file, names, checksums)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The safetensors file, to be read from in the `with`; BadFile where that fails."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, ValueError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise BadFile(path, f"It is no complete safetensors file: {error}.", _todo(path)) from None


def _header_of(path: Path, file: Any) -> Mapping[str, Any]:
    try:
        header = json.loads((file.metadata() or {})[_HEADER])
        if header["schema"] > SCHEMA:
            problem = f"It was written by a newer miscope (schema {header['schema']}, this one reads {SCHEMA})."
            raise BadFile(path, problem, "Upgrade miscope to read it.")
        if "step" not in header:
            raise KeyError("step")
    except KeyError:
        raise BadFile(path, "It is a safetensors file without miscope's header.", _todo(path)) from None
    if "checksum" in header and header["checksum"] != _checksum_of(header):
        raise BadFile(path, _DAMAGED.format("header"), _todo(path))
    return header


def _tensors_of(path: Path, file: Any, names: Collection[str] | None, checksums: object) -> dict[str, Tensor]:
    held = list(file.keys())
    missing = sorted(set(names or ()) - set(held))
    if missing:
        raise BadFile(path, f"It holds no {missing[0]!r}, but: {', '.join(held)}.", _todo(path))
    tensors = {name: file.get_tensor(name) for name in held if names is None or name in names}
    _verify(path, tensors, checksums)
    return tensors


def _write(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, object]) -> Path:
    from safetensors.torch import save

    # Cloned, because safetensors refuses tensors that share memory: tied weights, views of one parameter.
    plain = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    checksums = {name: _checksum(tensor) for name, tensor in plain.items()}
    fields = json.loads(json.dumps({"schema": SCHEMA, **header, "checksums": checksums}))
    # One key, since the order of several in a safetensors header varies, and equal checkpoints are equal files.
    content = save(plain, {_HEADER: json.dumps({**fields, "checksum": _checksum_of(fields)}, sort_keys=True)})
    return write_whole(path, lambda file: file.write(content))


def _checksum(tensor: Tensor) -> str:
    """CRC-32 of a tensor's type, shape and bytes: it finds what a disk or a copy does to them, and costs no time."""
    import torch

    about = f"{tensor.dtype} {tuple(tensor.shape)}".encode()
    content = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()
    return f"{zlib.crc32(content.data, zlib.crc32(about)):08x}"


def _checksum_of(header: Mapping[str, object]) -> str:
    """Of all that the header says but this."""
    rest = {key: value for key, value in header.items() if key != "checksum"}
    return f"{zlib.crc32(json.dumps(rest, sort_keys=True).encode()):08x}"


def _verify(path: Path, tensors: Mapping[str, Tensor], checksums: object) -> None:
    """BadFile for a tensor that is not what was written; files from before there were checksums are believed."""
    if not isinstance(checksums, dict):
        return
    for name, tensor in tensors.items():
        if checksums.get(name) != _checksum(tensor):
            raise BadFile(path, _DAMAGED.format(repr(name)), _todo(path))


def _check_whose(path: Path, header: Mapping[str, Any], digest: str | None) -> None:
    recorded = header.get("digest")
    if digest is not None and recorded is not None and recorded != digest:
        problem = f"It was saved by another variant: that has digest {recorded}, this one {digest}."
        raise BadFile(path, problem, "Move it to the variant that it is of, or delete it.")


def _todo(path: Path) -> str:
    return f"Delete it and train again; or, if it was made elsewhere, adopt it:  miscope import {path}"
