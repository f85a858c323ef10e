"""What the transformers have in common: questions as tokens, the network, and the exact algebra of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from miscope import Basis
from miscope_lal import arithmetic
from miscope_lal.arithmetic import Questions
from miscope_lal.arithmetic_family import ArithmeticFamily

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model
    from miscope.task import Forward

__all__ = ["NO_DECAY", "TokenFamily"]

NO_DECAY = ("W_E", "W_pos", "*.ln1.*", "*.ln2.*", "ln_final.*", "b_U|*.b_*")
"""Embeddings, norms and biases: what weight decay leaves alone."""


class TokenFamily(ArithmeticFamily):
    """A causal transformer on [a, operation, b, =], with the answer at '='."""

    fixed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **ArithmeticFamily.fixed,
        "positions": ("standard", "learned", "absolute"),
        "attention": ("causal",),
    }

    def model(self, params: Any) -> Model:
        from miscope_lal.transformer_network import architecture_of, build_model

        return build_model(architecture_of(params))

    def encoded(self, asked: Questions) -> Tensor:
        return arithmetic.tokens(asked)

    def initial_weights(self, params: Any) -> dict[str, Tensor]:
        from miscope_lal.transformer_architecture import initial_weights
        from miscope_lal.transformer_network import architecture_of

        return initial_weights(architecture_of(params), params.seed)

    def logits(self, params: Any) -> Forward:
        from miscope_lal.transformer_network import exact_logits

        return partial(exact_logits, self.model(params))

    def bases(self, params: Any) -> Mapping[str, Basis]:
        known = super().bases(params)
        # Where it divides, b is known by its column 'divisor'; no weight has it as an axis.
        return {name: basis for name, basis in known.items() if name != "b" or params.operation != "divide"}
