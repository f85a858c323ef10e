"""Tags and notes of a variant over HTTP: read, changed in part, and refused to the later of two who read the same."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from miscope_panel.http.problem import PREFIX

NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def client(asked_in) -> TestClient:
    """Of a server whose workspace holds a variant."""
    made = asked_in()
    made.workspace.store.save_variant(made.workspace.variant("toy.sum"))
    return made.client


def change(client: TestClient, body: dict[str, object], **headers: str):
    return client.patch(f"{PREFIX}/annotation", params={"variant": NAME}, json=body, headers=headers)


def read(client: TestClient):
    return client.get(f"{PREFIX}/annotation", params={"variant": NAME.partition("/")[2]})


def test_what_is_given_changes_and_the_rest_stays(client):
    assert read(client).json() == {"variant": NAME, "tags": [], "notes": "", "pins": [], "revision": 0, "written": ""}
    assert change(client, {"tags": ["paper"], "notes": "*once*"}).status_code == 200
    answer = change(client, {"notes": "twice"})
    told = answer.json()
    assert (told["tags"], told["notes"], told["revision"]) == (["paper"], "twice", 2)
    assert told["written"].endswith("Z")
    assert (read(client).json(), read(client).headers["etag"]) == (told, '"2"')


def test_steps_are_pinned_and_unpinned_and_the_rest_stays(client):
    change(client, {"notes": "n", "pins": [{"step": 500, "note": "here"}, {"step": 20}]})
    told = change(client, {"pins": [{"step": 500, "note": "there"}], "unpin": [20]}).json()
    assert (told["pins"], told["notes"], told["revision"]) == ([{"step": 500, "note": "there"}], "n", 2)


def test_what_is_null_stays_as_what_is_left_out_does(client):
    change(client, {"tags": ["paper"], "notes": "n", "pins": [{"step": 500, "note": "here"}]})
    answer = change(client, {"tags": None, "notes": None, "pins": None, "unpin": None})
    assert (answer.status_code, answer.json()) == (200, read(client).json())
    assert (answer.json()["pins"], answer.json()["revision"]) == ([{"step": 500, "note": "here"}], 1)


def test_the_later_of_two_who_read_the_same_is_refused_and_what_the_other_wrote_stays(client):
    tag = read(client).headers["etag"]
    assert change(client, {"notes": "mine"}, **{"if-match": tag}).headers["etag"] == '"1"'
    refused = change(client, {"notes": "yours"}, **{"if-match": tag})
    assert (refused.status_code, refused.json()["error"]["code"]) == (412, "ChangedMeanwhile")
    assert refused.json()["error"]["message"].splitlines()[0] == f"The tags and notes of {NAME} are others by now."
    assert read(client).json()["notes"] == "mine"


@pytest.mark.parametrize(
    "body",
    [
        {"tags": ["a", "a"]},
        {"tags": [""]},
        {"tags": ["a\nb"]},
        {"notes": 3},
        {"note": "a"},
        {"notes": "\0"},
        {"unpin": [-1]},
        {"pins": [{"step": 0, "note": "a\nb"}]},
        {"pins": [{"note": "a"}]},
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is(body, client):
    assert change(client, body).status_code == 422
    assert read(client).json()["revision"] == 0


def test_of_no_variant_nothing_is_read_or_written(client):
    for answer in (
        client.get(f"{PREFIX}/annotation", params={"variant": "none"}),
        client.patch(f"{PREFIX}/annotation", params={"variant": "none"}, json={}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "UnknownName")
