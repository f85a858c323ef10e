"""Anybody's module as a model: outputs of its submodules are sites, its parameters are weights by role."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn

from miscope.description import NetworkDescription
from miscope.errors import BadValue
from miscope.model import LOGITS, Activations, Hook, HookedModel, Model, NoNetwork, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Unbuilt", "copied", "model_of", "recordable", "unwrapped"]

_AS_THEY_ARE = ("hook_pattern", "hook_attn_scores", "hook_z", "hook_q", "hook_k", "hook_v", "hook_rot_q", "hook_rot_k")
"""Ends of TransformerLens' sites whose activations have an axis of heads."""


def unwrapped(module: nn.Module) -> nn.Module:
    """The module that torch.compile or DataParallel was given."""
    while True:
        if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
            module = module.module
        elif isinstance(inner := getattr(module, "_orig_mod", None), nn.Module):
            module = inner
        else:
            return module


def copied(module: nn.Module) -> nn.Module | None:
    """A copy on the CPU, in evaluation mode; None of a module that cannot be copied."""
    try:
        network = copy.deepcopy(unwrapped(module)).cpu().eval()
    except (RuntimeError, TypeError, ValueError, AttributeError):
        return None
    kinds = {parameter.dtype for parameter in network.parameters()}
    return network if torch.float64 in kinds else network.float()


def recordable(module: nn.Module, inputs: Tensor) -> tuple[list[str], bool]:
    """The submodules that are called once a pass and give a tensor, batch first; and whether it runs in float64.

    Runs the module on two batches of different size. Raises BadValue where it does not run on the inputs.
    """
    sizes = [size for size in (3, 2) if size <= len(inputs)] or [len(inputs)]
    if inputs.is_floating_point():
        inputs = inputs.to(next(module.parameters()).dtype)
    try:
        called, again = (_seen(module, inputs[:size]) for size in (sizes[0], sizes[-1]))
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError) as error:
        known = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")
        raise BadValue(
            f"The model does not run on the inputs of the probe, {tuple(inputs.shape)}.",
            f"{known}.",
            "Give inputs as it takes them: it is called as `model(inputs)`.",
        ) from None
    double = True
    try:
        _run(copy.deepcopy(module).double(), inputs[:1].double() if inputs.is_floating_point() else inputs[:1])
    except RuntimeError:
        double = False
    return [name for name in called if name in again], double


def _seen(module: nn.Module, inputs: Tensor) -> list[str]:
    calls: Counter[str] = Counter()
    batched: dict[str, bool] = {}

    def record_output(name: str) -> Any:
        def hook(_module: nn.Module, _given: object, out: object) -> None:
            calls[name] += 1
            tensor = _tensor_of(out)
            batched[name] = tensor is not None and tensor.is_floating_point() and tensor.shape[:1] == inputs.shape[:1]

        return hook

    handles = [part.register_forward_hook(record_output(name)) for name, part in module.named_modules() if name]
    try:
        _run(module, inputs)
    finally:
        for handle in handles:
            handle.remove()
    return [name for name, ok in batched.items() if ok and calls[name] == 1]


def _run(module: nn.Module, inputs: Tensor) -> Tensor:
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        return _logits_of(module(inputs))


def _tensor_of(out: object) -> Tensor | None:
    """The output of a submodule, or the first of several: of an LSTM its states, of many blocks the residual stream."""
    first = out[0] if isinstance(out, tuple | list) and out else out
    return first if isinstance(first, Tensor) else None


def _logits_of(out: Any) -> Tensor:
    logits = out if isinstance(out, Tensor) else getattr(out, LOGITS, None)
    logits = _tensor_of(out) if logits is None else logits
    if not isinstance(logits, Tensor):
        raise BadValue(
            f"The model gives no tensor, but {type(out).__name__}.",
            "What a model gives is a tensor, something with `logits`, or a tuple of which the first is a tensor.",
            "Record a module that does: a small one around yours, which calls it.",
        )
    return logits


def _by_position(site: str, activation: Tensor) -> Tensor:
    """(batch, position, ...); what has no positions has one, at which all its numbers lie."""
    if activation.ndim == 3 or (activation.ndim == 4 and site.endswith(_AS_THEY_ARE)):
        return activation
    return activation.reshape(len(activation), 1, -1)


@final
class _Tapped(nn.Module):
    """The module with a hook point behind each submodule that is a site, in the shape sites have."""

    def __init__(self, network: nn.Module, sites: Mapping[str, str]) -> None:
        super().__init__()
        self.network = network
        self.points = nn.ModuleList(nn.Identity() for _ in sites)
        for point, (site, name) in zip(self.points, sites.items(), strict=True):
            network.get_submodule(name).register_forward_hook(self._tap(site, point))

    @staticmethod
    def _tap(site: str, point: nn.Module) -> Any:
        def hook(_module: nn.Module, _given: object, out: Any) -> Any:
            tensor = _tensor_of(out)
            assert tensor is not None, "a site's output holds a tensor"
            named = _by_position(site, tensor)
            seen = point(named)
            if seen is named:
                return None
            new = seen.reshape(tensor.shape)
            return new if isinstance(out, Tensor) else type(out)((new, *out[1:]))

        return hook

    def forward(self, inputs: Tensor) -> Tensor:
        if inputs.is_floating_point():
            inputs = inputs.to(next(self.network.parameters()).dtype)
        return _by_position(LOGITS, _logits_of(self.network(inputs)))


def model_of(network: nn.Module, description: NetworkDescription) -> HookedModel:
    """The module as a model. It becomes the model's: hooks stay on it."""
    tapped = _Tapped(network.cpu().eval(), description.sites)
    ours = {weight.parameter for weight in description.weights}
    constant = {n: b for n, b in network.named_buffers() if b.is_floating_point() and n not in ours}

    def place(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        kind = torch.float32 if description.single else next(iter(weights.values())).dtype
        laid = {w.parameter: w.as_stored(weights[w.role]).to(kind) for w in description.weights}
        laid |= {name: buffer.to(kind) for name, buffer in constant.items()}
        return {f"network.{name}": tensor for name, tensor in laid.items()}

    points = dict(zip(description.sites, tapped.points, strict=True))
    return HookedModel(tapped, roles=description.roles, sites=points, place=place)


@final
class Unbuilt(Model):
    """Weights without a network: what looks at weights alone applies."""

    def __init__(self, description: NetworkDescription, missing: NoNetwork) -> None:
        self._description, self._missing = description, missing

    @property
    def missing(self) -> NoNetwork:
        return self._missing

    @property
    def roles(self) -> Mapping[str, Role]:
        return {role.name: role for role in self._description.roles}

    @property
    def sites(self) -> frozenset[str]:
        return frozenset(self._description.sites) | {LOGITS}

    def run(
        self, weights: Mapping[str, Tensor], inputs: Tensor, sites: Collection[str], *, hooks: Iterable[Hook] = ()
    ) -> Activations:
        raise self._refused()

    def answers(
        self,
        weights: Mapping[str, Tensor],
        inputs: Tensor,
        sites: Collection[str],
        *,
        channels: Sequence[int] | None = None,
        hooks: Iterable[Hook] = (),
    ) -> Activations:
        raise self._refused()

    def _refused(self) -> BadValue:
        reason = self._missing.reason
        return BadValue(f"The network cannot be run: {reason}.", self._missing.known, self._missing.todo)
