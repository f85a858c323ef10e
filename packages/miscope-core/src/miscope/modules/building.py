"""A network made anew by the function that its record names, and compared with the one that was recorded."""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from miscope.description import Build, Description, ModuleWeight
from miscope.model import LOGITS, HookedModel, NoNetwork
from miscope.modules.module_model import model_of
from miscope.probe import Probe

__all__ = ["build", "output_on_set_weights", "rebuilt", "same_output", "unlike"]

_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_SHOWN = 4
"""Inputs on which two networks are compared."""
_FAILED = (ImportError, SyntaxError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, OSError)
_EXAMPLE = 'build="package.module:function", options={...}'


def rebuilt(description: Description) -> HookedModel | NoNetwork:
    """The network of a variant's record as a model, or why there is none."""
    recorded = description.network
    if recorded.build is None:
        return NoNetwork(
            reason="its network is in the process that recorded it only, and cannot be made anew",
            known="It was recorded without `build=`: its weights and metrics are here, and no code that runs them.",
            todo=f"Record the run again under its name and give it:  workspace.record(..., {_EXAMPLE})",
        )
    network = build(recorded.build)
    if isinstance(network, NoNetwork):
        return network
    if (other := unlike(network, recorded.weights)) is not None:
        return _another(recorded.build, other)
    model = model_of(network, recorded)
    remade = replace(description, output=output_on_set_weights(model, description.probe, recorded.weights))
    if not same_output(remade, description):
        return _another(recorded.build, "on the same weights and inputs it gives other answers")
    return model


def build(wanted: Build) -> nn.Module | NoNetwork:
    """What the function makes, or why it cannot be asked. Nothing but what makes modules is ever called.

    A record may come from anybody: so the name of a function alone is not enough to have it run.
    """
    if not _TARGET.fullmatch(wanted.target):
        return _refused(wanted, "that is no name of a function", f"Write it so:  {_EXAMPLE}")
    place, _, name = wanted.target.partition(":")
    try:
        maker = getattr(importlib.import_module(place), name)
        if not _makes_modules(maker):
            known = f"{wanted.target} does not say that it returns an nn.Module"
            return _refused(wanted, known, f"Say it:  def {name}(...) -> torch.nn.Module; or name a class of modules.")
        with torch.random.fork_rng(devices=[]):
            made = maker(**wanted.options)
    except _FAILED as error:
        known = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")
        todo = "Put the folder of its file on PYTHONPATH, or install its package; then try again."
        return _refused(wanted, known, todo)
    return made if isinstance(made, nn.Module) else _refused(wanted, f"it returned {made!r}", "Return the module.")


def unlike(network: nn.Module, weights: tuple[ModuleWeight, ...]) -> str | None:
    """In which weights a module differs from those described, as a clause; None where it has the same."""
    has = {name: tuple(t.shape) for name, t in (*network.named_parameters(), *network.named_buffers())}
    for weight in weights:
        if has.get(weight.parameter) != weight.stored:
            there = f"{has[weight.parameter]}" if weight.parameter in has else "not there"
            return f"its {weight.parameter!r} is {there}, and was {weight.stored}"
    known = {weight.parameter for weight in weights}
    more = [name for name, _ in network.named_parameters() if name not in known]
    return f"it has {more[0]!r}, which was not there" if more else None


def output_on_set_weights(model: HookedModel, probe: Probe, weights: tuple[ModuleWeight, ...]) -> np.ndarray:
    """The answers to the first inputs on weights that are drawn by this function, the same everywhere."""
    bits = np.random.PCG64(0)

    def drawn(weight: ModuleWeight) -> Tensor:
        size = int(np.prod(weight.shape, dtype=np.int64))
        values = (bits.random_raw(size) >> np.uint64(11)) * 2.0**-52 - 1  # uniform over [-1, 1)
        # A variance is positive; other weights keep activations of the size of their inputs.
        scaled = np.abs(values) + 0.1 if weight.buffer else values / max(weight.shape[:1] or (1,)) ** 0.5
        return torch.from_numpy(scaled.reshape(weight.shape))

    set_weights = {weight.role: drawn(weight) for weight in weights}
    inputs = probe.inputs[:_SHOWN]
    if inputs.is_floating_point():
        inputs = inputs.double()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        return model.answers(set_weights, inputs, [LOGITS])[LOGITS].double().numpy()


def same_output(one: Description, other: Description) -> bool:
    """Whether two networks give the same answers on set weights, to rounding; so they do where one was never run."""
    if one.output is None or other.output is None:
        return True
    if one.output.shape != other.output.shape:
        return False
    size = float(np.abs(np.nan_to_num(other.output)).max(initial=0.0))
    tolerance = (1e-4 if other.network.single else 1e-9) * size
    return np.allclose(one.output, other.output, rtol=0, atol=tolerance, equal_nan=True)


def _makes_modules(maker: Any) -> bool:
    if isinstance(maker, type):
        return issubclass(maker, nn.Module)
    if not inspect.isfunction(maker):
        return False
    try:
        returned = typing.get_type_hints(maker).get("return")
    except (NameError, TypeError):
        return False
    return isinstance(returned, type) and issubclass(returned, nn.Module)


def _refused(wanted: Build, known: str, todo: str) -> NoNetwork:
    options = ", ".join(f"{name}={value!r}" for name, value in wanted.options.items())
    reason = f"{wanted.target}({options}) cannot make its network here"
    return NoNetwork(reason=reason, known=f"{known[:1].upper()}{known[1:]}.", todo=todo)


def _another(wanted: Build, difference: str) -> NoNetwork:
    return NoNetwork(
        reason=f"{wanted.target} makes another network than the one that was recorded",
        known=f"{difference[:1].upper()}{difference[1:]}.",
        todo="Put the function back as it was, or record the new network under another name.",
    )
