"""The seed of sparse autoencoders, row by row: its hyperparameters, endpoints, tables and events over HTTP."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient

import miscope_sae
from miscope import Family, Term, hookimpl, running
from miscope.errors import BadValue
from miscope.progress import Progress
from miscope.runs.queued_run import Reached
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.process_identity import this_process
from miscope.testing import tables
from miscope.variant import Variant
from miscope.workspace import Workspace, open_workspace
from miscope_panel.http.problem import PREFIX
from miscope_panel.rest.queue_access import QueueAccess
from miscope_panel.rest.routes import add_rest
from miscope_sae import terms
from miscope_sae.architecture import Architecture, Weights
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.exchange.exporting import export_autoencoder
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf

if TYPE_CHECKING:
    from torch import Tensor

FEATURES = {"features": 12, "width": 8, "inputs": 120}
BUILT_ON = {"variant": "sae.known-features/features12-d8-p0.03-inputs120-seed0", "step": 0, "site": "hook_embed"}
SHORT = {"steps": 6, "allow_out_of_range": True, "checkpoints": "every:3"}


ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "sae-seed.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Served:
    """A client of a server, and what it serves."""

    client: TestClient
    workspace: Workspace
    queue: RunQueue

    def post(self, path: str, **body: object) -> Any:
        return self.client.post(f"{PREFIX}/{path}", json=body)

    def get(self, path: str) -> Any:
        return self.client.get(f"{PREFIX}/{path}")


def serving(workspace: Workspace) -> Served:
    """Of a workspace with activations to train on, where nobody works."""
    workspace.keep_record(workspace.variant("sae.known-features", **FEATURES))
    queue, app = RunQueue(workspace.root), FastAPI(openapi_url=f"{PREFIX}/openapi.json")
    add_rest(app, QueueAccess(workspace=workspace, queue=queue, summon=lambda: None, ending=lambda: True))
    return Served(TestClient(app, base_url="http://127.0.0.1:5006", raise_server_exceptions=False), workspace, queue)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """Of one with all that is installed."""
    return serving(open_workspace(tmp_path_factory.mktemp("seed") / "workspace"))


@pytest.fixture(scope="module")
def schemas(api: Served) -> Mapping[str, Any]:
    """The description of what is answered, by name."""
    return api.get("openapi.json").json()["components"]["schemas"]


@pytest.fixture(scope="module")
def trained(api: Served) -> Variant:
    """An autoencoder whose training was asked for over HTTP, run, and told of as its process would."""
    body = {"family": "sae.topk", "params": {**BUILT_ON, "latents": "2x", "k": 2}, "training": SHORT, "threads": 1}
    run = api.queue.run(api.post("trainings", **body).json()["id"])
    assert api.queue.claim(run.id, this_process()) is not None
    metrics: dict[str, float] = {}
    for seen in running.run(api.workspace, run.request):
        assert isinstance(seen, Progress)
        metrics |= seen.metrics
        saved = () if seen.checkpoint is None else (seen.step,)
        told = Reached(done=seen.step, total=seen.total, metrics=metrics, checkpoint=seen.step if saved else None)
        api.queue.reach(run.id, told, saved=saved)
    api.queue.move(run.id, RunState.COMPLETED)
    return api.workspace.find(run.what)


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


def checked(api: Served, architecture: str, **training: Any) -> Any:
    """What is answered where such a training is asked for."""
    return api.post("trainings/check", family=f"sae.{architecture}", params=BUILT_ON, training=training)


@pytest.mark.parametrize(("name", "architecture", "end", "up"), ENDS)
def test_a_value_outside_a_range_is_refused_over_http_with_its_field(
    api: Served, name: str, architecture: str, end: float, up: bool
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


def test_a_normalisation_that_there_is_not_is_refused_over_http_with_its_field(api: Served) -> None:
    params = {**BUILT_ON, "normalize_activations": "l2"}
    refused = api.post("trainings/check", family="sae.topk", params=params)
    (field,) = refused.json()["error"]["fields"]
    assert (refused.status_code, field["name"]) == (422, "params.normalize_activations")


@pytest.mark.parametrize("latents", ["8X", "abc8", "-4", -4, "8xx", "0", 0, 64.5, "9" * 400, 10**400])
@pytest.mark.parametrize("path", ["trainings/check", "trainings/estimate", "trainings"])
def test_what_says_no_number_of_latents_is_refused_over_http_with_its_field(
    api: Served, path: str, latents: object
) -> None:
    training = {"allow_out_of_range": True}
    refused = api.post(path, family="sae.topk", params={**BUILT_ON, "latents": latents}, training=training)
    assert refused.status_code == 422, refused.text
    assert [each["name"] for each in refused.json()["error"]["fields"]] == ["params.latents"]


def test_latents_that_a_site_cannot_have_are_told_over_http(api: Served) -> None:
    training = {"allow_out_of_range": True}

    def estimated(latents: object) -> Any:
        params = {**BUILT_ON, "latents": latents, "k": 1}
        return api.post("trainings/estimate", family="sae.topk", params=params, training=training)

    none = estimated("0.001x").json()
    assert none["problem"].startswith("latents=0.001x is none at a site of 8 numbers.")
    first = estimated(999_999_999).json()["estimate"]["remarks"][0]
    assert (first["severity"], first["field"]) == ("error", "latents")


@pytest.mark.parametrize("field", ["learning_rate", "weight_decay", "clip_norm", "aux_alpha"])
@pytest.mark.parametrize("number", ["1e999", "-1e999", '"inf"', '"nan"', "Infinity", "NaN"])
def test_a_number_that_is_not_finite_is_refused_over_http(api: Served, field: str, number: str) -> None:
    params = ", ".join(f'"{name}": {value!r}'.replace("'", '"') for name, value in BUILT_ON.items())
    training = f'{{"allow_out_of_range": true, "{field}": {number}}}'
    body = f'{{"family": "sae.topk", "params": {{{params}}}, "training": {training}}}'
    refused = api.client.post(f"{PREFIX}/trainings/check", content=body, headers={"content-type": "application/json"})
    assert refused.status_code in (400, 422), refused.text


def test_an_estimate_over_http_has_the_remarks(api: Served) -> None:
    training = {"batch_size": 64, "allow_out_of_range": True}
    told = api.post(
        "trainings/estimate", family="sae.topk", params={**BUILT_ON, "latents": "2x"}, training=training
    ).json()
    remarks = told["estimate"]["remarks"]
    said = {"severity": "warning", "field": "batch_size", "message": "64 is outside 512 to 16384, its usual range."}
    assert remarks[0] == said
    assert {each["field"] for each in remarks} >= {"latents", "k", "learning_rate", "checkpoints"}


@final
class Powers(Architecture):
    """Latents are the squares of positive pre-activations."""

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        return torch.relu(before).square()


@final
class PowersFamily(AutoencoderFamily):
    """An architecture of a package of somebody else."""

    name = "mine.powers"
    title = "Mine: squares"

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        return Powers(centred=params.apply_b_dec_to_input)

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        return (terms.reconstruction(pass_of),)


class Mine:
    """That package."""

    @staticmethod
    @hookimpl
    def miscope_families() -> tuple[Family, ...]:
        return (PowersFamily(),)


def test_an_architecture_of_another_package_is_described_and_taken_over_http(tmp_path: Path) -> None:
    other = serving(open_workspace(tmp_path / "workspace", tables(sae=miscope_sae, mine=Mine)))
    (described,) = [one for one in other.get("families").json()["families"] if one["name"] == "mine.powers"]
    assert {"variant", "step", "site", "latents"} <= set(described["params"]["properties"])
    assert {"learning_rate", "dead_window_steps"} <= set(described["training"]["properties"])
    asked = other.post("trainings", family="mine.powers", params={**BUILT_ON, "latents": "2x"}, training=SHORT)
    assert asked.status_code == 201, asked.text
    number = asked.json()["id"]
    run = other.queue.run(number)
    list(running.run(other.workspace, run.request))
    config = other.get(f"trainings/{number}/config").json()
    assert config["family"] == "mine.powers"
    assert (config["params"]["latents"], config["training"]["steps"]) == ("2x", 6)
    variant = other.workspace.find(run.what)
    with pytest.raises(BadValue) as told:
        export_autoencoder(other.workspace, variant, 6, tmp_path / "files")
    assert str(told.value) == (
        "Powers is no architecture of other libraries.\n"
        "Those that have a name there: ReLU, JumpReLU, BatchTopK, TopK, Gated, SkipReLU.\n"
        "Export an autoencoder of one of these."
    )


def row(first: str) -> list[str]:
    """The cells of the row of docs/sae-seed.md that begins so."""
    (found,) = [line for line in PAGE.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


# Section 4: every parameter, and the field that it is here; of two there is none.
PARAMETERS = {
    "hidden_dim": None,
    "latent_dim": "latents",
    "l1_alpha": "l1_alpha",
    "learning_rate": "learning_rate",
    "batch_size": "batch_size",
    "num_steps": "steps",
    "normalize_activations": "normalize_activations",
    "top_k_sparsity": "k",
    "checkpoint_interval": "checkpoints",
    "dead_neuron_threshold": "dead_neuron_threshold",
    "resample_steps": "resample_steps",
}


@pytest.mark.parametrize(("there", "here"), PARAMETERS.items())
def test_each_hyperparameter_is_a_field_and_has_a_row(api: Served, there: str, here: str | None) -> None:
    (_, answer, *_) = row(f"`{there}`")
    family = api.workspace.plugins.family("sae.topk" if here == "k" else "sae.standard")
    fields = {*family.params.model_fields, *family.training_config.model_fields}
    assert here is None or (here in fields and f"`{here}" in answer)


# Section 6.
ENDPOINTS = [
    ("trainings", "get"),
    ("trainings", "post"),
    ("trainings/{id}", "get"),
    ("trainings/{id}", "delete"),
    ("trainings/{id}/stop", "post"),
    ("trainings/{id}/retry", "post"),
    ("trainings/{id}/metrics", "get"),
    ("trainings/{id}/checkpoints", "get"),
    ("training-templates", "get"),
    ("training-templates", "post"),
    ("training-templates/{id}", "get"),
    ("training-templates/{id}", "put"),
    ("training-templates/{id}", "delete"),
]


@pytest.mark.parametrize(("path", "method"), ENDPOINTS)
def test_each_endpoint_is_there_under_its_own_path_and_has_a_row(api: Served, path: str, method: str) -> None:
    operation = api.get("openapi.json").json()["paths"][f"{PREFIX}/{path}"][method]
    assert operation["operationId"]
    listed = [line for line in PAGE.splitlines() if f" {PREFIX}/{path}`" in line]
    assert any(method.upper() in line.split("|")[1] for line in listed)


# Section 7: column, and where it is answered: a schema and a field, or None where only the page says it.
TRAININGS = {
    "id": "id",
    "name": "name",
    "model_id": "request",
    "dataset_id": None,
    "tokenization_id": None,
    "layer": "request",
    "architecture": "request",
    "hyperparameters": "request",
    "status": "status",
    "current_step": "done",
    "final_loss": "metrics",
    "sae_path": "checkpoint",
    "error_message": "error",
    "created_at": "created",
    "started_at": "started",
    "completed_at": "ended",
}
TEMPLATES = {
    "id": "id",
    "name": "name",
    "description": "description",
    "hyperparameters": "study",
    "is_favorite": "favourite",
    "usage_count": "uses",
    "created_at": "created",
    "updated_at": "updated",
}


@pytest.mark.parametrize(("schema", "columns"), [("RunSeen", TRAININGS), ("TemplateSeen", TEMPLATES)])
def test_each_column_is_a_field_of_the_answer_and_stands_on_the_page(
    schemas: Mapping[str, Any], schema: str, columns: dict[str, str | None]
) -> None:
    there = schemas[schema]["properties"]
    assert [here for here in columns.values() if here is not None and here not in there] == []
    assert [column for column in columns if f"`{column}`" not in PAGE] == []


def test_a_status_has_the_five_words_of_the_seed(schemas: Mapping[str, Any]) -> None:
    assert schemas["RunSeen"]["properties"]["status"]["enum"] == [
        "pending", "running", "completed", "failed", "stopped",
    ]  # fmt: skip


@pytest.mark.parametrize("column", ["loss", "l0", "l1", "reconstruction_loss", "fvu", "dead_neurons"])
def test_each_metric_is_recorded_under_its_name_of_both_parts(api: Served, trained: Variant, column: str) -> None:
    (_, answer) = row(f"`{column}`")
    answered = api.get("trainings/1/metrics").json()["metrics"]
    for part in ("train", "test"):
        assert f"`{part}_{column}`" in answer
        steps = answered[f"{part}_{column}"]["steps"]
        assert steps == sorted(set(steps)) != []
        assert all(value is not None for value in answered[f"{part}_{column}"]["values"])


# Section 8.
EVENTS = {
    "progress": ("step", "loss", "l0", "fvu", "progress_pct"),
    "completed": ("sae_path", "final_loss"),
    "failed": ("error", "step"),
    "checkpoint": ("checkpoint_path", "step"),
}


@pytest.mark.parametrize(("event", "fields"), EVENTS.items())
def test_each_event_is_described_with_its_fields_and_has_a_row(
    schemas: Mapping[str, Any], event: str, fields: tuple[str, ...]
) -> None:
    assert event in schemas["TrainingEvent"]["properties"]["event"]["enum"]
    assert set(fields) <= set(schemas[f"{event.capitalize()}Data"]["properties"])
    (_, there, _) = row(f"`{event}`")
    assert re.findall(r"`(\w+)`", there) == list(fields)


@pytest.mark.parametrize("event", ["progress", "completed", "checkpoint"])
def test_the_events_of_an_autoencoders_training_have_a_number_in_each_field(
    api: Served, trained: Variant, event: str
) -> None:
    told = [each for each in api.get("trainings/1/events").json()["events"] if each["event"] == event]
    assert told
    assert {each["channel"] for each in told} == {"training/1"}
    assert all(told[-1]["data"][field] is not None for field in EVENTS[event])
    if event == "progress":
        metrics = told[-1]["data"]["metrics"]
        assert (told[-1]["data"]["l0"], told[-1]["data"]["fvu"]) == (metrics["test_l0"], metrics["test_fvu"])
