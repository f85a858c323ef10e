"""What distinguishes one transformer of modular arithmetic from another."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from miscope.errors import BadValue
from miscope_lal.params import ArithmeticParams

__all__ = ["RoutedTransformerParams", "TransformerParams"]


class TransformerParams(ArithmeticParams):
    """And attention heads, which share the width."""

    n_layers: Annotated[int, Field(ge=1, le=64, json_schema_extra={"slug": "L"})] = 2
    """Blocks."""
    n_heads: Annotated[int, Field(ge=1, le=256, json_schema_extra={"slug": "heads"})] = 4
    """Attention heads of a block; they divide hidden_dim."""
    tie_embeddings: Annotated[bool | None, Field(json_schema_extra={"slug": "tied"})] = None
    """Whether the logits are products with the embeddings of the numbers, without a matrix and biases of their own."""

    @field_validator("tie_embeddings")
    @classmethod
    def _no_is_nothing(cls, value: bool | None) -> bool | None:
        """So that the name of a variant says it only where it is so."""
        return value or None

    @model_validator(mode="after")
    def _share_the_width(self) -> Self:
        width, heads = self.hidden_dim, self.n_heads
        if width % heads:
            below = width - width % heads
            near = [f"hidden_dim={multiple}" for multiple in (below, below + heads) if multiple]
            raise BadValue(
                f"hidden_dim={width} is not divided by n_heads={heads}.",
                f"Every attention head has hidden_dim / n_heads dimensions; {width} leaves {width % heads}.",
                f"Choose {' or '.join(near)}, or another number of heads.",
            )
        return self


class RoutedTransformerParams(TransformerParams):
    """And MLPs of a block, blended at every position."""

    n_ffn_heads: Annotated[int | None, Field(ge=1, le=64, json_schema_extra={"slug": "ffn"})] = None
    """MLPs of a block that a gate blends; None: as many as attention heads."""
