"""Saved views of the table over HTTP: what one script keeps, another and the page find."""

from __future__ import annotations

import pytest

from miscope_panel.http.problem import PREFIX

VIEWS = f"{PREFIX}/table/views"


@pytest.fixture
def client(asked_in):
    return asked_in().client


def test_what_is_kept_is_listed_replaced_and_gone_once_it_is_removed(client):
    assert client.get(VIEWS).json() == {"views": [], "broken": []}
    for name, query in (("Seed one", "find=seed%3D1"), ("all", ""), ("seed ONE", "find=seed%3D2")):
        assert client.put(f"{VIEWS}/{name}", json={"query": query}).json() == {"name": name, "query": query}
    assert client.get(VIEWS).json()["views"] == [
        {"name": "all", "query": ""},
        {"name": "seed ONE", "query": "find=seed%3D2"},
    ]
    assert client.delete(f"{VIEWS}/Seed one").json() == {"name": "seed ONE", "query": "find=seed%3D2"}
    assert [view["name"] for view in client.get(VIEWS).json()["views"]] == ["all"]


def test_what_cannot_be_kept_is_refused_with_its_field(client):
    answer = client.put(f"{VIEWS}/%20a", json={"query": ""})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "BadValue")
    assert [field["name"] for field in answer.json()["error"]["fields"]] == ["name"]
    assert client.put(f"{VIEWS}/a", json={"query": "x" * 6001}).status_code == 422
    assert client.put(f"{VIEWS}/{'a' * 101}", json={"query": ""}).status_code == 422
    assert client.delete(f"{VIEWS}/none").status_code == 404
    assert client.get(VIEWS).json()["views"] == []
