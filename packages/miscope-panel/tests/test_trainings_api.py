"""Trainings asked for over HTTP: what is taken, what is refused and in which words, what is answered."""

from __future__ import annotations

import pytest

from miscope.runs.queued_run import Reached
from miscope.runs.run_state import RunState
from miscope.training.train import train
from miscope_panel.http.problem import PREFIX

NAME = "toy.sum/v5-seed3-width16"


@pytest.fixture
def api(asked_in):
    return asked_in()


def test_a_training_that_is_asked_for_is_a_run_in_the_queue_and_somebody_is_called_to_work_on_it(api):
    body = {"params": {"seed": 3}, "training": {"weight_decay": 0.5}, "steps": 7, "threads": 1, "priority": 2}
    answer = api.post("trainings", family="toy.sum", **body)
    seen = answer.json()
    assert (answer.status_code, seen["id"], seen["state"], seen["status"]) == (201, 1, "pending", "pending")
    assert (seen["what"], seen["priority"], seen["allowed"]) == (f"{NAME}-wd0.5", 2, ["pause", "cancel"])
    (run,) = api.queue.runs()
    assert (run.request.steps, run.request.threads, run.request.training) == (7, 1, {"weight_decay": 0.5})
    assert api.summoned == [1]
    assert api.get("trainings/1").json() == seen


def test_an_analysis_follows_a_training_and_stands_among_the_runs_but_not_among_the_trainings(api):
    api.train(seed=3, then_analyze=["parameters.norms"])
    first, second = api.queue.runs()
    assert (second.request.variants, second.request.analyzers) == ((NAME,), ("parameters.norms",))
    assert second.place.needs == (first.id,)
    assert [run["id"] for run in api.get("runs").json()["data"]] == [2, 1]
    assert [run["id"] for run in api.get("trainings").json()["data"]] == [1]
    assert (api.get("runs/2").json()["kind"], api.get("trainings/2").status_code) == ("analyze", 404)


def test_a_training_waits_for_the_runs_that_it_names(api):
    first = api.train()
    assert api.get(f"trainings/{api.train(seed=1, needs=[first])}").json()["needs"] == [first]
    assert [run.id for run in api.queue.ready()] == [first]


def test_a_dry_run_says_every_setting_and_queues_nothing(api):
    answer = api.post("trainings", family="toy.sum", params={"seed": 3}, dry_run=True)
    plan = answer.json()
    assert (answer.status_code, plan["what"], plan["steps"], plan["last_step"]) == (200, NAME, 30, None)
    assert plan["params"] == {"values": 5, "seed": 3, "width": 16}
    assert plan["training"]["learning_rate"] == 0.01
    told = plan["estimate"]
    assert (told["steps"], told["checkpoints"], told["measured"]) == (30, 4, 0)
    assert 0 < told["seconds"][0] < told["seconds"][1]
    far = api.post("trainings", family="toy.sum", steps=10**15, dry_run=True).json()
    assert (far["steps"], far["estimate"]) == (10**15, None)
    assert plan["trained_with"] == {}
    list(train(api.workspace, api.workspace.variant("toy.sum", seed=3, steps=2, checkpoints="every:1")))
    finished = api.post("trainings", family="toy.sum", params={"seed": 3}, steps=2, dry_run=True).json()
    assert (finished["last_step"], finished["trained_with"]) == (2, {"checkpoints": "every:1"})
    study = {"name": "again", "family": "toy.sum", "base": {"seed": 3, "steps": 2, "checkpoints": "every:2"}}
    (run,) = api.post("studies", study=study, dry_run=True).json()["runs"]
    assert (run["presence"], run["trained_with"]) == ("finished", {"checkpoints": "every:1"})
    assert (api.queue.runs(), api.summoned) == ([], [])


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"family": "toy.smu"}, "family", "There is no family named 'toy.smu'."),
        ({"params": {"values": 2}}, "params.values", "toy.sum refuses values=2: it must be 3 or more."),
        ({"params": {"prime": 2}}, "params.prime", "toy.sum refuses prime=2: there is no such field."),
        ({"training": {"steps": "many"}}, "training.steps", "toy.sum refuses steps='many'"),
        ({"training": {"momentum": 0.5}}, "training.momentum", "momentum=0.5 means nothing to a training with"),
        ({"label": "../../elsewhere"}, "label", "A variant cannot be told apart by the name '../../elsewhere'."),
        ({"watch": ["ranks.wieghts:5"]}, "watch", "There is no analyzer named 'ranks.wieghts'."),
        ({"watch": ["ranks.weights:0"]}, "watch", "'ranks.weights:0' does not say how often 'ranks.weights' is to be"),
        ({"watch": ["ranks.weights:x"]}, "watch", "'ranks.weights:x' does not say how often"),
        ({"watch": ["ranks.weights", "ranks.weights:5"]}, "watch", "'ranks.weights' is to be watched twice."),
        ({"watch": ["events.grokking"]}, "watch", "'events.grokking' cannot be watched while a model trains."),
        ({"device": "banana"}, "device", "There is no device 'banana'."),
        ({"device": "cuda:9999"}, "device", "There is no device 'cuda:9999' here."),
        ({"interventions": ["odd"]}, "interventions", "The family 'toy.sum' knows no intervention odd."),
        ({"training": {"interventions": ["odd"]}}, "training.interventions", "The family 'toy.sum' knows no"),
        ({"training": {"steps": 10**18}}, "training.steps", f"A training cannot go to step {10**18}."),
        ({"group": "by hand"}, "group", "It cannot be called 'by hand'."),
        ({"group": ""}, "group", "It cannot be called ''."),
        ({"then_analyze": ["ranks.wieghts"]}, "then_analyze", "There is no analyzer named 'ranks.wieghts'."),
        ({"needs": [7]}, "needs", "There is no run 7, nor any other."),
        ({"steps": -1}, "steps", "it must be 0 or more"),
        ({"step": 5}, "step", "there is no such field"),
    ],
)
def test_what_no_training_could_be_is_refused_at_once_and_the_field_is_named(untouched, body, field, message):
    for path in ("trainings", "trainings/estimate"):
        answer = untouched.post(path, **{"family": "toy.sum", **body})
        assert answer.status_code == 422
        (problem,) = answer.json()["error"]["fields"]
        assert problem["name"] == field
        assert problem["message"].startswith(message)
    assert (untouched.queue.runs(), untouched.summoned) == ([], [])


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"steps": "every:0"}, "steps", "'every:0' does not say which checkpoints."),
        ({"steps": []}, "steps", "No step was chosen."),
        ({"analyzers": []}, "analyzers", "No instrument is named."),
        ({"analyzers": ["ranks.wieghts"]}, "analyzers", "There is no analyzer named 'ranks.wieghts'."),
        ({"options": {"ranks.weights": {"a": 1}}}, "options", "'ranks.weights' has no option 'a'."),
        (
            {"analyzers": ["ranks.weights"], "options": {"neurons.clusters": {"threshold": 0.8}}},
            *("options", "'neurons.clusters' is not asked for"),
        ),
        ({"group": "a/b"}, "group", "It cannot be called 'a/b'."),
        ({"variants": ["toy.sum/none"]}, "variants", "There is no variant named 'toy.sum/none', nor any other."),
        ({"needs": [7]}, "needs", "There is no run 7."),
    ],
)
def test_what_no_analysis_could_be_is_refused_at_once_and_the_field_is_named(api, body, field, message):
    api.train(seed=3)
    answer = api.post("runs", **{"variants": [NAME], **body})
    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["error"]["fields"]
    assert problem["name"] == field
    assert problem["message"].startswith(message)
    assert len(api.queue.runs()) == 1


def test_what_a_state_does_not_allow_is_a_conflict_that_says_what_it_does_allow(api):
    number = api.train()
    answer = api.post(f"trainings/{number}/stop")
    assert answer.status_code == 409
    assert answer.json()["error"] == {
        "code": "WrongState",
        "message": "Run 1 is pending, which does not allow 'stop'.\nIt is for runs that are running.\n"
        "What may be asked of this one: pause, cancel.",
        "fields": [],
        "from": "pending",
        "action": "stop",
        "allowed": ["pause", "cancel"],
    }


def test_a_run_is_paused_resumed_stopped_cancelled_and_retried(api):
    number = api.train()
    assert api.post(f"trainings/{number}/pause").json()["state"] == "stopped"
    answer = api.post(f"trainings/{number}/resume")
    assert (answer.status_code, answer.json()["state"], len(api.summoned)) == (202, "pending", 2)
    api.begin(number)
    api.post(f"trainings/{number}/save")
    assert api.queue.run(number).save == 1
    seen = api.post(f"trainings/{number}/stop").json()
    assert (seen["state"], seen["status"]) == ("stopping", "running")
    api.queue.move(number, RunState.STOPPED)
    assert api.post(f"trainings/{number}/cancel").json()["state"] == "cancelled"
    answer = api.post(f"trainings/{number}/retry")
    again = answer.json()
    assert (answer.status_code, again["id"], again["retry_of"], again["attempt"]) == (201, 2, number, 2)
    assert len(api.summoned) == 3


def test_a_completed_training_goes_on_to_a_later_step_as_a_new_run(api):
    number = api.train()
    api.begin(number)
    api.queue.reach(number, Reached(done=30, total=30))
    api.queue.move(number, RunState.COMPLETED)
    answer = api.post(f"trainings/{number}/extend", steps=60)
    assert (answer.status_code, answer.json()["id"], answer.json()["request"]["steps"]) == (201, 2, 60)
    refused = api.post(f"trainings/{number}/extend", steps=30)
    assert (refused.status_code, refused.json()["error"]["fields"][0]["name"]) == (422, "steps")


def test_who_asks_for_what_a_completed_run_has_done_is_told_which(api):
    number = api.train(steps=20)
    asked = {"family": "toy.sum", "params": {"seed": 0}, "steps": 20}
    assert api.post("trainings/estimate", **asked).json()["duplicate_of"] is None
    api.begin(number)
    api.queue.reach(number, Reached(done=20, total=20))
    api.queue.move(number, RunState.COMPLETED)
    assert api.post("trainings/estimate", **asked).json()["duplicate_of"] == number
    assert api.post("trainings/estimate", **{**asked, "steps": 21}).json()["duplicate_of"] is None
    again = api.post("trainings", **asked)
    assert (again.status_code, again.json()["id"], again.json()["duplicate_of"]) == (201, 2, number)
    assert api.post("trainings", **{**asked, "params": {"seed": 1}}).json()["duplicate_of"] is None


def test_a_deleted_run_leaves_the_list_and_is_put_back(api):
    number = api.train()
    assert api.delete(f"trainings/{number}").status_code == 409
    api.post(f"trainings/{number}/cancel")
    assert api.delete(f"trainings/{number}").json()["deleted"]
    assert api.get("trainings").json()["data"] == []
    assert [run["id"] for run in api.get("trainings", deleted=True).json()["data"]] == [number]
    assert not api.post(f"trainings/{number}/restore").json()["deleted"]
    assert [run["id"] for run in api.get("trainings").json()["data"]] == [number]


def test_a_run_that_others_wait_for_is_not_deleted_and_they_are_named(api):
    first = api.train()
    second = api.train(seed=1, needs=[first])
    api.post(f"trainings/{first}/cancel")
    answer = api.delete(f"trainings/{first}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "StillNeeded")
    assert answer.json()["error"]["message"].splitlines()[1] == f"These wait for it: {second}."


def test_several_are_deleted_or_retried_and_each_says_what_became_of_it(api):
    cancelled, pending = api.train(), api.train(seed=1, then_analyze=True)
    api.post(f"trainings/{cancelled}/cancel")
    results = api.post("trainings/bulk-retry", ids=[cancelled, pending, 3, 99]).json()["results"]
    assert [(each["id"], (each["run"] or {}).get("retry_of")) for each in results] == [
        *((cancelled, cancelled), (pending, None), (3, None), (99, None)),
    ]
    assert [each["refused"] and each["refused"].splitlines()[0] for each in results] == [
        None,
        "Run 2 is pending, which does not allow 'retry'.",
        "There is no training 3.",
        "There is no run 99.",
    ]
    results = api.post("trainings/bulk-delete", ids=[cancelled, pending]).json()["results"]
    assert [each["refused"] is None for each in results] == [True, False]


def test_the_list_comes_in_pages_by_state_and_by_name(api):
    for seed in range(5):
        api.train(seed=seed, group="weights" if seed == 4 else None)
    api.post("trainings/5/cancel")
    page = api.get("trainings", page=2, limit=2).json()
    assert [run["id"] for run in page["data"]] == [3, 2]
    assert page["pagination"] == {"page": 2, "limit": 2, "total": 5, "pages": 3}
    assert (page["status_counts"]["pending"], page["status_counts"]["cancelled"]) == (4, 1)
    both = api.get("trainings", state=["cancelled", "running"]).json()["data"]
    assert [run["id"] for run in both] == [5]
    assert [run["id"] for run in api.get("trainings", q="SEED3").json()["data"]] == [4]
    assert [run["id"] for run in api.get("trainings", q="weight").json()["data"]] == [5]
    assert api.get("trainings", state="finished").json()["error"]["fields"][0]["name"] == "state.0"
    assert api.get("trainings", limit=101).status_code == 422


def test_the_log_is_the_last_lines_that_its_process_printed(api):
    number = api.train()
    assert api.get(f"trainings/{number}/log").json() == {"lines": []}
    api.queue.layout.run(number).joinpath("log.txt").write_text("one\ntwo\nthree\n")
    assert api.get(f"trainings/{number}/log", tail=2).json() == {"lines": ["two", "three"]}


def test_openapi_has_every_route_with_an_example_and_what_a_refusal_looks_like(api):
    page = api.get("openapi.json").json()
    paths = {path.removeprefix(f"{PREFIX}/"): set(verbs) for path, verbs in page["paths"].items()}
    asked = ("stop", "pause", "resume", "cancel", "retry", "save", "extend", "restore")
    assert all(paths[f"trainings/{{id}}/{word}"] == {"post"} for word in asked)
    assert all(paths[f"trainings/{{id}}/{word}"] == {"get"} for word in ("metrics", "config", "log"))
    assert (paths["trainings"], paths["trainings/{id}"]) == ({"get", "post"}, {"get", "patch", "delete"})
    assert paths["trainings/{id}/checkpoints"] == {"get", "post"}
    schemas = page["components"]["schemas"]
    assert all(schemas[name]["examples"] for name in ("TrainingAsked", "RunSeen", "Problem", "Metrics", "Longer"))
    fields = schemas["TrainingAsked"]["properties"]
    assert fields["compile"]["description"] == "Compile the forward pass, where that works."
    stop = page["paths"][f"{PREFIX}/trainings/{{id}}/stop"]["post"]["responses"]
    assert stop["409"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
