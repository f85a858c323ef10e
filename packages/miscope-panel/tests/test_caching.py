"""What may be kept of an answer, and what is sent as gzip."""

from __future__ import annotations

import gzip

import pytest
from fastapi.testclient import TestClient

from miscope_panel.app import application
from miscope_panel.http.guard import LOOPBACK
from miscope_panel.shown.plotlyjs import BUNDLE

NAME = "toy.sum/v5-seed0-width16"

pytestmark = pytest.mark.filterwarnings("ignore:.*HTTPServerRequest:DeprecationWarning")


@pytest.fixture
def client(trained, at_once) -> TestClient:
    return TestClient(application(trained, at_once, hosts=LOOPBACK), base_url="http://127.0.0.1:5006")


def raw(client: TestClient, path: str, **headers: str):
    """The answer with its bytes as they were sent."""
    with client.stream("GET", path, headers={"accept-encoding": "gzip", **headers}) as answer:
        return answer, b"".join(answer.iter_raw())


def test_how_things_stand_is_kept_by_nobody(client):
    for path in ("/api/v1/trainings", "/api/v1/variants", "/api/v1/nothing"):
        assert client.get(path).headers["cache-control"] == "no-store"


def test_what_lies_under_a_versions_name_is_kept(client):
    answer = client.get(BUNDLE)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "cache-control" not in client.get(f"{BUNDLE}.none").headers


@pytest.mark.parametrize("path", ["figure", "export/csv"])
def test_a_figure_that_the_asker_has_is_not_sent_again(client, path):
    query = {"view": "small.losses", "variant": NAME}
    first = client.get(f"/api/v1/{path}", params=query)
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    tag = first.headers["etag"]
    again = client.get(f"/api/v1/{path}", params=query, headers={"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(f"/api/v1/{path}", params=query, headers={"if-none-match": '"other"'}).status_code == 200


def test_long_answers_are_sent_as_gzip_to_whoever_takes_it_and_files_and_events_are_not(client):
    figure = f"/api/v1/figure?view=small.losses&variant={NAME}"
    answer, sent = raw(client, figure)
    assert (answer.headers["content-encoding"], gzip.decompress(sent)) == ("gzip", client.get(figure).content)
    plain, _ = raw(client, figure, **{"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    export, _ = raw(client, f"/api/v1/export/html?view=small.losses&variant={NAME}")
    assert "content-encoding" not in export.headers
