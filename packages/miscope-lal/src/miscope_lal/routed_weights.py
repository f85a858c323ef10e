"""The weights of the routed network: their names, their sizes and how they begin."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import TYPE_CHECKING, final

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Role

__all__ = ["NO_DECAY", "RoutedSizes"]

NO_DECAY = ("W_E.*", "b_*", "*.b_*", "*.ln.*", "*.routing.W_gate*")
"""What weight decay leaves alone: the embedding, biases, norms and the gates."""

_GATE_GAIN = 0.1
_Axes = tuple[str, ...]

_GATE: dict[str, _Axes] = {
    "W_gate_state": ("d_state", "d_gate"),
    "b_gate_state": ("d_gate",),
    "W_gate_resid": ("d_model", "d_gate"),
    "b_gate_resid": ("d_gate",),
    "W_gate": ("d_gate", "head"),
    "b_gate": ("head",),
}
_UPDATE: dict[str, _Axes] = {
    "W_update_state": ("d_state", "d_state"),
    "W_update_resid": ("d_model", "d_state"),
    "b_update": ("d_state",),
}
_HEADS: dict[str, _Axes] = {
    "W_in": ("d_model", "d_mlp"),
    "b_in": ("d_mlp",),
    "W_out": ("d_mlp", "d_model"),
    "b_out": ("head", "d_model"),
}
"""The hidden layers of all heads of a layer lie side by side: the first head's neurons, then the second's."""


@final
@dataclass(frozen=True, kw_only=True)
class RoutedSizes:
    """How large a routed network is."""

    p: int
    """Values of a, of b and of the answer."""
    d_model: int
    """Width of the stream, of the routing state and within a gate; a head's hidden layer is four times as wide."""
    layers: int
    heads: int

    @property
    def roles(self) -> tuple[Role, ...]:
        """Every weight, in the order in which the first ones are drawn."""
        from miscope.model import Role

        d = self.d_model
        sizes = {"a": self.p, "b": self.p, "vocab_out": self.p, "head": self.heads, "d_mlp": 4 * d * self.heads}
        return tuple(
            Role(name=name, axes=axes, shape=tuple(sizes.get(axis, d) for axis in axes))
            for name, axes in self._axes().items()
        )

    def count_parameters(self) -> int:
        """Numbers in all weights together."""
        return sum(prod(role.shape) for role in self.roles)

    def initial_weights(self, seed: int) -> dict[str, Tensor]:
        """As `nn.Linear` and `nn.LayerNorm` begin, and the gates' last layer at a tenth of Xavier's bound, biases 0."""
        generator = torch.Generator().manual_seed(seed)
        weights: dict[str, Tensor] = {}
        for role in self.roles:
            weight = torch.empty(role.shape)
            if ".ln." in role.name or role.name.endswith(".b_gate"):
                weights[role.name] = weight.fill_(1.0 if role.name.endswith(".w") else 0.0)
            else:
                bound = self._bound(role.name)
                weights[role.name] = weight.uniform_(-bound, bound, generator=generator)
        return weights

    def _bound(self, name: str) -> float:
        """`nn.Linear` draws weights and biases alike, uniformly in +- 1 / sqrt(inputs)."""
        part, d = name.rpartition(".")[2], self.d_model
        if part == "W_gate":
            return _GATE_GAIN * sqrt(6 / (d + self.heads))
        if name.startswith("W_E.") or name == "b_E":
            return 1 / sqrt(2 * self.p)
        return 1 / sqrt({"W_out": 4 * d, "b_out": 4 * d}.get(part, 2 * d if "update" in part else d))

    def _axes(self) -> dict[str, _Axes]:
        first: dict[str, _Axes] = {"W_E.a": ("a", "d_model"), "W_E.b": ("b", "d_model"), "b_E": ("d_model",)}
        first |= {"routing.W_begin": ("d_model", "d_state"), "routing.b_begin": ("d_state",)}
        for layer in range(self.layers):
            # Nothing reads the state that the last layer would leave.
            routing = _GATE if layer == self.layers - 1 else _GATE | _UPDATE
            first |= {f"blocks.{layer}.routing.{name}": axes for name, axes in routing.items()}
            first |= {f"blocks.{layer}.mlp.{name}": axes for name, axes in _HEADS.items()}
            first |= {f"blocks.{layer}.ln.{name}": ("d_model",) for name in "wb"}
        return first | {"W_U": ("d_model", "vocab_out"), "b_U": ("vocab_out",)}
