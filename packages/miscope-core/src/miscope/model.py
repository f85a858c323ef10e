"""A network with named sites, whose activations can be recorded, and weights addressed by role."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

from miscope.field_docs import documented
from miscope.patterns import matching

__all__ = [
    "LOGITS",
    "Activations",
    "Hook",
    "HookedModel",
    "Model",
    "NoNetwork",
    "Role",
    "Shortcut",
    "at_answer",
    "at_answers",
    "by_position",
    "cast",
    "matching",
]

LOGITS = "logits"
"""The site of a model's answers: (batch, position, vocabulary)."""

Activations: TypeAlias = "Mapping[str, Tensor]"
Weights: TypeAlias = "Mapping[str, Tensor]"

Hook: TypeAlias = "tuple[str, Callable[[Tensor], Tensor]]"
"""A site and what becomes of its activation: an intervention."""

_QUERY_SITES = ("hook_pattern", "hook_attn_scores")


@final
@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What one weight tensor is for; the name and orientation TransformerLens gives it."""

    name: str
    """'W_E', 'blocks.0.attn.W_Q'."""
    axes: tuple[str, ...]
    """What each axis counts: ('token', 'd_model'); an axis named like a basis can be read in that basis."""
    shape: tuple[int, ...]
    """Size of each axis."""


@final
@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """Exact faster algebra for some sites at the answer position: the hooked module's numbers, to rounding."""

    sites: frozenset[str]
    """Those it can give."""
    run: Callable[[Weights, Tensor, Collection[str], Sequence[int] | None], Activations]
    """(weights, inputs, sites, channels) -> answer-position activations. channels: keep only these of the last axis
    of sites other than 'logits'. Differentiable in the weights."""
    accepts: Callable[[Tensor], bool] = lambda inputs: True
    """Whether it is exact for these inputs; others go through the module."""

    def serves(self, sites: Collection[str], inputs: Tensor, hooks: Collection[Hook]) -> bool:
        """Whether it can answer for the module: all of the sites, these inputs, and nothing replaced on the way."""
        return not hooks and set(sites) <= self.sites and self.accepts(inputs)


@final
@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class NoNetwork:
    """Why a model cannot be run, though its weights are known."""

    reason: str
    """As a clause."""
    known: str
    """As a sentence."""
    todo: str
    """What brings it, as a sentence."""


class Model(ABC):
    """A network one can run on given weights, with its activations recorded or replaced."""

    @property
    def missing(self) -> NoNetwork | None:
        """Why it cannot be run; None where it can."""
        return None

    @property
    @abstractmethod
    def roles(self) -> Mapping[str, Role]:
        """Every weight by role name."""

    @property
    @abstractmethod
    def sites(self) -> frozenset[str]:
        """Every site that can be recorded, 'logits' among them where the model has any."""

    @abstractmethod
    def run(
        self, weights: Weights, inputs: Tensor, sites: Collection[str], *, hooks: Iterable[Hook] = ()
    ) -> Activations:
        """Activations of the sites at all positions, (batch, position, ...); attention (batch, head, query, key).

        Differentiable in the weights where gradients are enabled. Hooks replace activations on the way.
        """

    @abstractmethod
    def answers(
        self,
        weights: Weights,
        inputs: Tensor,
        sites: Collection[str],
        *,
        channels: Sequence[int] | None = None,
        hooks: Iterable[Hook] = (),
    ) -> Activations:
        """Activations at the answer (last) position, (batch, ...); attention (batch, head, key) of the answer's query.

        Takes the model's exact shortcut where it has one. channels: only these entries of the last axis, except of
        logits. Hooks replace activations on the way, of all positions as in `run`.
        """


@final
class HookedModel(Model):
    """Any `nn.Module` whose hook points are known by name: a TransformerLens bridge, a HookedRootModule, your own."""

    def __init__(
        self,
        module: nn.Module,
        *,
        roles: Iterable[Role],
        sites: Mapping[str, nn.Module],
        place: Callable[[Weights], Mapping[str, Tensor]],
        shortcut: Shortcut | None = None,
    ) -> None:
        """
        module: called with the inputs, returns logits (batch, position, vocabulary); switched to evaluation mode.
        sites: hook point by name; each is a module that passes its input on. What the module returns is called
        'logits', or, of a model without logits, as the module itself is called here.
        place: lays role tensors into the module's own parameters, name -> tensor, differentiably. Parameters it does
        not name keep the values they have.
        """
        self._module = module.eval()
        self._roles = {role.name: role for role in roles}
        self._hook_points = {name: point for name, point in sites.items() if point is not module}
        self._place = place
        self._shortcut = shortcut
        self._output = next((name for name, point in sites.items() if point is module), LOGITS)
        # Not the module's own parameters: the weights in force are given at every call.
        for parameter in self._module.parameters():
            parameter.requires_grad_(False)

    @property
    def roles(self) -> Mapping[str, Role]:
        return self._roles

    @property
    def sites(self) -> frozenset[str]:
        return frozenset(self._hook_points) | {self._output}

    @property
    def shortcut(self) -> Shortcut | None:
        return self._shortcut

    @property
    def module(self) -> nn.Module:
        """The network itself, holding whatever weights it was last given; for TransformerLens' own tools."""
        return self._module

    def run(
        self, weights: Weights, inputs: Tensor, sites: Collection[str], *, hooks: Iterable[Hook] = ()
    ) -> Activations:
        from torch.func import functional_call

        placed = dict(self._place(weights))
        with self._recording(sites, hooks) as recorded:
            returned = functional_call(self._module, placed, (inputs,))
        if self._output in sites:
            recorded[self._output] = returned
        return recorded

    def answers(
        self,
        weights: Weights,
        inputs: Tensor,
        sites: Collection[str],
        *,
        channels: Sequence[int] | None = None,
        hooks: Iterable[Hook] = (),
    ) -> Activations:
        changes = tuple(hooks)
        if self._shortcut is not None and self._shortcut.serves(sites, inputs, changes):
            return self._shortcut.run(weights, inputs, sites, channels)
        return at_answers(self.run(weights, inputs, sites, hooks=changes), channels)

    @contextmanager
    def _recording(self, sites: Collection[str], hooks: Iterable[Hook]) -> Iterator[dict[str, Tensor]]:
        recorded: dict[str, Tensor] = {}

        def replace_by(function: Callable[[Tensor], Tensor]) -> Callable[[nn.Module, object, Tensor], Tensor]:
            return lambda module, given, out: _as_computed(module, function(_as_named(module, out)))

        def record_as(name: str) -> Callable[[nn.Module, object, Tensor], None]:
            return lambda module, given, out: recorded.__setitem__(name, _as_named(module, out))

        with ExitStack() as stack:
            for name, function in hooks:
                stack.callback(self._hook_points[name].register_forward_hook(replace_by(function)).remove)
            for name in sites:
                if name != self._output:
                    stack.callback(self._hook_points[name].register_forward_hook(record_as(name)).remove)
            yield recorded


def _as_named(point: nn.Module, activation: Tensor) -> Tensor:
    """The activation in the shape its name promises: a TransformerLens bridge computes heads side by side."""
    conversion = getattr(point, "hook_conversion", None)
    return activation if conversion is None else conversion.convert(activation)


def _as_computed(point: nn.Module, activation: Tensor) -> Tensor:
    conversion = getattr(point, "hook_conversion", None)
    return activation if conversion is None else conversion.revert(activation)


def at_answer(site: str, activation: Tensor) -> Tensor:
    """The activation at the last position; of attention, the last query."""
    return activation[:, :, -1] if site.endswith(_QUERY_SITES) else activation[:, -1]


def by_position(site: str, activation: Tensor) -> Tensor:
    """An activation at all positions as (batch, position, ...); of attention the positions are those of the query."""
    return activation.movedim(2, 1) if site.endswith(_QUERY_SITES) else activation


def at_answers(activations: Activations, channels: Sequence[int] | None = None) -> dict[str, Tensor]:
    """Every activation at the last position; of all but the logits only these channels."""
    last = {name: at_answer(name, tensor) for name, tensor in activations.items()}
    if channels is None:
        return last
    return {name: tensor if name == LOGITS else tensor[..., list(channels)] for name, tensor in last.items()}


def cast(weights: Weights, dtype: torch.dtype) -> dict[str, Tensor]:
    """The weights in another precision."""
    return {name: tensor.to(dtype) for name, tensor in weights.items()}
