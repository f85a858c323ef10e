"""The values in a checkpoint file made elsewhere. No code of it is run, and no class of it is made."""

from __future__ import annotations

import json
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from miscope.errors import BadFile
from miscope.importing.foreign.inert import plain, stand_ins

__all__ = ["read_content"]

_OFFENDERS = (
    re.compile(r"GLOBAL ([\w.]+)"),
    re.compile(r"<(?:class|function|built-in function) '?([\w.]+)"),
    re.compile(r"``([\w.]+)``"),
)


def read_content(path: Path) -> Any:
    """What the file holds: plain values and tensors. BadFile if it is truncated or could only be read by running code.

    A safetensors file is a mapping with its tensors under 'model' and what its header says of step, epoch and config.
    """
    return _safetensors(path) if path.suffix.lower() == ".safetensors" else _torch(path)


def _torch(path: Path) -> Any:
    import pickle

    import torch

    _check_sums(path)
    try:
        with torch.serialization.safe_globals(stand_ins()), warnings.catch_warnings():  # pyright: ignore
            # What is odd about the file is said below, in a sentence.
            warnings.simplefilter("ignore")
            raw = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _needs_code(path, str(error)) from None
    except MemoryError:
        raise BadFile(path, "It does not fit in memory.", "Save the weights alone, and fewer of them.") from None
    except _UNREADABLE as error:
        if "TorchScript" in str(error):
            raise _needs_code(path, "``torch.jit.ScriptModule``") from None
        raise BadFile(path, f"It is no complete PyTorch file: {_first_line(error)}.", _AGAIN) from None
    return plain(raw)


def _check_sums(path: Path) -> None:
    """BadFile where a record of PyTorch's archive is not what its checksum says; torch.load does not look."""
    try:
        with zipfile.ZipFile(path) as archive:
            torn = archive.testzip()
    except (zipfile.BadZipFile, OSError, ValueError, LookupError, NotImplementedError, RuntimeError, EOFError):
        # No archive, as files of old versions are, or one that torch.load has more to say of.
        return
    if torn is not None:
        raise BadFile(path, f"It is damaged: its record {torn!r} is not what its checksum says.", _AGAIN)


_AGAIN = "Copy it again from its source; it may have been cut off."
_UNREADABLE = (
    *(OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError, AssertionError),
    *(ArithmeticError, struct.error),
)
"""What torch.load lets through of a file that was damaged or was never one of its own."""


def _needs_code(path: Path, message: str) -> BadFile:
    """Named is what the file would need run; what PyTorch advises then, to trust the file, is not repeated."""
    name = next((match[1] for pattern in _OFFENDERS if (match := pattern.search(message))), None)
    if name is None and "operand" in message:
        return BadFile(path, "It is no complete file of torch.save.", _AGAIN)
    what = f"an object of {name}" if name else "objects other than tensors and plain values"
    return BadFile(
        path,
        f"It holds {what}, which only its own code could make again; code is never run.",
        "Where it was made, save the weights alone: torch.save(model.state_dict(), path), or as safetensors; "
        "losses as lists of floats, configurations as dicts.",
    )


def _first_line(error: BaseException) -> str:
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines()
    sentence = lines[0].strip() if lines else ""
    return sentence.split(". ")[0].rstrip(".,:;") or type(error).__name__


def _safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError, safe_open

    from miscope.store.checkpoint_file import read_tensors

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise BadFile(path, f"It is no complete safetensors file: {_first_line(error)}.", _AGAIN) from None
    header: dict[str, Any] = {
        key: _number(metadata[key]) for key in ("step", "global_step", "epoch") if key in metadata
    }
    if "miscope" in metadata:
        header = {"step": _json(path, metadata["miscope"]).get("step")}
    config = _json(path, metadata["config"]) if str(metadata.get("config", "")).startswith("{") else {}
    return {"model": read_tensors(path), "config": config, **header}


def _json(path: Path, text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        # What a parser expects may be a colon; of numbers that are too long Python says behind one how long.
        why = error.msg if isinstance(error, json.JSONDecodeError) else str(error).partition(":")[0]
        raise BadFile(path, f"Its header holds broken JSON: {why}.", _AGAIN) from None
    return value if isinstance(value, Mapping) else {}


def _number(text: str) -> object:
    """Headers of safetensors hold text only."""
    return int(text) if re.fullmatch(r"[+-]?\d{1,30}", text.strip()) else text
