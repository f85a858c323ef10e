"""Every route that OpenAPI lists, and so each that is to come: what it must refuse it refuses, in the one body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from miscope_panel.http.bounded_body import MOST
from miscope_panel.http.problem import CHANGES_NOTHING
from miscope_panel.http.rates import Rate, Rates

TOKEN = "0123456789abcdef-secret"
JSON = {"content-type": "application/json"}
FILLED = {"id": "1", "name": "toy.sum", "suffix": "html", "step": "0"}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
ELSEWHERE = (
    *(
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f%2e%2e",
        "..%5c..%5cwindows",
        "%2fetc%2fpasswd",
        "%00",
        "a%00b",
        "1%2f..%2f2",
    ),
    *("%ff%fe", "~root", "%20", "-1", "9" * 40, "con", "%E2%80%AE", "a" * 255),
)


def table(api) -> dict[str, set[str]]:
    """The methods of each path."""
    return {path: {each.upper() for each in verbs} for path, verbs in api.get("openapi.json").json()["paths"].items()}


def filled(path: str, value: str | None = None) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: FILLED[found[1]] if value is None else value, path)


def routes(api, *, writing: bool = False) -> Iterator[tuple[str, str]]:
    for path, methods in table(api).items():
        for method in methods - ({"GET"} if writing else set()):
            yield method, filled(path)


def refused(answer: Any, status: int | tuple[int, ...], code: str | None = None) -> None:
    """With that status, and in the one body."""
    request = f"{answer.request.method} {answer.request.url}"
    assert answer.status_code in (status if isinstance(status, tuple) else (status,)), f"{request}: {answer.text[:300]}"
    assert answer.headers["content-type"] == "application/json", request
    error = answer.json()["error"]
    assert {"code", "message", "fields"} <= set(error), request
    assert code in (None, error["code"]), request
    assert error["message"], request


@pytest.fixture
def api(untouched: Any) -> Iterator[Any]:
    """A client, of whose requests none may have done anything."""
    yield untouched
    assert (untouched.queue.runs(), untouched.summoned, untouched.workspace.root.exists()) == ([], [], False)


def test_the_table_has_every_route_that_the_application_has(api):
    assert len(table(api)) > 40
    assert {parameter for path in table(api) for parameter in re.findall(r"\{(\w+)\}", path)} <= set(FILLED)


def test_who_is_unauthenticated_is_refused_by_every_route(api, asked_in):
    shut = asked_in(token=TOKEN)
    for method, path in routes(api):
        for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": "miscope_token=wrong"}):
            refused(shut.client.request(method, path, headers={**JSON, **headers}), 401, "Unauthenticated")


def test_a_page_of_another_origin_is_refused_by_every_route(api):
    for method, path in routes(api):
        for origin in ("http://evil.example", "null"):
            refused(api.client.request(method, path, headers={**JSON, "origin": origin}), 403, "ForeignOrigin")


def test_a_wrong_host_is_refused_by_every_route(api):
    for method, path in routes(api):
        for host in ("evil.example", "127.0.0.1.evil.example"):
            refused(api.client.request(method, path, headers={**JSON, "host": host}), 400, "WrongHost")


def test_a_server_that_only_shows_refuses_every_route_that_writes(api, asked_in):
    shown = asked_in(read_only=True)
    for method, path in routes(api, writing=True):
        if path not in CHANGES_NOTHING:
            refused(shown.client.request(method, path, headers=JSON, content=b"{}"), 403, "ReadOnly")


@pytest.mark.parametrize("value", ELSEWHERE)
def test_a_path_that_leads_elsewhere_is_refused_by_every_route_that_has_a_name_in_it(api, value):
    for path, methods in table(api).items():
        for method in methods if "{" in path else ():
            answer = api.client.request(method, filled(path, value), headers=JSON, content=b"")
            refused(answer, (404, 405, 422))


@pytest.mark.parametrize("value", ["../../../etc/passwd", "/etc/passwd", "..", "a\x00b", "\x00", "..\\..", "x" * 1000])
def test_a_name_in_a_query_that_leads_elsewhere_finds_nothing(api, value):
    page = api.get("openapi.json").json()
    for path, verbs in page["paths"].items():
        asked = [each["name"] for each in verbs.get("get", {}).get("parameters", []) if each["in"] == "query"]
        # Words to look for name nothing.
        given = {name: value for name in asked if name != "find"}
        if given:
            refused(api.client.get(filled(path), params=given), (404, 422))


def test_an_address_that_is_too_long_is_refused_by_every_route(api):
    for path, methods in table(api).items():
        for method in methods:
            refused(api.client.request(method, f"{filled(path)}?{'q' * 9000}", headers=JSON), 414, "AddressTooLong")
            if "{" in path:
                refused(api.client.request(method, filled(path, "a" * 256), headers=JSON), 414, "AddressTooLong")


def test_an_oversized_body_declared_or_not_is_refused_by_every_route_that_writes(api):
    def in_parts() -> Iterator[bytes]:
        yield from (b" " * 2**18 for _ in range(MOST // 2**18 + 1))

    for method, path in routes(api, writing=True):
        declared = {**JSON, "content-length": str(MOST + 1)}
        refused(api.client.request(method, path, content=b"{}", headers=declared), 413, "BodyTooLarge")
        refused(api.client.request(method, path, content=in_parts(), headers=JSON), 413, "BodyTooLarge")


MALFORMED = {
    b"{": "expecting property name enclosed in double quotes, at character 1",
    b'{"a": 1} {}': "extra data, at character 9",
    b"{'a': 1}": "expecting property name enclosed in double quotes, at character 1",
    b'{"a": NaN}': "NaN is no number of JSON's",
    b'{"a": -Infinity}': "-Infinity is no number of JSON's",
    b'{"a": 1, "a": 2}': "the key 'a' is there twice",
    b'{"a": "\xff\xfe"}': "it is no text in UTF-8",
    "{}".encode("utf-16"): "it is no text in UTF-8",
    b'{"a": ' + b"9" * 5000 + b"}": "a number in it is too long",
    b'{"group": "\\ud800"}': "an escape in it stands for half a character",
    b"[" * 33 + b"]" * 33: "it is nested more than 32 deep",
    b"[" * 200_000: "it is nested more than 32 deep",
}


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_json_is_refused_by_every_route_that_writes_and_the_fault_is_named(api, body):
    for method, path in routes(api, writing=True):
        answer = api.client.request(method, path, content=body, headers=JSON)
        refused(answer, 400, "MalformedJson")
        assert answer.json()["error"]["message"] == f"The body is no JSON: {MALFORMED[body]}."


@pytest.mark.parametrize("body", [b"3", b'"a"', b"[1]", b"true", b'{"a\\u0000": {"b": []}}'])
def test_json_of_another_shape_is_refused_by_every_route_that_takes_a_body(api, body):
    page = api.get("openapi.json").json()
    for path, verbs in page["paths"].items():
        for method, operation in verbs.items():
            if "requestBody" in operation:
                refused(api.client.request(method.upper(), filled(path), content=body, headers=JSON), (404, 422))


def test_a_wrong_content_type_is_refused_by_every_route_that_writes(api):
    for method, path in routes(api, writing=True):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", ""):
            answer = api.client.request(method, path, content=b"{}", headers={"content-type": kind})
            refused(answer, 415, "WrongContentType")


def test_a_wrong_method_is_refused_by_every_path(api):
    """A path may be one of another's names: there, what is refused is that."""
    for path, methods in table(api).items():
        for method in METHODS - methods:
            answer = api.client.request(method, filled(path), headers=JSON, content=b"")
            refused(answer, (404, 405, 422) if method in ("DELETE", "GET", "PUT", "PATCH") else 405)
        refused(api.client.request("BREW", filled(path), headers=JSON), 405)


def test_too_many_requests_are_refused_by_every_route_until_time_went_by(api, asked_in):
    now = [0.0]
    slow = asked_in(rates=Rates(dict.fromkeys(("look", "change", "draw"), Rate(0.5, 1)), lambda: now[0]))
    for method, path in routes(api):
        now[0] += 1000
        first = slow.client.request(method, path, headers={**JSON, "x-none": "1"}, content=b"[")
        assert first.status_code != 429
        answer = slow.client.request(method, path, headers=JSON, content=b"[")
        refused(answer, 429, "TooManyRequests")
        assert answer.headers["retry-after"] == "2"


def fields_of(api, kind: str) -> Iterator[tuple[str, str, str]]:
    """Each field of that JSON type, or a list of it, and no text, in the body that a route takes."""
    described = api.get("openapi.json").json()

    def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        whole = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        yield whole
        for each in whole.get("anyOf", ()):
            yield from parts(each)

    for path, verbs in described["paths"].items():
        for verb, operation in verbs.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            for name, field in {k: v for part in parts(body) for k, v in part.get("properties", {}).items()}.items():
                taken = {each.get("type") for part in parts(field) for each in (part, part.get("items", {}))}
                if kind in taken and "string" not in taken:
                    yield verb.upper(), filled(path), name


@pytest.mark.parametrize(("kind", "others"), [("integer", (True, "1", 1.5)), ("boolean", (1, "yes"))])
def test_a_body_s_number_and_truth_are_taken_as_nothing_else(api, kind, others):
    found = list(fields_of(api, kind))
    assert {("POST", "/api/v1/trainings", "priority" if kind == "integer" else "dry_run")} <= set(found)
    for method, path, name in found:
        for other in others:
            for given in (other, [other]):
                answer = api.client.request(method, path, json={name: given})
                refused(answer, 422)
                assert any(re.match(rf"{name}\b", field["name"]) for field in answer.json()["error"]["fields"]), (
                    answer.text
                )
