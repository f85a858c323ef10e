"""Every operation of /api/v1 as schemathesis asks it, as OpenAPI says and against it: all answers are as described.

What is asked for stays in the queue, where nobody works on it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from miscope_panel.http.problem import PREFIX

REJECTED = negative_data_rejection
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    REJECTED,
    unsupported_method,
]
EXAMPLES = 5
"""Requests of each operation of each kind."""
SENT = 2**16
"""Letters of a query."""


@pytest.fixture
def api(asked_in):
    """A workspace with a trained variant, runs, a template and a study."""
    made = asked_in()
    from miscope.bound import BoundWorkspace

    variant = BoundWorkspace(made.workspace).variant("toy.sum")
    list(variant.train(threads=1, steps=10))
    variant.analyze("parameters.norms")
    made.train(then_analyze=True)
    study = {"family": "toy.sum", "matrix": {"seed": [1, 2]}}
    assert made.post("training-templates", name="small", study=study).status_code == 201
    assert made.post("studies", template="small").status_code == 201
    return made


def answered(api, case) -> Any:
    """The answer to the case; sent as JSON unless the case says otherwise."""
    asked = case.as_transport_kwargs(base_url="http://127.0.0.1:5006")
    headers = {"content-type": "application/json", **dict(asked.get("headers") or {})}
    body = {"json": asked["json"]} if "json" in asked else {"content": asked.get("data")}
    return api.client.request(asked["method"], asked["url"], headers=headers, params=asked.get("params"), **body)


def test_no_operation_fails_and_every_answer_is_as_openapi_describes_it(api):
    schema = schemathesis.openapi.from_dict(api.client.get(f"{PREFIX}/openapi.json").json())
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 50
    for operation in operations:
        asks_for_something = bool(operation.body or operation.query)
        modes = [*GenerationMode] if asks_for_something else [GenerationMode.POSITIVE]
        for mode in modes:

            @settings(
                max_examples=EXAMPLES,
                derandomize=True,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def conforms(case):
                # The client itself refuses to send a longer one.
                assume(len(urlencode(case.query or {}, doseq=True)) < SENT)
                answer = answered(api, case)
                # An address that is too long is refused too, before anybody looks at what it asks.
                unread = answer.status_code == HTTPStatus.REQUEST_URI_TOO_LONG
                case.validate_response(answer, checks=[each for each in CHECKS if not (unread and each is REJECTED)])

            conforms()
    assert all(run.state.value in ("pending", "stopped", "cancelled") for run in api.queue.every().values())
