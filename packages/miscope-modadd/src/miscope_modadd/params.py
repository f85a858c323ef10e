"""What distinguishes one modular-addition model from another: the modulus and the seeds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from miscope import MiscopeError, Params
from miscope.errors import BadValue

__all__ = ["ModAddParams", "PaperParams", "is_prime"]

LARGEST_PRIME = 997
"""The probe holds every pair; beyond this it no longer fits in memory with its activations."""


class PaperParams(Params):
    """A prime modulus and one seed for weights and split."""

    prime: Annotated[int, Field(json_schema_extra={"slug": "p"})] = 113
    """The modulus: numbers are 0 to prime - 1."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Of the first weights and of the split."""

    @field_validator("prime")
    @classmethod
    def _prime(cls, value: int) -> int:
        if is_prime(value) and value <= LARGEST_PRIME:
            return value
        raise _not_a_prime(value)


class ModAddParams(PaperParams):
    """A prime modulus, a seed for the weights, and one for the split into train and test."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 999
    """Of the first weights."""
    data_seed: Annotated[int, Field(ge=0, lt=2**63, json_schema_extra={"slug": "dseed"})] = 598
    """Of the split into train and test."""


def is_prime(n: int) -> bool:
    """Whether n is a prime number."""
    return n >= 2 and all(n % d for d in range(2, int(n**0.5) + 1))


def _not_a_prime(value: int) -> MiscopeError:
    if value > LARGEST_PRIME:
        problem = f"The probe holds all {value}² pairs; primes up to {LARGEST_PRIME} are supported."
        return BadValue(
            f"prime={value} is too large.", problem, "The largest supported is prime=997; the paper's is 113."
        )
    factor = next((d for d in range(2, value) if value % d == 0), None)
    problem = f"{value} = {factor} × {value // factor}." if factor else "The smallest prime is 2."
    near = sorted(sorted((n for n in range(2, LARGEST_PRIME + 1) if is_prime(n)), key=lambda n: abs(n - value))[:2])
    return BadValue(
        f"prime={value} is not a prime number.", problem, f"The nearest primes are {near[0]} and {near[1]}."
    )
