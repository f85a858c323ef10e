"""Stand-ins for classes that checkpoint files often carry: they hold values, and no code of the classes is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["Inert", "plain", "stand_ins"]

_RECORDS = (
    "transformer_lens.HookedTransformerConfig.HookedTransformerConfig",
    "transformer_lens.config.HookedTransformerConfig.HookedTransformerConfig",
    "transformer_lens.config.hooked_transformer_config.HookedTransformerConfig",
    "easy_transformer.EasyTransformerConfig.EasyTransformerConfig",
    "easy_transformer.EasyTransformer.EasyTransformerConfig",
    "argparse.Namespace",
    "types.SimpleNamespace",
)
"""Configurations: each is read as the values it holds."""

_NUMBERS = {f"{kind}{size}" for kind in "iuf" for size in (1, 2, 4, 8)} - {"f1"} | {"b1"}
_DEPTH = 8
"""Configurations lie no deeper; a value may hold itself."""


class Inert:
    """Base of the stand-ins."""


def stand_ins() -> list[Any]:
    """Classes and functions by the names they stand in for, to be allowed while a file is read.

    Besides configurations, NumPy's numbers and arrays of numbers: losses are often kept so.
    """
    made = [_named(type("", (Inert,), {}), name) for name in _RECORDS]
    made += [_named(_Dtype, "numpy.dtype"), _named(_Array, "numpy.ndarray")]
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        # Two of each, since a stand-in is known by the one name it carries.
        made.append(_named(lambda dtype, content: _numbers(dtype, content)[0].item(), f"{module}.scalar"))
        made.append(_named(lambda kind, shape, code: _Array(), f"{module}._reconstruct"))
    kinds = ("Float16", "Float32", "Float64", "Int32", "Int64", "Bool")
    return made + [_named(type("", (_Dtype,), {}), f"numpy.dtypes.{kind}DType") for kind in kinds]


def plain(value: Any, *, depth: int = _DEPTH) -> Any:
    """The value with what the stand-ins hold in their places: dicts, numbers and lists of them."""
    if isinstance(value, _Array):
        return value.numbers.tolist()
    if isinstance(value, Inert):
        value = dict(vars(value))
    if isinstance(value, Mapping) and depth:
        return {key: plain(inner, depth=depth - 1) for key, inner in value.items()}
    if isinstance(value, list) and any(isinstance(inner, Inert) for inner in value):
        return [plain(inner, depth=depth - 1) for inner in value]
    return value


class _Dtype(Inert):
    """What NumPy pickles of a dtype: its code, and its byte order."""

    def __init__(self, code: str = "", *rest: object) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]


class _Array(Inert):
    """What NumPy pickles of an array: its shape, its dtype and its bytes."""

    numbers = np.zeros(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, content = state
        self.numbers = _numbers(dtype, content).reshape(shape, order="F" if fortran else "C")


def _numbers(dtype: _Dtype, content: Any) -> np.ndarray:
    """Plain numbers from their bytes; ValueError for any other kind of dtype."""
    if not isinstance(dtype, _Dtype) or dtype.code not in _NUMBERS or dtype.order not in ("<", ">", "=", "|"):
        raise ValueError("it holds NumPy values other than numbers")
    raw = content.encode("latin1") if isinstance(content, str) else bytes(content)
    return np.frombuffer(raw, dtype=np.dtype(f"{dtype.order}{dtype.code}"))


def _named(made: type | Callable[..., Any], name: str) -> Any:
    module, _, short = name.rpartition(".")
    made.__module__, made.__qualname__ = module, short
    return made
