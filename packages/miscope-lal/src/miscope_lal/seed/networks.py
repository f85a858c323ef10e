"""The seed's networks as modules of PyTorch, each a family's own network with weights that can be trained by hand."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from miscope import Family
from miscope.errors import BadValue, UnknownName
from miscope.model import LOGITS
from miscope.validation import invalid_fields
from miscope_lal import arithmetic
from miscope_lal.arithmetic_family import ArithmeticFamily
from miscope_lal.mlp import MlpFamily
from miscope_lal.routed import RoutedFamily
from miscope_lal.routed_transformer import RoutedTransformerFamily
from miscope_lal.routing_measures import entropies
from miscope_lal.transformer import TransformerFamily

__all__ = ["BaselineMLP", "GrokTransformer", "Network", "RoutedGrokTransformer", "RoutedNetwork", "RoutingMetrics"]
__all__ += ["SingleHeadNetwork", "create_model"]

_EMBED, _POSITION = "hook_embed", "hook_pos_embed"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class RoutingMetrics:
    """How a batch was routed."""

    layer_weights: tuple[Tensor, ...]
    """(n, head) on the simplex, of each layer; differentiable."""
    routing_entropy: float
    """Mean over layers and inputs, nats."""
    head_utilization: Tensor
    """(head,) mean weight over layers and inputs."""


class Network(nn.Module):
    """A family's network. The first weights are drawn with `seed`, or from PyTorch's own generator without one."""

    family: ClassVar[ArithmeticFamily]
    _representation: ClassVar[str]
    """The site that the output layer reads."""

    def __init__(
        self, input_dim: int, hidden_dim: int, output_dim: int, n_layers: int, *, seed: int | None = None, **sizes: Any
    ) -> None:
        """input_dim: 2 p, or p and the tokens of the operation and of '='. output_dim: p, a prime or not."""
        super().__init__()
        drawn = int(torch.randint(2**62, ())) if seed is None else seed
        values = {"prime": output_dim, "any_modulus": True, "hidden_dim": hidden_dim, "n_layers": n_layers}
        values |= {"seed": drawn, "operation": self._operation(input_dim, output_dim), **sizes}
        self.params: Any = _params(self.family, values)
        self.model = self.family.model(self.params)
        self._exact = self.family.logits(self.params)
        first = self.family.initial_weights(self.params)
        self.weights = nn.ParameterDict({_key(role): nn.Parameter(tensor) for role, tensor in first.items()})

    @abstractmethod
    def _operation(self, input_dim: int, output_dim: int) -> str:
        """Of a network with this input; BadValue where there is none."""

    @property
    def by_role(self) -> dict[str, Tensor]:
        """The weights by the names that checkpoints have."""
        return {role: self.weights[_key(role)] for role in self.model.roles}

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of a checkpoint, by role."""
        with torch.no_grad():
            for role, own in self.by_role.items():
                own.copy_(weights[role])

    def logits(self, inputs: Tensor) -> Tensor:
        """(n, output_dim): of every network, whether it routes or not."""
        return self._exact(self.by_role, inputs)

    def forward(self, inputs: Tensor) -> Any:
        """The logits."""
        return self.logits(inputs)

    def get_representation(self, inputs: Tensor) -> Tensor:
        """(n, hidden_dim) that the output layer reads."""
        site = self._representation.format(self.params.n_layers - 1)
        return self.model.answers(self.by_role, inputs, [site])[site]

    def count_parameters(self) -> int:
        """Numbers in all weights together."""
        return sum(weight.numel() for weight in self.parameters())

    def questions(self) -> Tensor:
        """All inputs there are, in row-major order of the pairs."""
        return self.family.encoded(arithmetic.questions(self.params))


class _Pairs(Network):
    def _operation(self, input_dim: int, output_dim: int) -> str:
        if input_dim != 2 * output_dim:
            raise BadValue(
                f"input_dim={input_dim} is not twice output_dim={output_dim}.",
                "Its input is a and b, each as one of output_dim.",
                f"Say input_dim={2 * output_dim}.",
            )
        return "add"


class _Routing(Network):
    def forward(self, inputs: Tensor) -> tuple[Tensor, RoutingMetrics]:
        """Logits, and how they were routed."""
        sites = self.family.routing_sites(self.params)
        seen = self.model.answers(self.by_role, inputs, [LOGITS, *sites])
        layers = tuple(seen[site] for site in sites)
        together = torch.stack(layers).detach().double().cpu()
        return seen[LOGITS], RoutingMetrics(
            layer_weights=layers,
            routing_entropy=float(entropies(together.numpy()).mean()),
            head_utilization=together.mean((0, 1)),
        )


class _Tokens(Network):
    _representation = "ln_final.hook_normalized"

    def _operation(self, input_dim: int, output_dim: int) -> str:
        kinds = {output_dim + 2: "add", output_dim + 3: "both"}
        if input_dim not in kinds:
            raise BadValue(
                f"input_dim={input_dim} is not the number of tokens for output_dim={output_dim}.",
                "Tokens are the numbers, the operation (or both of two) and '='.",
                f"Say input_dim={output_dim + 2}, or {output_dim + 3} for two operations.",
            )
        return kinds[input_dim]

    def logits(self, inputs: Tensor) -> Tensor:
        """(n, output_dim) of tokens (n, 4), or of what `get_embeddings` gave of them."""
        return self.forward_from_embeddings(inputs) if inputs.is_floating_point() else super().logits(inputs)

    def get_embeddings(self, tokens: Tensor) -> Tensor:
        """(n, 4, hidden_dim): token and position together."""
        seen = self.model.run(self.by_role, tokens, [_EMBED, _POSITION])
        return seen[_EMBED] + seen[_POSITION]

    def forward_from_embeddings(self, embeddings: Tensor) -> Tensor:
        """The logits (n, output_dim) of embeddings, whatever tokens they are of."""
        tokens = torch.zeros(embeddings.shape[:2], dtype=torch.int64, device=embeddings.device)
        hooks = [(_EMBED, lambda _: embeddings), (_POSITION, torch.zeros_like)]
        return self.model.run(self.by_role, tokens, [LOGITS], hooks=hooks)[LOGITS][:, -1]


@final
class BaselineMLP(_Pairs):
    """`lal.mlp`."""

    family = MlpFamily()
    _representation = "blocks.{}.mlp.hook_post"


@final
class RoutedNetwork(_Routing, _Pairs):
    """`lal.routed`; a call gives the logits and RoutingMetrics."""

    family = RoutedFamily()
    _representation = "blocks.{}.hook_resid_post"


@final
class SingleHeadNetwork(_Routing, _Pairs):
    """`lal.routed` with one head, so that nothing is routed."""

    family = RoutedFamily()
    _representation = "blocks.{}.hook_resid_post"

    def __init__(self, *dims: int, **sizes: Any) -> None:
        super().__init__(*dims, **{**sizes, "n_heads": 1})


@final
class GrokTransformer(_Tokens):
    """`lal.transformer`."""

    family = TransformerFamily()


@final
class RoutedGrokTransformer(_Routing, _Tokens):
    """`lal.routed-transformer`; a call gives the logits and RoutingMetrics of the answer's position."""

    family = RoutedTransformerFamily()


def create_model(  # noqa: PLR0913 - as configurations say them
    model_type: str, input_dim: int, hidden_dim: int, output_dim: int, n_layers: int, *, n_heads: int = 4, **sizes: Any
) -> Network:
    """The network of a `model_type`; sizes: `seed`, of transformers `tie_embeddings` and `n_ffn_heads`.

    Raises UnknownName for another type, BadValue for sizes that do not go together.
    """
    kinds: Mapping[str, type[Network]] = {
        "baseline": BaselineMLP,
        "routed": RoutedNetwork,
        "single_head": SingleHeadNetwork,
        "transformer": GrokTransformer,
        "routed_transformer": RoutedGrokTransformer,
    }
    if model_type not in kinds:
        raise UnknownName("model type", model_type, list(kinds), listing=f"There are: {', '.join(kinds)}.")
    heads = {} if model_type == "baseline" else {"n_heads": n_heads}
    return kinds[model_type](input_dim, hidden_dim, output_dim, n_layers, **heads, **sizes)


def _key(role: str) -> str:
    """As a parameter's name, which holds no dot."""
    return role.replace(".", "/")


def _params(family: Family, values: Mapping[str, Any]) -> Any:
    try:
        return family.params.model_validate(dict(values))
    except ValidationError as error:
        refused: BadValue = invalid_fields(error, family.name, family.params)
        raise refused from None
