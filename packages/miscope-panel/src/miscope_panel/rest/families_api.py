"""Families over HTTP: what can be trained, with a JSON schema of what each is asked with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, final

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from miscope.field_docs import field_docs
from miscope.jsonable import jsonable
from miscope_panel.http.problem import PREFIX, PROBLEMS
from miscope_panel.rest.run_answers import answered

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.plugins.plugins import Plugins

__all__ = ["Families", "FamilySeen", "families_router"]


FamilyName = Annotated[str, Path(description="The family's name.", examples=["modadd.transformer"])]

_FAMILY: dict[str, Any] = {
    "name": "modadd.transformer",
    "title": "Modular addition by a one-layer transformer",
    "step_label": "epoch",
    "package": "miscope-modadd",
    "package_version": "0.1.0",
    "params": {"type": "object", "properties": {"prime": {"type": "integer", "default": 113}}},
    "training": {"type": "object", "properties": {"steps": {"type": "integer", "default": 25000}}},
}


@final
class FamilySeen(BaseModel):
    """A kind of model that is installed."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FAMILY]})

    name: str = Field(examples=["modadd.transformer"])
    title: str
    step_label: str = Field(description="What a step is called on axes.")
    package: str
    package_version: str
    params: dict[str, Any] = Field(description="JSON schema of `params` of a training that is asked for.")
    training: dict[str, Any] | None = Field(
        description="The same of `training`, with the family's own defaults; null where it is trained elsewhere."
    )


@final
class Families(BaseModel):
    """Every family that is installed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"families": [_FAMILY]}]})

    families: list[FamilySeen]


def families_router(plugins: Plugins) -> APIRouter:
    """The routes over what is installed."""
    routes = APIRouter(prefix=f"{PREFIX}/families", tags=["families"], responses={**PROBLEMS})

    @routes.get("", response_model=Families)
    def families() -> Response:
        """Every family, by name."""
        seen = [_seen(plugins, family) for _, family in sorted(plugins.families.items())]
        return answered(Families(families=seen))

    @routes.get("/{name}", response_model=FamilySeen)
    def family(name: FamilyName) -> Response:
        """One family."""
        return answered(_seen(plugins, plugins.family(name)))

    return routes


def _seen(plugins: Plugins, family: Family) -> FamilySeen:
    provider = plugins.provided_by["family", family.name]
    return FamilySeen(
        name=family.name,
        title=family.title,
        step_label=family.step_label,
        package=provider.package,
        package_version=provider.version,
        params=_schema(family.params, {}),
        training=_training(family),
    )


def _training(family: Family) -> dict[str, Any] | None:
    """Of its training; its defaults are the family's where these do not hang on a parameter that has no default."""
    try:
        default = family.training(family.params())
    except ValidationError:
        return _schema(family.training_config, {})
    return None if default is None else _schema(type(default), default.model_dump(mode="json"))


def _schema(model: type[BaseModel], defaults: dict[str, Any]) -> dict[str, Any]:
    """JSON schema of the fields, each with what is written under it in the source."""
    schema, docs = model.model_json_schema(), field_docs(model)
    for name, field in schema.get("properties", {}).items():
        if name in docs:
            field.setdefault("description", docs[name])
        if name in defaults:
            field["default"] = defaults[name]
    told = jsonable(schema)
    assert isinstance(told, dict)
    return told
