"""Devices by name: those that a machine may have, and the one that a training is given on this."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from miscope.errors import BadValue

if TYPE_CHECKING:
    import torch

__all__ = ["check_device", "check_device_name", "pick_device"]

_NAME = re.compile(r"auto|cpu|mps|cuda(:(0|[1-9][0-9]{0,3}))?")
_ANYWHERE = ("auto", "cpu")
"""What every machine has."""


def check_device_name(name: str) -> None:
    """Raise BadValue for what is a device of no machine; of which machine it is one is not asked."""
    if not _NAME.fullmatch(name):
        raise BadValue(
            f"There is no device {name!r}.", "Devices are: auto, cpu, cuda, cuda:0, cuda:1, ..., mps.", "Name one."
        )


def check_device(name: str) -> None:
    """Raise BadValue for a device that this machine has not. Loads PyTorch only for one that it may lack."""
    check_device_name(name)
    if name not in _ANYWHERE:
        pick_device(name)


def pick_device(name: str) -> torch.device:
    """The device of that name; 'auto' takes CUDA, then MPS, then the CPU. BadValue for one that is not here."""
    import torch

    here = ["cpu"]
    if torch.backends.mps.is_available():
        here.insert(0, "mps")
    if torch.cuda.is_available():
        here[:0] = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if name == "auto":
        return torch.device(here[0])
    if name not in here:
        raise BadValue(
            f"There is no device {name!r} here.", f"There is: {', '.join(here)}.", "Name one of these, or auto."
        )
    return torch.device(name)
