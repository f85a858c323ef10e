"""What trainings left, over HTTP: metrics as columns, checkpoints, the configuration to ask for the same."""

from __future__ import annotations

import math
import shlex

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from miscope.errors import BadValue
from miscope.runs.queued_run import Place
from miscope.runs.submitting import arranged
from miscope.snapshot import Series
from miscope.studies.document import parsed
from miscope.studies.resolving import resolved
from miscope.train_request import TrainRequest
from miscope.workspace import open_workspace
from miscope_panel.shown.thinning import thinned
from miscope_panel.shown.training_script import study_of

NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def api(asked_in):
    return asked_in()


@pytest.fixture
def done(api):
    """A training whose variant was trained, in the same workspace, to step 30."""
    from miscope.bound import open_bound
    from miscope.testing import tables

    list(open_bound(api.workspace.root, tables()).variant("toy.sum").train(threads=1))
    assert api.train() == 1
    return api


def test_metrics_are_columns_of_the_steps_asked_for(done):
    answer = done.get("trainings/1/metrics", names=["*_loss"], start_step=5, end_step=9).json()
    stored = done.workspace.store.metrics(NAME, ("*_loss",))
    assert (answer["variant"], set(answer["metrics"])) == (NAME, {"train_loss", "test_loss"})
    curve = answer["metrics"]["train_loss"]
    assert curve == {"steps": [5, 6, 7, 8, 9], "values": stored["train_loss"].values[5:10].tolist(), "points": 5}


def test_a_value_that_is_no_number_is_null(done):
    done.workspace.store.append_metrics(NAME, [(31, "train_loss", math.nan), (32, "train_loss", math.inf)])
    curve = done.get("trainings/1/metrics", names="train_loss", start_step=31).json()["metrics"]["train_loss"]
    assert curve == {"steps": [31, 32], "values": [None, None], "points": 2}


def test_metrics_of_a_run_that_has_not_begun_are_none(api):
    api.train()
    assert api.get("trainings/1/metrics").json()["metrics"] == {}
    assert api.get("trainings/1/checkpoints").json()["checkpoints"] == []


def test_thinned_metrics_say_how_many_points_there_are(done):
    curve = done.get("trainings/1/metrics", names="train_loss", max_points=6).json()["metrics"]["train_loss"]
    assert (len(curve["steps"]), curve["points"]) == (6, 31)
    assert (curve["steps"][0], curve["steps"][-1]) == (0, 30)
    assert done.get("trainings/1/metrics", max_points=3).json()["error"]["fields"][0]["name"] == "max_points"


def test_of_each_stretch_the_extremes_stay():
    values = np.array([5.0, 1, 9, 1, 2, 7, 7, 3, 0, 4])
    kept = thinned(Series(steps=np.arange(10) * 10, values=values), 6)
    # Stretches 1 9 1 2 and 7 7 3 0; of equal values the earlier.
    assert kept.steps.tolist() == [0, 10, 20, 50, 80, 90]
    assert kept.values.tolist() == [5, 1, 9, 7, 0, 4]


def test_a_stretch_without_any_number_keeps_its_first_point_and_a_number_is_kept_before_nan():
    values = np.array([0, math.nan, math.nan, math.nan, 3, math.inf, 1])
    kept = thinned(Series(steps=np.arange(7), values=values), 6)
    assert kept.steps.tolist() == [0, 1, 4, 5, 6]


@given(st.lists(st.floats(allow_nan=True), max_size=60), st.integers(4, 30))
def test_a_thinned_curve_has_its_ends_its_extremes_and_no_more_points_than_asked(values, most):
    series = Series(steps=np.arange(len(values)), values=np.array(values, dtype=float))
    kept, again = thinned(series, most), thinned(series, most)
    assert len(kept.steps) <= most
    assert kept.steps.tolist() == again.steps.tolist() == sorted(set(kept.steps.tolist()))
    if values:
        assert (kept.steps[0], kept.steps[-1]) == (0, len(values) - 1)
    numbers = [value for value in values if not math.isnan(value)]
    if numbers:
        assert {min(numbers), max(numbers)} <= set(kept.values.tolist())


def test_checkpoints_come_with_their_size_and_the_metrics_of_their_step(done):
    found = done.get("trainings/1/checkpoints").json()["checkpoints"]
    assert [each["step"] for each in found] == [0, 10, 20, 30]
    size = done.workspace.store.layout.checkpoint(NAME, 10).stat().st_size
    assert (found[1]["bytes"], found[1]["problem"], found[1]["with_state"]) == (size, None, False)
    stored = done.workspace.store.metrics(NAME, ("train_loss",))["train_loss"].values[10]
    assert found[1]["metrics"]["train_loss"] == stored


FULL = {
    "params": {"seed": 4, "values": 7},
    "training": {"weight_decay": 0.25, "checkpoints": "every:5"},
    "label": "mine",
    "steps": 12,
    "threads": 1,
    "device": "cpu",
    "watch": ["ranks.weights:5"],
}


def test_the_configuration_is_the_body_that_asks_for_the_same(api):
    api.post("trainings", family="toy.sum", **FULL)
    body = api.get("trainings/1/config").json()
    assert api.post("trainings", **body).json()["what"] == api.get("trainings/1").json()["what"]
    first, second = api.queue.runs()
    assert first.request == second.request


def test_the_configuration_as_a_command_asks_for_the_same(api, offer, command, tmp_path):
    from miscope.runs.run_queue import RunQueue

    assert api.post("trainings", family="toy.sum", **FULL).status_code == 201
    answer = api.get("trainings/1/config", format="cli")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == (
        "miscope train toy.sum seed=4 values=7 --set weight_decay=0.25 --set checkpoints=every:5 --steps 12 --as mine "
        "--threads 1 --device cpu --watch ranks.weights:5\n"
    )
    offer("toy", "miscope.testing.toy")
    elsewhere = tmp_path / "elsewhere"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("miscope.runs.supervisor.start_supervisor", lambda root: 0)
        code, _, err = command(*shlex.split(answer.text)[1:], "--queue", "--workspace", elsewhere)
    assert code == 0, err
    (typed,) = RunQueue(elsewhere).runs()
    assert typed.what == api.queue.run(1).what
    assert (typed.request.steps, typed.request.watch) == (12, ("ranks.weights:5",))


def test_the_configuration_as_a_study_is_of_the_same_training(api, tmp_path):
    from miscope.studies.resolving import read_study

    api.post("trainings", family="toy.sum", **FULL, group="wide")
    path = tmp_path / "study.yaml"
    path.write_text(api.get("trainings/1/config", format="yaml").text)
    study = read_study(api.workspace, path)
    asked, (run,) = api.queue.run(1), study.runs
    assert (study.name, run.variant.name) == ("wide", asked.what)
    said = {"steps", "device", "threads", "compile", "watch", "label", "group"}
    steps = {"steps": run.variant.training.steps}  # a study says them of the variant
    assert run.train.model_dump(include=said) | steps == asked.request.model_dump(include=said)


NAMES = st.text("abcXYZ019._+=@-, /#:'\"null~\\\né", max_size=12)
FLOATS = st.floats(0, 1e3, allow_nan=False) | st.sampled_from([1e-8, 5e-324, 1e16, 0.1])


@settings(max_examples=60, deadline=None)
@given(
    asked=st.fixed_dictionaries(
        {"group": NAMES | st.none(), "label": NAMES | st.none(), "steps": st.integers(0, 10**18) | st.none()}
    ),
    training=st.fixed_dictionaries(
        {"weight_decay": FLOATS},
        optional={"steps": st.integers(0, 50), "checkpoints": st.just("0-9:2,9-40:5")},
    ),
)
def test_every_training_that_may_be_asked_for_is_the_one_of_its_study(untouched, asked, training):
    try:
        request = TrainRequest(family="toy.sum", training=training, **asked)
        what, _ = arranged(untouched.workspace, untouched.queue, request, Place())
    except BadValue:
        reject()
    (run,) = resolved(untouched.workspace, parsed(study_of(untouched.workspace, request, what), "s.yaml")).runs
    said = {"device", "threads", "compile", "watch", "label"}
    assert (run.variant.name, run.train.model_dump(include=said)) == (what, request.model_dump(include=said))
    assert run.variant.training.steps == (training.get("steps", 30) if request.steps is None else request.steps)


def test_a_run_from_before_groups_were_checked_is_no_study(api):
    api.queue.submit(TrainRequest(family="toy.sum", group="by hand"), what="toy.sum/v5-seed0-width16")
    answer = api.get("trainings/1/config", format="yaml")
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        422,
        "No study says this training.\nstudy.yaml, line 1: It cannot be called 'by hand'.\nTake format=json.",
    )


def test_the_configuration_as_a_script_trains_the_same_as_far(api, tmp_path, monkeypatch, offer):
    api.post("trainings", family="toy.sum", **FULL)
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "elsewhere"))
    exec(api.get("trainings/1/config", format="python").text, {})
    store = open_workspace(tmp_path / "elsewhere").store
    assert (store.variants(), store.steps(api.queue.run(1).what)) == ([api.queue.run(1).what], [0, 5, 10, 12])


@pytest.mark.parametrize("format", ["yaml", "python", "cli"])
def test_what_a_format_cannot_say_is_refused_and_json_is_named(api, format):
    api.queue.submit(TrainRequest(family="toy.sum", interventions=("odd",)), what="toy.sum/v5-seed0-width16")
    answer = api.get("trainings/1/config", format=format)
    assert answer.status_code == 422
    assert "format=json" in answer.json()["error"]["message"].splitlines()[2]


def test_families_come_with_a_schema_of_what_they_are_asked_with(api):
    found = {family["name"]: family for family in api.get("families").json()["families"]}
    toy = found["toy.sum"]
    values = toy["params"]["properties"]["values"]
    assert (values["minimum"], values["maximum"], values["default"]) == (3, 31, 5)
    assert values["description"].startswith("That each of the two numbers can have")
    rate = toy["training"]["properties"]["learning_rate"]
    assert (rate["type"], rate["default"]) == ("number", 0.01)
    assert api.get("families/toy.sum").json() == toy
    assert api.get("families/toy.smu").json()["error"]["message"].splitlines()[1] == "Did you mean 'toy.sum'?"
