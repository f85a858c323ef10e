"""Probe and bases of a described variant as one file beside its record, which has the network in plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.basis import Basis, Block
from miscope.description import Description, NetworkDescription
from miscope.errors import BadFile
from miscope.probe import Probe
from miscope.store.atomic import write_whole
from miscope.store.variant_record import VariantRecord

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_description", "write_probe"]

_HEADER = "miscope"
_TODO = "Restore it from a copy; or record the run again under another name."


def write_probe(path: Path, description: Description) -> None:
    """The probe, the bases and the output by which the network is known again."""
    import torch
    from safetensors.torch import save

    probe = description.probe
    arrays: dict[str, Any] = {"labels": probe.labels, "train": probe.train, "counted": probe.counted}
    arrays["output"] = description.output
    arrays |= {f"column/{name}": values for name, values in probe.columns.items()}
    arrays |= {f"symmetry/{name}": values for name, values in probe.symmetries.items()}
    arrays |= {f"basis/{axis}": basis.rows for axis, basis in description.bases.items()}
    given = {name: value for name, value in {"inputs": probe.inputs, **arrays}.items() if value is not None}
    tensors = {name: torch.as_tensor(value).contiguous() for name, value in given.items()}
    bases = {
        axis: {
            "name": basis.name,
            "unit": basis.unit,
            "constant": basis.constant,
            "blocks": [[block.label, list(block.rows)] for block in basis.blocks],
        }
        for axis, basis in description.bases.items()
    }
    header = {"name": probe.name, "grid": list(probe.grid), "columns": list(probe.columns), "bases": bases}
    content = save(tensors, {_HEADER: json.dumps(header)})
    write_whole(path, lambda file: file.write(content))


def read_description(path: Path, record: VariantRecord, *, contents: str, module: Any = None) -> Description:
    """What a variant's record and the file beside it say; BadFile where that is not what `contents` is a digest of."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_HEADER])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        facts: Any = record.facts
        description = Description(
            network=NetworkDescription.from_facts(facts["network"]),
            probe=_probe(header, tensors),
            bases=_bases(header, tensors),
            output=tensors["output"].numpy() if "output" in tensors else None,
            resumed=tuple(facts.get("resumed", ())),
            module=module,
        )
    except (SafetensorError, OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        known = str(error).splitlines()[0].rstrip(".")
        raise BadFile(path, f"It is no probe of {record.name}: {type(error).__name__}: {known}.", _TODO) from None
    if description.contents != contents:
        raise BadFile(path, f"It is not the probe, or not of the network, that {record.name} was recorded with.", _TODO)
    return description


def _probe(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Probe:
    return Probe(
        name=header["name"],
        inputs=tensors["inputs"],
        labels=tensors.get("labels"),
        columns={name: tensors[f"column/{name}"].numpy() for name in header["columns"]},
        grid=tuple(header["grid"]),
        train=tensors["train"].numpy() if "train" in tensors else None,
        counted=tensors["counted"].numpy() if "counted" in tensors else None,
        symmetries=_arrays_under("symmetry/", tensors),
    )


def _bases(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Basis]:
    rows = _arrays_under("basis/", tensors)
    return {
        axis: Basis(
            name=basis["name"],
            unit=basis["unit"],
            rows=rows[axis],
            blocks=tuple(Block(label, tuple(rows)) for label, rows in basis["blocks"]),
            constant=basis["constant"],
        )
        for axis, basis in header["bases"].items()
    }


def _arrays_under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): t.numpy() for name, t in tensors.items() if name.startswith(prefix)}
