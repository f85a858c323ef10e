"""What /api/v1/openapi.json says of every route: a name for a client's method, what to send, what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from miscope_panel.http.problem import PREFIX


@pytest.fixture
def page(asked_in) -> dict[str, Any]:
    return asked_in().get("openapi.json").json()


def operations(page: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, verbs in page["paths"].items():
        for method, operation in verbs.items():
            yield f"{method.upper()} {path.removeprefix(PREFIX)}", operation


def schemas(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the body and of every answer that is JSON; with the example beside it."""
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    for said in [*bodies, *answers]:
        if "application/json" in said.get("content", {}):
            yield said["content"]["application/json"]


def examples(content: dict[str, Any], page: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each example with the schema that it is one of."""
    schema = content.get("schema", {})
    for example in [content["example"]] if "example" in content else schema.get("examples", []):
        yield example, schema
    for each in [schema, *schema.get("anyOf", [])]:
        if "$ref" in each:
            named = page["components"]["schemas"][each["$ref"].rpartition("/")[2]]
            for example in named.get("examples", []):
                yield example, each
    if "items" in schema:
        yield from examples({"schema": schema["items"]}, page)


def test_every_operation_says_in_a_line_and_in_sentences_what_it_does_and_has_a_name_of_its_own(page):
    all_of = dict(operations(page))
    assert [name for name, one in all_of.items() if not (one.get("summary") and one.get("description"))] == []
    names = [one["operationId"] for one in all_of.values()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.islower() for name in names)
    assert {"trainings_create", "trainings_stop", "templates_favorite", "studies_create", "runs_log"} <= set(names)
    known = {tag["name"] for tag in page["tags"]}
    assert all(len(one["tags"]) == 1 and one["tags"][0] in known for one in all_of.values())


def test_every_body_and_every_answer_in_json_has_an_example_which_is_one(page):
    whole = json.dumps(page["components"])
    for name, operation in operations(page):
        for content in schemas(operation):
            found = list(examples(content, page))
            assert found, f"{name} has no example of {content}"
            for example, schema in found:
                jsonschema_rs.validate({**schema, "components": json.loads(whole)}, example)


def test_every_parameter_says_what_it_is(page):
    silent = [
        (name, parameter["name"])
        for name, operation in operations(page)
        for parameter in operation.get("parameters", [])
        if not (parameter.get("description") or parameter["schema"].get("description"))
    ]
    assert silent == []


def test_every_operation_says_how_it_may_refuse_in_the_one_body(page):
    for name, operation in operations(page):
        refusals = {"400", "401", "403", "404", "409", "414", "422", "429", "500"}
        assert refusals <= set(operation["responses"]), name
        assert ("413" in operation["responses"]) == (not name.startswith("GET ")), name
    for answer in page["components"]["responses"].values():
        assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
