"""Requests that nobody thought of: whatever is sent to a route under /api/v1, the server answers for itself."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from miscope_panel.http.problem import PREFIX

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KNOWN = {
    "family": st.sampled_from(["toy.sum", "toy.fourier", "toy.smu"]),
    "params": st.dictionaries(st.sampled_from(["seed", "values", "width", "prime"]), VALUES, max_size=2),
    "training": st.dictionaries(st.sampled_from(["steps", "optimizer", "checkpoints"]), VALUES, max_size=2),
    "steps": st.integers(-5, 2**70),
    "needs": st.lists(st.integers(-1, 3) | st.just(2**63), max_size=2),
    "dry_run": st.booleans(),
    "then_analyze": st.booleans() | st.lists(st.text(max_size=4), max_size=2),
    "ids": st.lists(st.integers(-1, 4) | st.just(2**64), max_size=3),
}
BODIES = st.fixed_dictionaries({}, optional={name: known | VALUES for name, known in KNOWN.items()}) | VALUES
QUERY_NAMES = ("page", "limit", "state", "q", "names", "start_step", "end_step", "max_points", "tail", "format")
QUERIES = st.dictionaries(st.sampled_from(QUERY_NAMES), st.integers().map(str) | st.text(max_size=8), max_size=3)
NUMBERS = st.integers(0, 4).map(str) | st.sampled_from(["bulk-delete", "bulk-retry", "-1", str(2**63)])
WORDS = ("stop", "pause", "resume", "cancel", "retry", "save", "extend", "restore", "metrics", "checkpoints", "log")
PATHS = st.tuples(
    st.sampled_from(["trainings", "runs", "families"]),
    NUMBERS | st.text(max_size=8) | st.none(),
    st.sampled_from([*WORDS, "config"]) | st.none(),
).map(lambda parts: "/".join(part for part in parts if part is not None))


@pytest.fixture
def api(asked_in):
    made = asked_in()
    made.train(then_analyze=True)
    return made


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(method=st.sampled_from(["GET", "POST", "DELETE"]), path=PATHS, query=QUERIES, body=BODIES)
def test_no_request_is_an_error_of_the_server_and_each_refusal_has_its_one_body(api, method, path, query, body):
    headers = {"content-type": "application/json"}
    sent = {} if method == "GET" else {"content": json.dumps(body), "headers": headers}
    answer = api.client.request(method, f"{PREFIX}/{quote(path)}", params=query, **sent)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert set(answer.json()) == {"error"}
        assert {"code", "message", "fields"} <= set(answer.json()["error"])
