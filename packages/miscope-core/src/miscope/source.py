"""What a variant is built on: another variant's activations at one of its steps and sites, or its weights there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from miscope.field_docs import documented

__all__ = ["Source"]


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Source:
    """One checkpoint of another variant in the same workspace, and where in its network.

    One without a site is for its weights alone: the family is given it like the others, instruments are not shown it.
    """

    variant: str
    """Its name: 'modadd.transformer/p113-seed999-dseed598'."""
    step: int
    """Of the checkpoint."""
    site: str = ""
    """'blocks.0.mlp.hook_post'; '' where its weights alone are wanted."""

    def __str__(self) -> str:
        return f"{self.site or 'weights'} of {self.variant} at step {self.step}"
