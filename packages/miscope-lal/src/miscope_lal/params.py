"""What distinguishes one model of modular arithmetic from another: modulus, operation, sizes and seeds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from miscope import Params
from miscope.errors import BadValue
from miscope_lal.residues import is_prime

__all__ = ["ArithmeticParams", "Operation", "PairParams"]

Operation = Literal["add", "multiply", "subtract", "divide", "both"]

_LARGEST = 997
"""The probe holds every pair; beyond this it no longer fits in memory with its activations."""


class ArithmeticParams(Params):
    """A modulus, an operation, a width and a depth, and a seed each for the weights and for the split."""

    prime: Annotated[int, Field(ge=2, le=_LARGEST, json_schema_extra={"slug": "p"})] = 113
    """The modulus: numbers are 0 to prime - 1. A prime, unless `any_modulus` is true."""
    any_modulus: Annotated[bool, Field(validate_default=True, json_schema_extra={"in_name": False})] = False
    """Whether the modulus may be no prime; then a product has no logarithms, and nothing can be divided."""
    operation: Annotated[Operation, Field(json_schema_extra={"slug": ""})] = "add"
    """'add', 'multiply', 'subtract', 'divide' (by all but 0), or 'both': sums and products in one data set."""
    hidden_dim: Annotated[int, Field(ge=1, le=4096, json_schema_extra={"slug": "h"})] = 128
    """Width of the hidden layers, or of the residual stream."""
    n_layers: Annotated[int, Field(ge=1, le=64, json_schema_extra={"slug": "L"})] = 4
    """Hidden layers, or blocks."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 42
    """Of the first weights."""
    data_seed: Annotated[int, Field(ge=0, lt=2**63, json_schema_extra={"slug": "dseed"})] = 42
    """Of the split into train and test."""

    @field_validator("any_modulus")
    @classmethod
    def _means_something(cls, value: bool, info: ValidationInfo) -> bool:
        """A prime needs no leave, so that with and without it the variant is the same."""
        prime = info.data.get("prime")
        if prime is None or is_prime(prime):
            return False
        if value:
            return True
        factor = next(d for d in range(2, prime) if prime % d == 0)
        raise BadValue(
            f"prime={prime} is not a prime number.",
            f"{prime} = {factor} × {prime // factor}.",
            "Choose a prime, or say any_modulus=true.",
        )

    @model_validator(mode="after")
    def _can_be_divided(self) -> Self:
        if self.any_modulus and self.operation == "divide":
            raise BadValue(
                f"Division modulo {self.prime} has no answer for some pairs.",
                f"{self.prime} is no prime, so not every number but 0 has an inverse.",
                "Choose a prime, or another operation.",
            )
        return self


class PairParams(ArithmeticParams):
    """Of a network that is shown a and b, and not which operation is meant."""

    operation: Annotated[  # pyright: ignore[reportIncompatibleVariableOverride]
        Literal["add", "multiply", "subtract", "divide"], Field(json_schema_extra={"slug": ""})
    ] = "add"
    """'add', 'multiply', 'subtract', or 'divide' (by all but 0)."""
