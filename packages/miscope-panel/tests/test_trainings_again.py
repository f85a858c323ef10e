"""Trainings that go on, are asked for anew or sooner, and their checkpoints, over HTTP."""

from __future__ import annotations

import pytest

from miscope.bound import BoundWorkspace
from miscope.runs.run_state import RunState
from miscope_panel.http.problem import PREFIX

NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def api(asked_in):
    """A stopped training with checkpoints at 0, 10, 20 and 30."""
    made = asked_in()
    list(BoundWorkspace(made.workspace).variant("toy.sum").train(threads=1))
    number = made.train()
    made.queue.move(number, RunState.STOPPED)
    return made


def test_a_training_is_retried_as_it_was_from_scratch_or_with_another_seed(api):
    plain = api.post("trainings/1/retry").json()
    assert (plain["retry_of"], plain["request"]["resume"], plain["what"]) == (1, True, NAME)
    answer = api.post("trainings/1/retry", mode="from_scratch", seed=7)
    again = answer.json()
    assert (answer.status_code, again["retry_of"], again["attempt"]) == (201, 1, 2)
    assert (again["request"]["resume"], again["what"]) == (False, "toy.sum/v5-seed7-width16")
    assert api.post("trainings/1/retry", mode="backwards").json()["error"]["fields"][0]["name"] == "mode"
    assert len(api.summoned) == 3


def test_a_training_goes_on_from_its_last_step_and_from_no_earlier_one(api):
    refusal = api.post("trainings/1/resume", step=10)
    assert (refusal.status_code, refusal.json()["error"]["fields"][0]["name"]) == (422, "step")
    assert api.queue.run(1).state is RunState.STOPPED
    assert api.post("trainings/1/resume", step=30).json()["state"] == "pending"


def test_a_run_is_put_before_others(api):
    answer = api.client.patch(f"{PREFIX}/trainings/1", json={"priority": 7})
    assert (answer.status_code, answer.json()["priority"], api.queue.run(1).place.priority) == (200, 7, 7)
    assert api.client.patch(f"{PREFIX}/trainings/1", json={"state": "completed"}).status_code == 422
    assert api.client.patch(f"{PREFIX}/runs/99", json={"priority": 7}).status_code == 404


def test_a_run_is_given_a_name_notes_and_tags_and_found_by_them(api):
    first, second = api.train(), api.train(seed=1)
    changed = api.client.patch(f"{PREFIX}/trainings/{first}", json={"name": "Baseline", "tags": ["paper"]}).json()
    assert (changed["name"], changed["notes"], changed["tags"], changed["priority"]) == ("Baseline", "", ["paper"], 0)
    changed = api.client.patch(f"{PREFIX}/runs/{first}", json={"notes": "old split", "priority": 3}).json()
    assert (changed["name"], changed["notes"], changed["priority"]) == ("Baseline", "old split", 3)
    assert api.get(f"trainings/{first}").json() == changed
    for words in ("baseline", "SPLIT", "paper"):
        assert [run["id"] for run in api.get("trainings", q=words).json()["data"]] == [first]
    refused = api.client.patch(f"{PREFIX}/trainings/{second}", json={"name": "two\nlines", "priority": 9})
    assert (refused.status_code, refused.json()["error"]["fields"][0]["name"]) == (422, "name")
    assert api.get(f"trainings/{second}").json()["priority"] == 0, "of what is refused in part nothing is done"
    events = [event["event"] for event in api.get(f"trainings/{first}/events").json()["events"]]
    assert events == ["created", "status_changed", "status_changed", "status_changed"]


def test_an_estimate_is_the_plan_of_a_dry_run(api):
    body = {"family": "toy.sum", "params": {"seed": 3}, "steps": 20}
    plan = api.post("trainings/estimate", **body).json()
    assert plan == api.post("trainings", **body, dry_run=True).json()
    assert (plan["estimate"]["steps"], len(api.queue.runs())) == (20, 1)
    assert api.post("trainings/check", **body).json() == {**plan, "estimate": None}
    assert api.post("trainings/check", **body, then_analyze=["nobodys"]).status_code == 422


def test_for_one_too_many_no_estimate_is_made_and_the_answer_says_when_to_ask_again(asked_in, monkeypatch):
    monkeypatch.setattr("miscope_panel.rest.estimating._MOST", 0)
    answer = asked_in().post("trainings/estimate", family="toy.sum", params={"seed": 3})
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["error"]["code"]) == (503, "5", "NotNow")
    assert answer.json()["error"]["message"].endswith("already.\nAsk again in some seconds.")


def test_a_checkpoint_is_saved_now_where_a_training_runs(api):
    assert api.post("trainings/1/checkpoints").status_code == 409
    running = api.train(seed=2)
    api.begin(running)
    assert api.post(f"trainings/{running}/checkpoints").status_code == 202
    assert api.queue.run(running).save == 1


def steps(api):
    return [each["step"] for each in api.get("trainings/1/checkpoints").json()["checkpoints"]]


def test_checkpoints_are_pruned_by_a_rule_that_one_sees_first(api):
    plan = api.post("trainings/1/checkpoints/prune", last=2).json()
    assert (plan["done"], plan["kept"], plan["removed"]) == (False, [0, 20, 30], [10])
    assert (plan["bytes"] > 0, steps(api)) == (True, [0, 10, 20, 30])
    assert api.post("trainings/1/checkpoints/prune", last=2, dry_run=False).json()["done"]
    assert steps(api) == [0, 20, 30]


def test_one_checkpoint_is_removed_but_neither_the_first_nor_the_last(api):
    assert api.delete("trainings/1/checkpoints/20").json()["removed"] == [20]
    assert [api.delete(f"trainings/1/checkpoints/{step}").status_code for step in (0, 30, 20)] == [422, 422, 404]
    assert steps(api) == [0, 10, 30]
    with api.workspace.store.writing(NAME):
        assert api.delete("trainings/1/checkpoints/10").json()["error"]["code"] == "Busy"
    assert steps(api) == [0, 10, 30]
