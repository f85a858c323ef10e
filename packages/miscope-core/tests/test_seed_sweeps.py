"""The two sweeps of Least Action Learning, as study files: their names, and every key of every run forwarded."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, final

import pytest
from pydantic import Field

from miscope.basis import Basis
from miscope.family import Family, Params, make_variant
from miscope.hookspecs import hookimpl
from miscope.model import HookedModel
from miscope.probe import Probe
from miscope.request import read_request
from miscope.settings import settings_of
from miscope.studies.keeping import keep_study
from miscope.studies.resolving import read_study
from miscope.studies.study import Study
from miscope.task import Task
from miscope.testing import tables
from miscope.testing.toy import ToyFamily, ToyParams
from miscope.train_request import TrainRequest
from miscope.training_config import TrainingConfig
from miscope.variant import Variant
from miscope.workspace import Workspace, open_workspace

STUDIES = Path(__file__).parent / "data" / "studies"


class SmallParams(Params):
    prime: Annotated[int, Field(json_schema_extra={"slug": "p"})] = 113
    operation: Literal["add", "multiply"] = "multiply"
    layers: int = 1
    width: int = 64
    heads: int = 2
    tie_embeddings: bool = True
    seed: int = 0
    data_seed: int = 0


class SmallTraining(TrainingConfig):
    routing_regularizer: str | None = "entropy"
    lambda_routing: float = 0.01
    spectral_k: int | None = None
    spectral_interval: int = 100
    compute_weight_curvature: Annotated[bool, Field(json_schema_extra={"identity": False})] = False
    compute_optimizer_metrics: Annotated[bool, Field(json_schema_extra={"identity": False})] = False
    weight_curvature_interval: Annotated[int, Field(json_schema_extra={"identity": False})] = 100


@final
class SmallFamily(Family):
    """The toy under the parameters of Least Action Learning's transformer, each of them by default another."""

    name = "lal.small"
    title = "Toy with the parameters of a transformer"
    params = SmallParams
    training_config = SmallTraining

    def model(self, params: Any) -> HookedModel:
        return ToyFamily().model(ToyParams())

    def training(self, params: Any) -> SmallTraining:
        return SmallTraining(learning_rate=0.5, weight_decay=0.0, optimizer="sgd", betas=(0.5, 0.5), eps=1.0)

    def task(self, variant: Variant) -> Task:
        return ToyFamily().task(make_variant(ToyFamily(), {}))

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        raise NotImplementedError

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


@hookimpl
def miscope_families() -> Iterable[Family]:
    return (SmallFamily(),)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "ws", tables(SmallFamily()))


def sweep_of(workspace: Workspace, name: str) -> Study:
    return read_study(workspace, STUDIES / f"{name}.yaml")


def test_the_transformer_sweep_has_its_eighteen_names_in_order(workspace: Workspace) -> None:
    study = sweep_of(workspace, "transformer_sweep")
    assert study.name == "transformer_sweep"
    assert [run.name for run in study.runs] == [
        f"p{prime}_lr{rate}_wd{decay}"
        for prime in (17, 113)
        for rate in ("3e-4", "1e-3", "3e-3")
        for decay in ("0.5", "1.0", "2.0")
    ]
    named = {place: study.runs[place].name for place in (0, 4, 9, 17)}
    assert named == {0: "p17_lr3e-4_wd0.5", 4: "p17_lr1e-3_wd1.0", 9: "p113_lr3e-4_wd0.5", 17: "p113_lr3e-3_wd2.0"}


def test_the_new_year_sweep_has_its_five_names_in_order(workspace: Workspace) -> None:
    study = sweep_of(workspace, "new_year_validation_sweep")
    assert [run.name for run in study.runs] == [
        "p113_lr3e-4_wd0.50_train30",
        "p113_lr3e-4_wd0.75_train30",
        "p113_lr3e-4_wd1.00_train30",
        "p113_lr3e-4_wd1.25_train30",
        "p113_lr3e-4_wd1.50_train30",
    ]
    assert {run.train.group for run in study.runs} == {"new_year_validation_sweep"}


SHARED: Mapping[str, object] = {
    "operation": "add",
    "layers": 2,
    "width": 128,
    "heads": 4,
    "tie_embeddings": False,
    "seed": 42,
    "data_seed": 42,
    "train_fraction": 0.5,
    "steps": 100_000,
    "optimizer": "adamw",
    "betas": [0.9, 0.98],
    "eps": 1e-8,
    "clip_norm": 1.0,
    "warmup_steps": 500,
    "routing_regularizer": None,
    "lambda_routing": 0.0,
    "spectral_k": 4,
    "spectral_interval": 50,
    "compute_weight_curvature": True,
    "compute_optimizer_metrics": True,
    "weight_curvature_interval": 200,
    "evaluate_every": 100,
    "checkpoints": "every:10000",
}
VALIDATED = {**SHARED, "train_fraction": 0.3, "steps": 50_000}
NEVER_GIVEN = {
    "momentum", "muon_momentum", "muon_nesterov", "muon_ns_steps", "muon_adjust_lr", "muon_exclude", "no_decay",
    "role_groups", "lr_schedule", "lr_schedule_steps", "lr_min_ratio", "lr_decay_steps", "batch_size", "loss_dtype",
    "interventions", "save_optimizer",
}  # fmt: skip
"""Fields that neither sweep names."""


@pytest.mark.parametrize(
    ("name", "shared", "own"),
    [
        (
            "transformer_sweep",
            SHARED,
            [
                {"prime": prime, "learning_rate": rate, "weight_decay": decay}
                for prime in (17, 113)
                for rate in (3e-4, 1e-3, 3e-3)
                for decay in (0.5, 1.0, 2.0)
            ],
        ),
        (
            "new_year_validation_sweep",
            VALIDATED,
            [{"prime": 113, "learning_rate": 3e-4, "weight_decay": decay} for decay in (0.5, 0.75, 1.0, 1.25, 1.5)],
        ),
    ],
)
def test_every_key_of_a_sweep_reaches_every_run_as_it_is_stored_and_sent(
    workspace: Workspace, name: str, shared: Mapping[str, object], own: list[Mapping[str, object]]
) -> None:
    study = sweep_of(workspace, name)
    for run, differing in zip(study.runs, own, strict=True):
        request = read_request(run.train.model_dump_json())
        assert isinstance(request, TrainRequest)
        sent = workspace.value(SmallFamily(), request.params, request.training)
        assert sent.digest == run.variant.digest
        settings = settings_of(sent)
        assert {name: settings[name] for name in settings if name not in NEVER_GIVEN} == {**shared, **differing}


def test_the_defaults_of_the_family_are_none_of_the_sweeps_values(workspace: Workspace) -> None:
    """Without this, a key that is dropped would come back unnoticed as the family's default."""
    default = settings_of(workspace.variant("lal.small"))
    same = {name for name, value in SHARED.items() if default[name] == value}
    assert same == set()


def test_a_kept_sweep_read_again_is_the_same_sweep(workspace: Workspace) -> None:
    for name in ("transformer_sweep", "new_year_validation_sweep"):
        study = sweep_of(workspace, name)
        assert read_study(workspace, keep_study(workspace, study)) == study


OF_SCHEDULES = {"lr_min_ratio", "lr_schedule_steps"}
"""They mean nothing to a rate that is constant."""


def test_a_dry_run_lists_the_sweep_with_every_setting_and_writes_nothing(
    command: Callable[..., tuple[int, str, str]],
    offer: Callable[[str, str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "small_sweep_family", sys.modules[__name__])
    offer("small", "small_sweep_family")
    words = ("sweep", STUDIES / "transformer_sweep.yaml", "--dry-run", "-w", tmp_path / "ws")
    code, out, _ = command(*words, "--json")
    assert code == 0
    runs = json.loads(out)["runs"]
    assert [run["name"] for run in runs][::9] == ["p17_lr3e-4_wd0.5", "p113_lr3e-4_wd0.5"]
    assert {run["presence"] for run in runs} == {"new"}
    given = {**SHARED, "prime": 17, "learning_rate": 3e-4, "weight_decay": 0.5}
    settings = runs[0]["settings"]
    assert {name: settings[name] for name in given} == given
    assert set(settings) - set(given) == NEVER_GIVEN
    estimates = [run["estimate"] for run in runs]
    assert {(each["steps"], each["checkpoints"], each["measured"]) for each in estimates} == {(100_000, 11, 0)}
    text = command(*words)[1]
    assert text.splitlines()[0] == "transformer_sweep: 18 of 18 runs of lal.small: 18 new"
    assert "18 to train, 1,800,000 steps, 198 checkpoints, " in text
    idle = {name for name in set(SHARED) | NEVER_GIVEN if f" {name}=" not in text}
    assert idle == {name for name in NEVER_GIVEN if "momentum" in name or "muon" in name or name in OF_SCHEDULES}
    assert not (tmp_path / "ws").exists()
