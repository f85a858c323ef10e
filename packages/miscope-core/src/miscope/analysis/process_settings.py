"""Settings of the whole process that one instrument could change for all: how each is read, and put back."""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

__all__ = ["GENERATORS", "OF_ANY_THREAD", "put_back", "read_settings", "undisturbed"]


_NAMES = tuple(os.environ)
"""Of variables at the start. Others come and go by themselves: packages add some when they are first imported."""


def _read_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _NAMES if name in os.environ}


def _write_environment(before: Mapping[str, str]) -> None:
    os.environ.update(before)


def _read_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None


def _write_folder(before: str | None) -> None:
    if before is not None:
        os.chdir(before)


def _write_device(before: torch.device) -> None:
    # Where none is set it is the CPU; one that is set goes through Python at every call.
    torch.set_default_device(None if before.type == "cpu" else before)


def _flushes_denormals() -> bool:
    """PyTorch sets it and does not tell."""
    return float(torch.tensor(2.0**-130, device="cpu") * 1.0) == 0.0


def _is_for_all(entry: Any) -> bool:
    # A package adds some for messages, classes or modules of its own when it is first imported: SciPy does.
    _, message, category, module, _ = entry
    return message is None and module is None and category.__module__ == "builtins"


def _read_filters() -> list[Any]:
    return [entry for entry in warnings.filters if _is_for_all(entry)]


def _write_filters(before: Any) -> None:
    own = [entry for entry in warnings.filters if not _is_for_all(entry)]
    warnings.resetwarnings()
    warnings.filters[:] = [*own, *before]  # pyright: ignore[reportIndexIssue] - a list, as catch_warnings takes it for


def _read_template() -> Any:
    # Only once something has drawn: importing plotly for it would cost more than all that is watched.
    plotly = sys.modules.get("plotly.io")
    return plotly.templates.default if plotly else None


def _write_template(before: Any) -> None:
    import plotly.io

    plotly.io.templates.default = before


PROCESS_SETTINGS: Mapping[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "of torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "of torch's default device": (torch.get_default_device, _write_device),
    "of torch's precision of float32 products": (
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
    ),
    "of torch's deterministic algorithms": (
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
    "of torch's threads": (torch.get_num_threads, torch.set_num_threads),
    "of torch's denormal numbers": (_flushes_denormals, torch.set_flush_denormal),
    "of what numpy does on errors": (np.geterr, lambda before: np.seterr(**before)),
    "of which warnings are shown": (_read_filters, _write_filters),
    "of the current folder": (_read_folder, _write_folder),
    "of the environment's variables": (_read_environment, _write_environment),
    "of standard output": (lambda: sys.stdout, lambda before: setattr(sys, "stdout", before)),
    "of standard error": (lambda: sys.stderr, lambda before: setattr(sys, "stderr", before)),
    "of plotly's template": (_read_template, _write_template),
}
"""By what it is a setting of."""

OF_ANY_THREAD = ("of torch's default dtype", "of what numpy does on errors")
"""Those that no other thread of a server changes for a moment; views are drawn in several."""


def read_settings(names: Iterable[str] = tuple(PROCESS_SETTINGS)) -> dict[str, Any]:
    """The settings as they are now."""
    return {name: PROCESS_SETTINGS[name][0]() for name in names}


def put_back(before: Mapping[str, Any]) -> list[str]:
    """Set what is no longer as it was, and say of what it is a setting."""
    changed = [name for name, value in before.items() if PROCESS_SETTINGS[name][0]() != value]
    for name in changed:
        PROCESS_SETTINGS[name][1](before[name])
    return changed


GENERATORS: Sequence[tuple[Callable[[], Any], Callable[[Any], object]]] = (
    (torch.get_rng_state, torch.set_rng_state),
    (np.random.get_state, np.random.set_state),
    (random.getstate, random.setstate),
)
"""Random generators of the whole process: how each is read, and put back."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Whatever is done within, settings, random generators and gradient mode of the process are then as they were.

    Denormal numbers are numbers within, as they are wherever nothing is trained.
    """
    settings, generators, grad = read_settings(), [read() for read, _ in GENERATORS], torch.is_grad_enabled()
    torch.set_flush_denormal(False)
    try:
        yield
    finally:
        put_back(settings)
        for before, (_, write) in zip(generators, GENERATORS, strict=True):
            write(before)
        torch.set_grad_enabled(grad)
