"""Weights and training state as safetensors files, with a header that says whose they are."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.atomic import write_whole
from miscope.checkpoint import Checkpoint
from miscope.errors import BadFile
from miscope.training_state import TrainingState

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_checkpoint", "read_header", "read_tensors", "read_training_state", "write_checkpoint", "write_state"]

SCHEMA = 1
_HEADER = "miscope"


def write_checkpoint(path: Path, checkpoint: Checkpoint, *, digest: str) -> Path:
    """One checkpoint; digest: the variant's."""
    header = {"step": checkpoint.step, "digest": digest, "metrics": dict(checkpoint.metrics)}
    return _write(path, checkpoint.weights, header)


def read_checkpoint(path: Path, roles: Collection[str] | None = None) -> Checkpoint:
    """The checkpoint, with all roles or only those; BadFile if the file is anything else."""
    header = read_header(path)
    weights = read_tensors(path, roles)
    return Checkpoint(step=int(header["step"]), weights=weights, metrics=header.get("metrics", {}))


def write_state(path: Path, state: TrainingState) -> Path:
    """A training state; its tensors are named 'moment/<role>/<name>', 'weight/<role>', 'generator/<name>'."""
    tensors = {f"weight/{role}": tensor for role, tensor in state.weights.items()}
    tensors |= {f"generator/{name}": tensor for name, tensor in state.generators.items()}
    for role, moments in state.moments.items():
        tensors |= {f"moment/{role}/{name}": tensor for name, tensor in moments.items()}
    return _write(path, tensors, {"step": state.step, "facts": dict(state.facts)})


def read_training_state(path: Path) -> TrainingState:
    """The training state in the file; BadFile if it holds anything else."""
    header = read_header(path)
    weights: dict[str, Tensor] = {}
    generators: dict[str, Tensor] = {}
    moments: dict[str, dict[str, Tensor]] = {}
    for name, tensor in read_tensors(path).items():
        match name.split("/"):
            case ["weight", role]:
                weights[role] = tensor
            case ["generator", which]:
                generators[which] = tensor
            case ["moment", role, moment]:
                moments.setdefault(role, {})[moment] = tensor
            case _:
                raise BadFile(path, f"It holds {name!r}, which is no part of a training state.", _todo(path))
    return TrainingState(
        step=int(header["step"]), moments=moments, weights=weights, generators=generators, facts=header.get("facts", {})
    )


def read_header(path: Path) -> Mapping[str, Any]:
    """What miscope wrote about the file into it."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_HEADER])
        if header["schema"] > SCHEMA:
            problem = f"It was written by a newer miscope (schema {header['schema']}, this one reads {SCHEMA})."
            raise BadFile(path, problem, "Upgrade miscope to read it.")
        if "step" not in header:
            raise KeyError("step")
    except (SafetensorError, ValueError, TypeError, OSError) as error:
        raise BadFile(path, f"It is no complete safetensors file: {error}.", _todo(path)) from None
    except KeyError:
        raise BadFile(path, "It is a safetensors file without miscope's header.", _todo(path)) from None
    return header


def read_tensors(path: Path, names: Collection[str] | None = None) -> dict[str, Tensor]:
    """All tensors of a safetensors file, or only those; BadFile where one is missing."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            held = list(file.keys())
            missing = sorted(set(names or ()) - set(held))
            if missing:
                raise BadFile(path, f"It holds no {missing[0]!r}, but: {', '.join(held)}.", _todo(path))
            return {name: file.get_tensor(name) for name in held if names is None or name in names}
    except (SafetensorError, OSError) as error:
        raise BadFile(path, f"It is no complete safetensors file: {error}.", _todo(path)) from None


def _write(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, object]) -> Path:
    from safetensors.torch import save

    # Cloned, because safetensors refuses tensors that share memory: tied weights, views of one parameter.
    plain = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    # One key, since the order of several in a safetensors header varies, and equal checkpoints are equal files.
    content = save(plain, {_HEADER: json.dumps({"schema": SCHEMA, **header}, sort_keys=True)})
    return write_whole(path, lambda file: file.write(content))


def _todo(path: Path) -> str:
    return f"Delete it and train again; or, if it was made elsewhere, adopt it:  miscope import {path}"
