"""What /api/v1/openapi.json says beyond the routes themselves: every way in which any of them may refuse, and names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from miscope_panel.http.idempotency import PARAMETER
from miscope_panel.http.problem import Problem

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.routing import APIRoute

__all__ = ["TAGS", "describe", "operation_name"]

TAGS = [
    {"name": "workspace", "description": "What is there: variants, views, figures, what is installed."},
    {"name": "families", "description": "What can be trained, with JSON schemas."},
    {"name": "trainings", "description": "Trainings: asked for, followed, stopped, resumed, and what they left."},
    {"name": "runs", "description": "The same for every run in the queue, analyses too."},
    {"name": "studies", "description": "Trainings and analyses that belong together."},
    {"name": "templates", "description": "Studies that are kept to start from."},
    {"name": "events", "description": "What happens to runs, as it happens."},
]

_ANY: Mapping[int, str] = {
    400: "The host's name is another's, or the body is no JSON.",
    401: "The server wants its token.",
    403: "It comes from a page of another origin, or this server only shows.",
    404: "There is no such run, variant, name or path.",
    409: "What is there does not allow it: a run's state, a damaged file, who is at work, another use of the key.",
    414: "The address is too long.",
    422: "A value is refused; `fields` says which.",
    429: "There were too many requests; `retry-after` says for how many seconds to wait.",
    500: "The server failed: a fault of miscope.",
}
_WRITING: Mapping[int, str] = {
    413: "The body is too long.",
    415: "The body is no JSON by its content type.",
    507: "The disk is full, or cannot be written.",
}
_READS = ("get", "head")


def operation_name(route: APIRoute) -> str:
    """Of a method in a client that is made from the description: 'trainings_stop'."""
    return "_".join([*(str(tag) for tag in route.tags[:1]), route.name])


def describe(app: FastAPI) -> None:
    """Have the application describe itself so."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = described


def _described(app: FastAPI) -> dict[str, Any]:
    whole = get_openapi(
        title="miscope",
        version=app.version,
        summary="Trainings, analyses and figures of a workspace.",
        description="Every refusal has one body, `Problem`. A number that is not finite is null.",
        routes=app.routes,
        tags=TAGS,
    )
    components = whole.setdefault("components", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components.setdefault("schemas", {}).update({**schema.pop("$defs", {}), "Problem": schema})
    components["responses"] = {f"Refused{status}": _refusal(text) for status, text in {**_ANY, **_WRITING}.items()}
    for schema in components["schemas"].values():
        if "examples" in schema:
            schema["examples"] = [_with_nulls(each, schema, components["schemas"]) for each in schema["examples"]]
    for method, operation in _operations(whole):
        if method == "post":
            operation.setdefault("parameters", []).append(PARAMETER)
        refusals = _ANY if method in _READS else {**_ANY, **_WRITING}
        answers = operation["responses"]
        for status in refusals:
            answers.setdefault(str(status), {"$ref": f"#/components/responses/Refused{status}"})
    return whole


def _with_nulls(example: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """The example with the nulls that it was written with: FastAPI leaves out every null of the whole page."""
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    for each in schema.get("anyOf", []):
        if "$ref" in each and isinstance(example, dict):
            return _with_nulls(example, each, schemas)
    if isinstance(example, list):
        return [_with_nulls(each, schema.get("items", {}), schemas) for each in example]
    if not isinstance(example, dict):
        return example
    fields, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    others = others if isinstance(others, dict) else {}
    absent = {name: None for name in schema.get("required", ()) if name not in example}
    return absent | {name: _with_nulls(each, fields.get(name, others), schemas) for name, each in example.items()}


def _refusal(text: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": text, "content": content}


def _operations(whole: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for verbs in whole["paths"].values():
        yield from verbs.items()
