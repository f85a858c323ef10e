"""Requests: what is asked in words, stored as JSON and run elsewhere is the same training, and the same artifacts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
import torch
from pydantic import BaseModel, ValidationError

from miscope.analyze_request import AnalyzeRequest
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue, UnknownName
from miscope.intervention import Intervention
from miscope.outcome import Outcome, State
from miscope.progress import Progress
from miscope.request import Request, read_request
from miscope.running import run
from miscope.testing import tables
from miscope.testing.toy import ToyVariation
from miscope.train_options import TrainOptions
from miscope.train_request import TrainRequest, train_request

Run = Callable[..., tuple[int, str, str]]

TRAIN = TrainRequest(
    family="toy.sum",
    params={"values": 7, "seed": 3, "width": 16},
    training={"learning_rate": 0.1 + 0.2, "checkpoints": {"kind": "explicit", "steps": [0, 5]}, "clip_norm": None},
    label="mine",
    steps=5,
    resume=False,
    warm=True,
    device="cpu",
    threads=1,
    compile=True,
    interventions=("silence", "noise"),
    watch=("ranks.weights:2",),
    log_every=3,
    group="widths",
)
ANALYZE = AnalyzeRequest(
    variants=("toy.sum/v7-seed3-width16", "toy.sum/v7-seed4-width16"),
    analyzers=("parameters.norms",),
    steps=(0, 5),
    executor="processes",
    force=True,
    options={"neurons.clusters": {"threshold": 1e-17, "draws": 3}},
    group="widths",
)


@pytest.fixture
def ws(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoundWorkspace:
    """A workspace in force for the commands, with the toy families installed."""
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    return open_bound(tmp_path / "ws", tables())


def asked(workspace: BoundWorkspace) -> list[Request]:
    """The requests that the ledger's runs began with, oldest first, by way of JSON text."""
    lines = [line for line in workspace.ledger.lines() if line["event"] == "started"]
    return [read_request(json.dumps(line["request"])) for line in lines]


def files(variant: BoundVariant, pattern: str) -> dict[str, bytes]:
    folder = variant.workspace.store.layout.variant(variant.name)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob(pattern)}


def history(variant: BoundVariant) -> dict[str, list[float]]:
    return {name: [*series.steps.tolist(), *series.values.tolist()] for name, series in variant.metrics().items()}


@pytest.mark.parametrize("request_", [TRAIN, ANALYZE, TrainRequest(family="f"), AnalyzeRequest(variants=("v",))])
def test_a_request_comes_back_from_json_as_it_was(request_: Request) -> None:
    assert read_request(request_.model_dump_json()) == request_
    assert read_request(json.loads(request_.model_dump_json())) == request_
    assert read_request(request_.model_dump(mode="json")) == request_


@pytest.mark.parametrize("request_", [TRAIN, ANALYZE])
def test_every_field_of_a_request_is_tried_with_another_value_than_its_default(request_: BaseModel) -> None:
    """Without this, a field that is lost on the way would come back unnoticed as its default."""
    same = {name for name, info in type(request_).model_fields.items() if getattr(request_, name) == info.default}
    assert same == {"kind"}


def test_a_schedule_of_steps_stays_the_text_that_it_is() -> None:
    request = AnalyzeRequest(variants=("v",), steps="0,100")
    assert read_request(request.model_dump_json()) == request
    assert request.steps == "0,100"


def test_a_request_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TRAIN.steps = 7  # pyright: ignore[reportAttributeAccessIssue]


def test_what_is_no_request_is_refused_with_what_is_wrong() -> None:
    with pytest.raises(BadValue) as refused:
        read_request({**TRAIN.model_dump(mode="json"), "should_stop": True})
    assert str(refused.value) == (
        "This is no request: train.should_stop: there is no such field.\n"
        "A request is the JSON of a TrainRequest or an AnalyzeRequest, and `kind` says of which.\n"
        "Write it anew with `model_dump_json()`, with the version of miscope that is to read it."
    )
    for stored in ("{", '{"kind": "import"}', "{}", None):
        with pytest.raises(BadValue, match="This is no request: "):
            read_request(stored)


def test_a_request_holds_everything_of_a_session_but_who_is_asked_meanwhile() -> None:
    asked_meanwhile = {"should_stop", "should_save"}
    assert {field.name for field in fields(TrainOptions)} - asked_meanwhile <= set(TrainRequest.model_fields)


def test_a_training_asked_for_in_words_is_the_same_bit_for_bit_once_sent_as_json(
    command: Run, ws: BoundWorkspace, tmp_path: Path
) -> None:
    words = ["toy.sum", "values=7", "--set", "weight_decay=0.5", "--set", "checkpoints=0,3,9", "--as", "mine"]
    assert command("train", *words, "--steps", 9, "--threads", 1)[0] == 0
    (request,) = asked(ws)
    assert request == TrainRequest(
        family="toy.sum",
        params={"values": 7, "seed": 0, "width": 16},
        training={"weight_decay": 0.5, "checkpoints": {"kind": "explicit", "steps": [0, 3, 9]}},
        label="mine",
        steps=9,
        threads=1,
    )
    elsewhere = open_bound(tmp_path / "elsewhere", tables())
    list(run(elsewhere.value, request))
    here, there = ws.variants()[0], elsewhere.variants()[0]
    assert (here.name, here.value.digest, here.steps) == (there.name, there.value.digest, [0, 3, 9])
    assert files(here, "*.safetensors") == files(there, "*.safetensors")
    assert history(here) == history(there)
    assert asked(elsewhere) == [request]


def test_an_analysis_asked_for_in_words_leaves_the_same_artifacts_once_sent_as_json(
    command: Run, ws: BoundWorkspace, tmp_path: Path
) -> None:
    elsewhere = open_bound(tmp_path / "elsewhere", tables())
    for seed in (1, 2):
        command("train", "toy.fourier", f"seed={seed}", "--steps", 10, "--threads", 1)
        list(run(elsewhere.value, asked(ws)[-1]))
    only = [word for name in ("neurons.bands", "cohort.losses") for word in ("--only", name)]
    assert command("analyze", "toy.fourier", *only, "--steps", "every:10", "-o", "neurons.bands.bands=2")[0] == 0
    *own, whole = (request for request in asked(ws) if isinstance(request, AnalyzeRequest))
    assert whole == AnalyzeRequest(
        variants=tuple(variant.name for variant in ws.variants()),
        analyzers=("neurons.bands", "cohort.losses"),
        steps="every:10",
        options={"neurons.bands": {"bands": 2}},
    )
    # Each variant's own run is asked for that variant alone, or a thousand would be named a thousand times.
    assert own == [whole.model_copy(update={"variants": (name,)}) for name in whole.variants]
    outcomes = list(run(elsewhere.value, whole))
    assert {outcome.state for outcome in outcomes} == {State.SAVED}
    artifacts = {str(p.relative_to(ws.root)): p.read_bytes() for p in ws.root.rglob("*.npz")}
    assert len(artifacts) > 4
    assert artifacts == {str(p.relative_to(elsewhere.root)): p.read_bytes() for p in elsewhere.root.rglob("*.npz")}


def test_what_is_asked_for_in_python_is_in_the_ledger_too(ws: BoundWorkspace) -> None:
    variant = ws.variant("toy.fourier", values=7)
    list(variant.train(steps=6, threads=1))
    variant.analyze("neurons.bands", steps=list(np.array([0, 6])), options={"neurons.bands": {"bands": "4"}})
    assert asked(ws) == [
        train_request(variant.value, TrainOptions(steps=6, threads=1)),
        AnalyzeRequest(
            variants=(variant.name,),
            analyzers=("neurons.bands",),
            steps=(0, 6),
            options={"neurons.bands": {"bands": 4}},
        ),
    ]


def test_a_request_for_what_is_not_here_is_refused_before_anything_is_written(ws: BoundWorkspace) -> None:
    for request in (TrainRequest(family="toy.som"), AnalyzeRequest(variants=("toy.sum/v5",))):
        with pytest.raises(UnknownName):
            run(ws.value, request)
    with pytest.raises(BadValue, match=r"toy\.sum refuses values=2"):
        run(ws.value, TrainRequest(family="toy.sum", params={"values": 2}))
    with pytest.raises(BadValue, match=r"toy\.sum refuses prime=113"):
        run(ws.value, TrainRequest(family="toy.sum", params={"prime": 113}))
    assert not ws.root.exists()


def test_who_runs_a_request_may_stop_it(ws: BoundWorkspace) -> None:
    told: list[Progress] = []
    for progress in run(ws.value, TrainRequest(family="toy.sum", threads=1), should_stop=lambda: len(told) == 2):
        told.append(progress)
    assert told[-1].step < told[-1].total
    looked: list[Outcome] = []
    request = AnalyzeRequest(variants=tuple(ws.names()), analyzers=("parameters.norms",))
    for outcome in run(ws.value, request, should_stop=lambda: len(looked) == 1):
        looked.append(outcome)
    assert [outcome.state for outcome in looked] == [State.SAVED]


# --- whose progress it is ------------------------------------------------------------------------------------------


def test_progress_names_its_run_so_that_several_can_be_told_apart(ws: BoundWorkspace) -> None:
    one, two = (run(ws.value, TrainRequest(family="toy.sum", params={"seed": seed}, threads=1)) for seed in (1, 2))
    named = [{progress.run for progress in pair} for pair in zip(*zip(one, two, strict=False), strict=True)]
    lines = {str(line["run"]): line["variant"] for line in ws.ledger.lines() if line["event"] == "started"}
    assert [{lines[name] for name in names} for names in named] == [
        {"toy.sum/v5-seed1-width16"},
        {"toy.sum/v5-seed2-width16"},
    ]


def test_an_outcome_names_its_run_and_none_where_nothing_was_to_be_done(ws: BoundWorkspace) -> None:
    for seed in (1, 2):
        list(run(ws.value, TrainRequest(family="toy.sum", params={"seed": seed}, threads=1)))
    names = tuple(ws.names())
    request = AnalyzeRequest(variants=names, analyzers=("parameters.norms",))
    list(run(ws.value, request.model_copy(update={"variants": names[:1]})))
    before = set(ws.ledger.runs())
    outcomes = list(run(ws.value, request))
    runs = {str(line["run"]): line["variant"] for line in ws.ledger.lines() if line["run"] not in before}
    assert {(runs[outcome.run], outcome.variant) for outcome in outcomes if outcome.run} == {(names[1], names[1])}
    assert [(o.variant, o.state) for o in outcomes if not o.run] == [(names[0], State.PRESENT)]
    assert {outcome.run for outcome in run(ws.value, request)} == {""}


# --- interventions travel by name ------------------------------------------------------------------------------------


@final
class ToyThatCanBeSilenced(ToyVariation):
    """The toy, which knows what 'silence' stands for."""

    name = "toy.silenced"
    title = "Toy with a name for no hidden layer"

    def bases(self, params: Any) -> Mapping[str, Any]:
        return {}

    def intervention(self, name: str, variant: Any) -> Intervention | None:
        return SILENCE if name == SILENCE.name else None


SILENCE = Intervention(
    name="silence", start=2, stop=4, hooks=lambda step: [("blocks.0.mlp.hook_post", torch.zeros_like)]
)


def test_an_intervention_given_in_python_is_found_by_its_name_elsewhere(tmp_path: Path) -> None:
    here, there = (open_bound(tmp_path / name, tables(ToyThatCanBeSilenced())) for name in ("here", "there"))
    list(here.variant("toy.silenced").train(steps=6, threads=1, interventions=[SILENCE]))
    (request,) = asked(here)
    assert isinstance(request, TrainRequest)
    list(run(there.value, request))
    plain = here.variant("toy.silenced").labelled("plain")
    list(plain.train(steps=6, threads=1))
    contents = [files(variant, "*00000006.safetensors") for variant in (here.variants()[0], there.variants()[0], plain)]
    assert contents[0] == contents[1]
    assert len(contents[0]) == 1
    weights = [workspace.variants()[0].at(6).checkpoint.weights for workspace in (here, there)]
    assert torch.equal(weights[0]["W_U"], weights[1]["W_U"])
    assert not torch.equal(weights[0]["W_U"], plain.at(6).checkpoint.weights["W_U"])


def test_an_intervention_that_the_family_does_not_know_is_refused(tmp_path: Path) -> None:
    workspace = open_bound(tmp_path / "w", tables(ToyThatCanBeSilenced()))
    with pytest.raises(BadValue) as refused:
        run(workspace.value, TrainRequest(family="toy.silenced", interventions=("silence", "nois")))
    assert str(refused.value) == (
        "The family 'toy.silenced' knows no intervention nois.\n"
        "A variant that names one cannot be trained without it.\n"
        "Give it to `train(interventions=...)`, or correct the name."
    )
