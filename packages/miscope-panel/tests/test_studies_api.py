"""Studies asked for over HTTP: their runs in the queue, what is refused of them, and where they stand."""

from __future__ import annotations

import pytest

STUDY = {
    "name": "decay",
    "family": "toy.sum",
    "base": {"steps": 20},
    "matrix": {"seed": [0, 1]},
    "run_name": "s{seed}",
    "train": {"threads": 1},
}


@pytest.fixture
def api(asked_in):
    return asked_in()


def test_a_study_is_its_runs_in_the_queue_each_analysis_behind_its_training(api):
    answer = api.post("studies", study={**STUDY, "analyze": {"analyzers": ["parameters.norms"]}}, priority=3)
    assert answer.status_code == 201, answer.text
    runs = answer.json()["runs"]
    assert [(run["name"], run["presence"], run["training"], run["analysis"]) for run in runs] == [
        *(("s0", "new", 1, 2), ("s1", "new", 3, 4)),
    ]
    assert [(run.group, run.place.priority, run.place.needs) for run in api.queue.runs()] == [
        *(("decay", 3, ()), ("decay", 3, (1,)), ("decay", 3, ()), ("decay", 3, (3,))),
    ]
    assert api.summoned == [4]
    assert api.workspace.store.layout.study("decay").exists()
    again = api.post("studies", study={**STUDY, "analyze": {"analyzers": ["parameters.norms"]}}).json()["runs"]
    assert ([run["training"] for run in again], len(api.queue.runs())) == ([1, 3], 4)


def test_a_study_says_where_its_runs_stand_and_every_setting_of_each(api):
    api.post("studies", study=STUDY)
    api.train(seed=5)
    api.post("trainings/2/cancel")
    (summary,) = api.get("studies").json()["studies"]
    assert summary == {"name": "decay", "kept": True, "runs": 2, "status_counts": {"pending": 1, "cancelled": 1}}
    seen = api.get("studies/decay").json()
    assert [(run["id"], run["state"]) for run in seen["runs"]] == [(1, "pending"), (2, "cancelled")]
    assert seen["study"]["base"]["steps"] == 20
    assert api.post("studies", study=seen["study"], name="again", dry_run=True).json()["runs"][1]["name"] == "s1"
    assert [run["id"] for run in api.get("trainings", group="decay").json()["data"]] == [2, 1]


def test_a_group_whose_study_is_kept_nowhere_is_its_runs(api):
    api.train(group="by-hand")
    assert api.get("studies").json()["studies"][0]["kept"] is False
    assert api.get("studies/by-hand").json()["study"] is None
    assert api.get("studies/decya").json()["error"]["code"] == "UnknownName"


def test_a_dry_run_of_a_study_says_every_setting_and_keeps_and_queues_nothing(api):
    answer = api.post("studies", study=STUDY, only=["s1"], dry_run=True)
    (run,) = answer.json()["runs"]
    assert (answer.status_code, run["name"], run["presence"], run["total"]) == (200, "s1", "new", 20)
    assert run["settings"]["width"] == 16
    assert run["estimate"]["steps"] == 20
    far = api.post("studies", study={**STUDY, "base": {"steps": 10**15}}, dry_run=True).json()["runs"]
    assert [each["estimate"] for each in far] == [None, None]
    assert (api.queue.runs(), api.summoned, api.get("studies").json()) == ([], [], {"studies": []})


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "study", "Which study?"),
        ({"study": STUDY, "template": "decay"}, "study", "There are a study and a template."),
        ({"template": "decay"}, "template", "There is no template named 'decay', nor any other."),
        ({"study": {**STUDY, "name": "../../etc"}}, "study.name", "study.name: It cannot be called '../../etc'."),
        ({"study": {"family": "toy.sum"}}, "study.name", "The study has no name."),
        ({"study": {**STUDY, "metrix": {}}}, "study.metrix", "study.metrix: There is no key 'metrix' in a study."),
        ({"study": {**STUDY, "extends": "/etc/passwd"}}, "study.extends", "study.extends: There is no key 'extends'"),
        (
            {"study": {**STUDY, "family": "toy.smu"}},
            "study.family",
            "study.family: There is no family named",
        ),
        ({"study": {**STUDY, "matrix": {"prime": [2]}}}, "study.matrix.prime", "study.matrix.prime: There is no field"),
        ({"study": {**STUDY, "base": {"values": 2}}}, "study.matrix", "study.matrix: toy.sum refuses values=2"),
        ({"study": {**STUDY, "train": {"device": "banana"}}}, "study.train.device", "study.train.device: There is no"),
        ({"study": {**STUDY, "train": {"device": "cuda:9999"}}}, "device", "There is no device 'cuda:9999' here."),
        ({"study": {**STUDY, "train": {"watch": ["ranks.weights:0"]}}}, "study.train.watch", "study.train.watch: 'ra"),
        ({"study": {**STUDY, "analyze": {"steps": [-1]}}}, "study.analyze", "study.analyze: There is no checkpoint"),
        ({"study": STUDY, "only": ["s7"]}, "only", "There is no run named 's7'."),
        ({"study": STUDY, "start_from": 2}, "start_from", "No run is left from number 2 on."),
    ],
)
def test_what_no_study_could_be_is_refused_whole_and_the_place_is_named(untouched, body, field, message):
    answer = untouched.post("studies", **body)
    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["error"]["fields"]
    assert problem["name"] == field
    assert problem["message"].startswith(message)
    assert (untouched.queue.runs(), untouched.get("studies").json()) == ([], {"studies": []})
