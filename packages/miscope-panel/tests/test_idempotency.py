"""Requests with an idempotency key: done once, whoever asks again, whatever became of the server meanwhile."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from miscope.runs.run_queue import RunQueue
from miscope.store.process_identity import this_process
from miscope_panel.http import kept_answers
from miscope_panel.http.kept_answers import Answer, Claim, KeptAnswers
from miscope_panel.http.problem import PREFIX

TRAINING = {"family": "toy.sum", "params": {"seed": 7}}
ANALYSIS = {"variants": ["toy.sum/v5-seed1-width16"], "analyzers": ["parameters.norms"]}
STUDY = {"family": "toy.sum", "base": {"steps": 20}, "matrix": {"seed": [0, 1]}}
CREATING = {
    "trainings": TRAINING,
    "runs": ANALYSIS,
    "studies": {"study": {**STUDY, "name": "two"}},
    "training-templates": {"name": "Small", "study": STUDY},
}


@pytest.fixture
def api(asked_in):
    made = asked_in()
    made.train(seed=1)
    return made


def ask(api, path, body, key="norms-1"):
    return api.client.post(f"{PREFIX}/{path}", json=body, headers={"idempotency-key": key})


def refusal(answer):
    return answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["message"].split("\n")


@pytest.mark.parametrize("path", CREATING)
def test_what_is_asked_twice_is_done_once_though_the_server_begins_anew_in_between(api, asked_in, path):
    first = ask(api, path, CREATING[path])
    assert first.status_code == 201, first.text
    runs, later = api.queue.runs(), asked_in()
    for again in (ask(api, path, CREATING[path]), ask(later, path, dict(reversed(CREATING[path].items())))):
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers.get("etag") == first.headers.get("etag")
    assert "idempotency-replayed" not in first.headers
    assert [run.id for run in later.queue.runs()] == [run.id for run in runs]


def test_of_clients_that_ask_at_once_one_is_served_and_all_are_told_the_same(api):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(api, "trainings", TRAINING), range(6)))
    assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(201, 2)}
    assert len(api.queue.runs()) == 2


def test_an_answer_that_comes_while_one_looks_is_no_request_that_was_cut_off(tmp_path, monkeypatch):
    answers, given = KeptAnswers(tmp_path), Answer(status=201, headers=(), body="{}")
    assert answers.claim("key", "request") is Claim.OURS

    def answered_meanwhile():
        """The file was read; before one looks who works on it, the answer is kept and its worker has left."""
        if len(asked := [*calls, None]) == 2:
            answers.keep("key", "request", given)
            answers.leave("key")
        calls[:] = asked
        return this_process()

    calls: list[None] = []
    monkeypatch.setattr(kept_answers, "this_process", answered_meanwhile)
    assert answers.claim("key", "request") == given


def test_a_key_stands_for_one_request(api):
    ask(api, "trainings", TRAINING)
    for path, body in (
        ("trainings", {**TRAINING, "steps": 5}),
        ("studies", TRAINING),
        ("trainings?x=1", TRAINING),
    ):
        assert refusal(ask(api, path, body)) == (
            409,
            "KeyUsed",
            [
                "The idempotency key 'norms-1' was used for another request.",
                "For a day a key stands for one request with its path and its body.",
                "Take another key for this one.",
            ],
        )
    assert ask(api, "trainings", TRAINING, "norms-2").json()["id"] == 3


def test_what_was_refused_leaves_the_key_free(api):
    assert ask(api, "trainings", {**TRAINING, "steps": -1}).status_code == 422
    assert ask(api, "trainings", TRAINING).json()["id"] == 2


def test_after_a_day_a_key_is_free(api):
    ask(api, "trainings", TRAINING)
    (kept,) = api.workspace.store.layout.answers.iterdir()
    os.utime(kept, times=(time.time() - 86000,) * 2)
    assert ask(api, "trainings", TRAINING).json()["id"] == 2
    os.utime(kept, times=(time.time() - 86401,) * 2)
    assert ask(api, "trainings", TRAINING).json()["id"] == 3


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}"])
def test_where_what_was_kept_is_damaged_nothing_is_done_again(api, content):
    ask(api, "trainings", TRAINING)
    (kept,) = api.workspace.store.layout.answers.iterdir()
    kept.write_bytes(content)
    assert refusal(ask(api, "trainings", TRAINING))[:2] == (409, "CutOff")
    assert len(api.queue.runs()) == 2


def test_what_only_answers_needs_no_key_and_keeps_nothing(api):
    assert ask(api, "trainings/check", TRAINING).status_code == 200
    assert not api.workspace.store.layout.answers.exists()


def test_a_request_at_which_the_server_failed_is_not_done_twice(api, monkeypatch):
    done = RunQueue.submit

    def done_and_then_failed(*given, **more):
        done(*given, **more)
        raise RuntimeError("a fault")

    with monkeypatch.context() as patched:
        patched.setattr(RunQueue, "submit", done_and_then_failed)
        assert ask(api, "trainings", TRAINING).status_code == 500
    assert refusal(ask(api, "trainings", TRAINING)) == (
        409,
        "CutOff",
        [
            "The request of the idempotency key 'norms-1' was cut off.",
            "The server failed or ended at work on it, and may have done it or not.",
            "Look whether it was done; where it was not, ask again with another key.",
        ],
    )
    assert len(api.queue.runs()) == 2


@pytest.mark.parametrize("key", ["", "two words", "a" * 256, "\xe4"])
def test_what_is_no_key_is_refused(api, key):
    status, code, (first, *_) = refusal(ask(api, "trainings", TRAINING, key.encode("latin-1")))
    known = "it has 1 to 255 characters of ASCII, without spaces."
    assert (status, code, first) == (422, "BadRequest", f"The request is refused: idempotency-key: {known}")
    assert len(api.queue.runs()) == 1
