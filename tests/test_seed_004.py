"""The seed of sparse autoencoders, row by row: what it asks for, and that this answers it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from miscope.runs.run_queue import RunQueue
from miscope.workspace import open_workspace
from miscope_panel.http.problem import PREFIX
from miscope_panel.rest.queue_access import QueueAccess
from miscope_panel.rest.routes import add_rest

FEATURES = {"features": 12, "width": 8, "inputs": 120}
BUILT_ON = {"variant": "sae.known-features/features12-d8-p0.03-inputs120-seed0", "step": 0, "site": "hook_embed"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A client over a workspace with activations to train on and all that is installed, where nobody works."""
    workspace = open_workspace(tmp_path_factory.mktemp("seed") / "workspace")
    workspace.keep_record(workspace.variant("sae.known-features", **FEATURES))
    app = FastAPI(openapi_url=f"{PREFIX}/openapi.json")
    access = QueueAccess(workspace=workspace, queue=RunQueue(workspace.root), summon=lambda: None, ending=lambda: True)
    add_rest(app, access)
    return TestClient(app, base_url="http://127.0.0.1:5006", raise_server_exceptions=False)


# Section 4: parameter, what it is called here, architecture, least and largest value.
RANGES = [
    ("l1_alpha", "l1_alpha", "standard", 0.0001, 0.1),
    ("learning_rate", "learning_rate", "topk", 1e-5, 1e-3),
    ("batch_size", "batch_size", "topk", 512, 16384),
    ("num_steps", "steps", "topk", 1000, 1000000),
    ("dead_neuron_threshold", "dead_neuron_threshold", "topk", 0.0, 1e-6),
]
ENDS = [
    (name, architecture, end, end == most) for _, name, architecture, least, most in RANGES for end in (least, most)
]


def outside(end: float, up: bool) -> float:
    """The next number outside."""
    if isinstance(end, int):
        return end + (1 if up else -1)
    return math.nextafter(end, math.inf if up else -math.inf)


def checked(api: TestClient, architecture: str, **training: Any) -> Any:
    """What is answered where such a training is asked for."""
    body = {"family": f"sae.{architecture}", "params": BUILT_ON, "training": training}
    return api.post(f"{PREFIX}/trainings/check", json=body)


@pytest.mark.parametrize(("name", "architecture", "end", "up"), ENDS)
def test_a_value_outside_a_range_is_refused_over_http_with_its_field(
    api: TestClient, name: str, architecture: str, end: float, up: bool
) -> None:
    answer = checked(api, architecture, **{name: end})
    assert answer.status_code == 200, answer.text
    assert answer.json()["training"][name] == end
    beyond = outside(end, up)
    refused = checked(api, architecture, **{name: beyond})
    (field,) = refused.json()["error"]["fields"]
    assert (refused.status_code, field["name"]) == (422, f"training.{name}")
    allowed = checked(api, architecture, **{name: beyond}, allow_out_of_range=True)
    # Below nothing there is no activity.
    assert allowed.status_code == (422 if beyond < 0 else 200)


def test_a_normalisation_that_there_is_not_is_refused_over_http_with_its_field(api: TestClient) -> None:
    params = {**BUILT_ON, "normalize_activations": "l2"}
    refused = api.post(f"{PREFIX}/trainings/check", json={"family": "sae.topk", "params": params})
    (field,) = refused.json()["error"]["fields"]
    assert (refused.status_code, field["name"]) == (422, "params.normalize_activations")


def test_an_estimate_over_http_has_the_remarks(api: TestClient) -> None:
    body = {"family": "sae.topk", "params": {**BUILT_ON, "latents": "2x"}, "training": {"batch_size": 64}}
    body["training"] |= {"allow_out_of_range": True}  # type: ignore[operator]
    told = api.post(f"{PREFIX}/trainings/estimate", json=body).json()
    remarks = told["estimate"]["remarks"]
    said = {"severity": "warning", "field": "batch_size", "message": "64 is outside 512 to 16384, its usual range."}
    assert remarks[0] == said
    assert {each["field"] for each in remarks} >= {"latents", "k", "learning_rate", "checkpoints"}
