"""What is answered of a workspace: pydantic models, so that OpenAPI says what to expect."""

from __future__ import annotations

from typing import Any, Literal, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.figures.availability import State as Presence
from miscope.store.origin import Origin
from miscope_panel.rest.exampled import exampled
from miscope_panel.shown.picture import State

__all__ = [
    "Availability",
    "BrokenPlugin",
    "FigureSeen",
    "Health",
    "InstrumentAvailability",
    "PluginSeen",
    "PluginsSeen",
    "VariantSeen",
    "ViewAvailability",
    "ViewSeen",
]

_VARIANT = "modadd.transformer/p113-seed1-dseed598"


@final
class Health(BaseModel):
    """That a server is there."""

    model_config = exampled(status="ok", version="0.1.0", api=1, workspace="/data/grokking")

    status: Literal["ok"] = "ok"
    version: str = Field(description="Of miscope.")
    api: Literal[1] = Field(default=1, description="Version of these paths and bodies.")
    workspace: str = Field(description="The folder that it shows.")


@final
class VariantSeen(BaseModel):
    """A variant that is stored."""

    model_config = exampled(
        name=_VARIANT,
        family="modadd.transformer",
        installed=True,
        params={"prime": 113, "seed": 1},
        training={"weight_decay": 0.5},
        origin="trained here",
        checkpoints=120,
        last_step=25000,
        problem=None,
    )

    name: str
    family: str
    installed: bool = Field(description="Whether its family is.")
    params: dict[str, Any] | None = Field(description="Null where its record cannot be read.")
    training: dict[str, Any] | None = Field(
        description="Fields of its training that are not as the family has them; null where it cannot be opened."
    )
    origin: Origin | None = Field(description="Where its weights come from.")
    checkpoints: int
    last_step: int | None
    problem: str | None = Field(description="Why it cannot be opened.")


@final
class ViewSeen(BaseModel):
    """A view that is installed."""

    model_config = exampled(
        name="learning.losses",
        title="Losses",
        summary="Loss of every step.",
        grain="trajectory",
        reads=[],
        controls=["scale"],
        package="miscope-views 0.1.0",
    )

    name: str
    title: str
    summary: str
    grain: str
    reads: list[str] = Field(description="Instruments whose artifacts it draws.")
    controls: list[str] = Field(description="Parameters of `figure` and `export` that it takes.")
    package: str


@final
class PluginSeen(BaseModel):
    """A plug-in, and what it provides."""

    plugin: str
    package: str
    version: str
    provides: list[str]


@final
class BrokenPlugin(BaseModel):
    """What of a plug-in could not be loaded, and why."""

    plugin: str
    package: str
    version: str
    record: str
    reason: str


@final
class PluginsSeen(BaseModel):
    """What is installed."""

    model_config = exampled(
        hook_api=1,
        plugins=[
            {
                "plugin": "views",
                "package": "miscope-views",
                "version": "0.1.0",
                "provides": ["view learning.losses"],
            }
        ],
        broken=[],
    )

    hook_api: int = Field(description="Version of the hooks.")
    plugins: list[PluginSeen]
    broken: list[BrokenPlugin]


@final
class InstrumentAvailability(BaseModel):
    """What there is of one instrument."""

    present: bool
    steps: list[int]
    state: Presence
    reason: str | None


@final
class ViewAvailability(BaseModel):
    """Whether a view has something to show."""

    state: State
    reason: str | None


@final
class Availability(BaseModel):
    """Of a variant: the steps of each artifact, and which views have something to show."""

    model_config = exampled(
        variant=_VARIANT,
        artifacts={"parameters.norms": {"present": True, "steps": [0, 100], "state": "there", "reason": None}},
        views={"learning.losses": {"state": "figure", "reason": None}},
    )

    variant: str
    artifacts: dict[str, InstrumentAvailability]
    views: dict[str, ViewAvailability]


@final
class FigureSeen(BaseModel):
    """A figure as Plotly has it."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"examples": [{"data": [{"type": "scatter", "x": [0, 100], "y": [4.7, 3.1]}], "layout": {}}]},
    )

    data: list[dict[str, Any]]
    layout: dict[str, Any]
