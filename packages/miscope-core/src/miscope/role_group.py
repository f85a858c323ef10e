"""Weights that are trained in their own way: a pattern of their roles, with a rate factor and a weight decay."""

from __future__ import annotations

from typing import Annotated, Any, final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from miscope.field_docs import documented

__all__ = ["FORM", "RoleGroup"]

FORM = "W_E|W_pos:lr_factor=0.1:weight_decay=0, with commas between several"
"""How groups are typed."""


@final
@documented
class RoleGroup(BaseModel):
    """Weights by role, and what differs for them; written 'W_E|W_pos:lr_factor=0.1:weight_decay=0'."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    roles: Annotated[str, Field(min_length=1)]
    """A pattern: 'blocks.*.mlp.*'; bars part several."""
    lr_factor: Annotated[float, Field(ge=0)] = 1.0
    """Of the learning rate at every step; 0 leaves the weights as they are."""
    weight_decay: Annotated[float | None, Field(ge=0)] = None
    """None: the training's own. Weights of `no_decay` have none whatever stands here."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        roles, *settings = value.split(":")
        if not all("=" in setting for setting in settings):
            raise ValueError(f"{value!r} does not read like {FORM}")
        return {"roles": roles, **dict(setting.split("=", 1) for setting in settings)}

    def __str__(self) -> str:
        decay = "" if self.weight_decay is None else f":weight_decay={self.weight_decay:g}"
        return self.roles + (f":lr_factor={self.lr_factor:g}" if self.lr_factor != 1 else "") + decay
