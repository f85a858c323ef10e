"""A probe as a file of arrays: what somebody keeps beside checkpoints of their own. Nothing in it is unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from miscope.errors import BadFile
from miscope.probe import Probe

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["read_probe"]

_TODO = "Save it with numpy.savez(path, inputs=..., labels=..., ...) or safetensors; docs/importing.md has the names."
_SYMMETRY = "symmetry/"
_PARTS = ("inputs", "labels", "train", "counted", "grid")


def read_probe(path: str | Path) -> Probe:
    """The probe in an .npz or .safetensors file: `inputs`, `labels`, `train`, `counted`, `grid`, `symmetry/NAME`.

    Others are columns.
    grid: names as an array of text, or in the header of safetensors, parted by commas. Raises BadFile for what is no
    such file, and for one that would have to be unpickled.
    """
    import torch

    place = Path(path).expanduser()
    held, grid = _arrays(place)
    if "inputs" not in held:
        raise BadFile(place, f"It holds no 'inputs', but: {', '.join(held) or 'nothing'}.", _TODO)
    symmetries = {name.removeprefix(_SYMMETRY): held[name] for name in held if name.startswith(_SYMMETRY)}
    columns = {name: held[name] for name in held if name not in _PARTS and not name.startswith(_SYMMETRY)}
    labels = held.get("labels")
    return Probe(
        name=place.stem,
        inputs=torch.from_numpy(held["inputs"]),
        labels=None if labels is None else torch.from_numpy(labels),
        columns=columns,
        grid=grid,
        train=held.get("train"),
        counted=held.get("counted"),
        symmetries=symmetries,
    )


def _arrays(path: Path) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    try:
        match path.suffix.lower():
            case ".npz":
                with np.load(path, allow_pickle=False) as file:
                    held = {name: file[name] for name in file.files}
                return held, tuple(str(name) for name in held.get("grid", ()))
            case ".safetensors":
                return _safetensors(path)
    except (OSError, ValueError, BadZipFile, EOFError) as error:
        known = str(error).splitlines()[0].rstrip(".")
        raise BadFile(path, f"It is no such file: {type(error).__name__}: {known}.", _TODO) from None
    raise BadFile(path, "Its name ends neither in .npz nor in .safetensors.", _TODO)


def _safetensors(path: Path) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            grid = (file.metadata() or {}).get("grid", "")
            held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise ValueError(str(error)) from None
    return held, tuple(name.strip() for name in grid.split(",") if name.strip())
