"""What is kept beside a variant whose network is anybody's module: its weights, its sites, its probe. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from miscope.basis import Basis
from miscope.model import Role
from miscope.probe import Probe
from miscope.recipe import digest

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Build", "Description", "ModuleWeight", "NetworkDescription"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleWeight:
    """A parameter or buffer of a module, and the weight it is: reshaped to `view`, its axes then put in `order`."""

    parameter: str
    """The module's name for it: 'fc1.weight'."""
    role: str
    axes: tuple[str, ...]
    stored: tuple[int, ...]
    """Its shape in the module."""
    view: tuple[int, ...]
    order: tuple[int, ...]
    buffer: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weight."""
        return tuple(self.view[axis] for axis in self.order)

    def as_role(self, tensor: Tensor) -> Tensor:
        """The module's tensor as the weight."""
        return tensor.reshape(self.view).permute(self.order)

    def as_stored(self, weight: Tensor) -> Tensor:
        """The weight as the module's tensor."""
        back = sorted(range(len(self.order)), key=self.order.__getitem__)
        return weight.permute(back).reshape(self.stored)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A function that makes the network anew wherever its module can be imported."""

    target: str
    """'package.module:function'; the function returns an nn.Module, and says so; or a class of them."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Its keyword arguments, as JSON can hold them."""


@final
@dataclass(frozen=True, kw_only=True)
class NetworkDescription:
    """A module as far as it can be said in plain values."""

    kind: str
    """'package.module.Class', for the reader."""
    weights: tuple[ModuleWeight, ...]
    sites: Mapping[str, str]
    """Site -> name of the module whose output it is."""
    single: bool = False
    """Whether it runs in float32 only."""
    build: Build | None = None

    @property
    def roles(self) -> tuple[Role, ...]:
        return tuple(Role(name=w.role, axes=w.axes, shape=w.shape) for w in self.weights)

    def as_facts(self) -> dict[str, Any]:
        """Plain values, as a variant's record keeps them."""
        facts = {"kind": self.kind, "single": self.single, "sites": dict(self.sites), "weights": self._layout()}
        return facts | ({"build": self.build.target, "options": dict(self.build.options)} if self.build else {})

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> NetworkDescription:
        """Raises LookupError, TypeError or ValueError for what is no such record."""
        build = Build(target=str(facts["build"]), options=dict(facts["options"])) if "build" in facts else None
        laid: list[dict[str, Any]] = [
            {name: tuple(value) if isinstance(value, list) else value for name, value in each.items()}
            for each in facts["weights"]
        ]
        return cls(
            kind=str(facts["kind"]),
            weights=tuple(ModuleWeight(**each) for each in laid),
            sites=dict(facts["sites"]),
            single=bool(facts["single"]),
            build=build,
        )

    def _layout(self) -> list[dict[str, Any]]:
        names = ModuleWeight.__slots__
        values = ({name: getattr(weight, name) for name in names} for weight in self.weights)
        return [{k: list(v) if isinstance(v, tuple) else v for k, v in each.items()} for each in values]

    @cached_property
    def digest(self) -> str:
        """Of what its activations and weights are called, and how they lie; not of how it is built."""
        return digest([self._layout(), dict(self.sites)])


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Description:
    """One variant's network, its probe, and what is known of the task."""

    network: NetworkDescription
    probe: Probe
    bases: Mapping[str, Basis] = field(default_factory=dict)
    output: np.ndarray | None = None
    """Its answers to the first inputs on set weights: another network than the one described gives others."""
    resumed: tuple[int, ...] = ()
    """Steps from which the run was recorded anew."""
    module: nn.Module | None = None
    """The network itself, in the process that has it."""

    @cached_property
    def contents(self) -> str:
        """A digest of network, probe and bases: what variants of one name must share."""
        bases = {
            axis: [basis.name, basis.unit, basis.rows.tolist(), [[b.label, b.rows] for b in basis.blocks]]
            for axis, basis in self.bases.items()
        }
        return digest([self.network.digest, self.probe.digest, bases])
