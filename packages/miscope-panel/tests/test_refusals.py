"""Each way in that is shut, by name: whoever is refused is told in one body, and nothing was done."""

from __future__ import annotations

import pytest

from miscope_panel.http.bounded_body import MOST, TooLong, bounded
from miscope_panel.http.problem import PREFIX

TOKEN = "0123456789abcdef-secret"
TRAININGS = f"{PREFIX}/trainings"
BODY = {"family": "toy.sum"}
JSON = {"content-type": "application/json"}


@pytest.fixture
def api(asked_in):
    return asked_in()


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.json()["error"]["message"]


def test_who_is_unauthenticated_is_refused(asked_in):
    api = asked_in(token=TOKEN)
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}):
        refused(api.client.post(TRAININGS, json=BODY, headers=headers), 401, "Unauthenticated")
        refused(api.client.get(TRAININGS, headers=headers), 401, "Unauthenticated")
    refused(api.client.post(f"{TRAININGS}?token={TOKEN}", json=BODY), 401, "Unauthenticated")
    assert api.queue.runs() == []
    known = {"authorization": f"Bearer {TOKEN}"}
    assert api.client.post(TRAININGS, json=BODY, headers=known).status_code == 201


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "null"])
def test_a_page_of_another_origin_is_refused(untouched, origin):
    refused(untouched.client.post(TRAININGS, json=BODY, headers={"origin": origin}), 403, "ForeignOrigin")
    refused(untouched.client.delete(f"{TRAININGS}/1", headers={"origin": origin}), 403, "ForeignOrigin")
    assert untouched.queue.runs() == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_cross_origin_request_that_names_no_origin_is_refused(api, site):
    refused(api.client.post(TRAININGS, json=BODY, headers={"sec-fetch-site": site}), 403, "ForeignOrigin")
    assert api.client.get(TRAININGS, headers={"sec-fetch-site": site}).status_code == 200
    assert api.client.post(TRAININGS, json=BODY, headers={"sec-fetch-site": "same-origin"}).status_code == 201


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_a_wrong_host_is_refused(untouched, host):
    refused(untouched.client.post(TRAININGS, json=BODY, headers={"host": host}), 400, "WrongHost")
    assert untouched.queue.runs() == []


@pytest.mark.parametrize(
    "number", ["..%2F..%2Fetc%2Fpasswd", "%2e%2e", "..%5c..", "1%2F..%2F2", "%00", "1e3", "0x1", "-1", "0", "9" * 40]
)
@pytest.mark.parametrize("rest", ["", "/log", "/config"])
def test_a_path_that_leads_elsewhere_in_place_of_a_number_is_refused(untouched, number, rest):
    answer = untouched.client.get(f"{TRAININGS}/{number}{rest}")
    assert answer.status_code in (404, 422)
    assert answer.json()["error"]["code"] in ("NotFound", "BadRequest")


def test_an_oversized_body_is_refused(api):
    refused(api.client.post(TRAININGS, content=b" " * (MOST + 1), headers=JSON), 413, "BodyTooLarge")
    whole = b'{"family": "toy.sum"}'
    assert api.client.post(TRAININGS, content=whole.ljust(MOST), headers=JSON).status_code == 201
    for length in (str(MOST + 1), "9" * 18, "-1", "many"):
        answer = api.client.post(TRAININGS, content=b"{}", headers={**JSON, "content-length": length})
        refused(answer, 413, "BodyTooLarge")
    assert len(api.queue.runs()) == 1


def test_an_oversized_body_that_does_not_say_its_size_is_read_no_further_than_the_bound():
    read = []

    async def receive():
        read.append(2**16)
        return {"type": "http.request", "body": b" " * 2**16, "more_body": True}

    # Nothing here waits, so it needs no event loop.
    with pytest.raises(TooLong):
        bounded(receive, "").send(None)
    assert sum(read) == MOST + 2**16


@pytest.mark.parametrize("body", [b"", b"{", b'{"family": }', b"\xff\xfe", b"[" * 5000, b'{"family": "toy.sum"} {}'])
def test_malformed_json_is_refused(untouched, body):
    answer = untouched.client.post(TRAININGS, content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["code"] in ("MalformedJson", "BadRequest")
    assert untouched.queue.runs() == []


@pytest.mark.parametrize("body", [b"[]", b"3", b"null", b'"toy.sum"', b'{"family": 3}'])
def test_json_of_another_shape_is_refused(untouched, body):
    assert untouched.client.post(TRAININGS, content=body, headers=JSON).status_code == 422
    assert untouched.queue.runs() == []


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_wrong_content_type_is_refused(untouched, kind):
    headers = {} if kind is None else {"content-type": kind}
    answer = untouched.client.post(TRAININGS, content=b'{"family": "toy.sum"}', headers=headers)
    refused(answer, 415, "WrongContentType")
    refused(untouched.client.post(f"{TRAININGS}/1/stop", headers=headers), 415, "WrongContentType")
    if kind:
        refused(
            untouched.client.request("DELETE", f"{TRAININGS}/1", content=b"x", headers=headers), 415, "WrongContentType"
        )
    assert untouched.queue.runs() == []


def test_a_content_type_may_say_its_charset(api):
    kind = {"content-type": "Application/JSON; charset=utf-8"}
    assert api.client.post(TRAININGS, content=b'{"family": "toy.sum"}', headers=kind).status_code == 201


def test_a_server_that_only_shows_refuses_whatever_would_change_something(asked_in):
    api = asked_in(read_only=True)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused(api.client.request(method, TRAININGS, json=BODY), 403, "ReadOnly")
        refused(api.client.request(method, f"{TRAININGS}/1/stop", json={}), 403, "ReadOnly")
    assert api.get("trainings").status_code == 200
    for path in ("trainings/check", "trainings/estimate"):
        answer = api.client.post(f"{PREFIX}/{path}", json=BODY, headers={"idempotency-key": "one"})
        assert answer.json()["what"].startswith("toy.sum/"), "what only answers is answered"
    assert not api.queue.layout.root.exists()


def test_no_such_path_and_no_such_method_are_told_in_the_same_body(untouched):
    refused(untouched.get("trianings"), 404, "NotFound")
    refused(untouched.client.put(TRAININGS, json=BODY), 405, "MethodNotAllowed")
