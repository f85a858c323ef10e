"""What a variant is built on: the activations of another variant, at one of its steps and sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from miscope.field_docs import documented

__all__ = ["Source"]


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Source:
    """One checkpoint of another variant in the same workspace, and where in its network."""

    variant: str
    """Its name: 'modadd.transformer/p113-seed999-dseed598'."""
    step: int
    """Of the checkpoint."""
    site: str
    """'blocks.0.mlp.hook_post'."""

    def __str__(self) -> str:
        return f"{self.site} of {self.variant} at step {self.step}"
