"""An analysis as one asks for it: names and numbers only, so that it can be stored, sent and read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, final

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from miscope.field_docs import documented

__all__ = ["AnalyzeRequest"]


@final
@documented
class AnalyzeRequest(BaseModel):
    """Variants to analyze, and by what: JSON and back without loss; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    kind: Literal["analyze"] = "analyze"
    """Which request it is, where one is read back."""
    variants: Annotated[tuple[str, ...], Field(min_length=1)]
    """Their names: 'modadd.transformer/p113-seed999-dseed598'."""
    analyzers: tuple[str, ...] | None = None
    """Names; None for all that apply and do not take long."""
    steps: tuple[int, ...] | str | None = None
    """The checkpoints to analyze, or a schedule of them ('every:1000'); None for all."""
    executor: str = "inline"
    """Where it runs: 'inline', 'processes', or a plug-in's."""
    force: bool = False
    """Compute the named ones again though they exist."""
    options: Mapping[str, Mapping[str, JsonValue]] = {}
    """Values by option, by analyzer."""
    group: str | None = None
    """The study that it is a run of; None where it stands alone."""
