"""What happens to runs, told as it happens: which event a change is, and the stream that carries them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from miscope.runs.queued_run import Reached
from miscope.runs.run_state import RunState
from miscope_panel.rest.events_api import HEARTBEAT, LOOK_EVERY, stream
from miscope_panel.rest.run_events import Changes


@pytest.fixture
def api(asked_in):
    return asked_in()


def told(changes):
    return [(event.event, event.id, event.before, event.run.state) for event in changes.look()]


def test_one_who_begins_to_listen_is_told_of_what_has_not_ended(api):
    api.train()
    api.train(seed=1)
    api.post("trainings/1/cancel")
    assert told(Changes(api.queue)) == [("seen", 2, None, "pending")]


def test_each_change_is_told_once_by_what_it_is(api):
    changes = Changes(api.queue)
    assert told(changes) == []
    api.train(then_analyze=True)
    assert told(changes) == [("created", 1, None, "pending"), ("created", 2, None, "pending")]
    api.begin(1)
    assert told(changes) == [("status", 1, "pending", "running")]
    api.queue.reach(1, Reached(done=5, total=30))
    assert told(changes) == [("progress", 1, "running", "running")]
    api.queue.reach(1, Reached(done=10, total=30, checkpoint=10))
    assert told(changes) == [("checkpoint", 1, "running", "running")]
    assert told(changes) == []
    api.queue.move(1, RunState.COMPLETED)
    assert told(changes) == [("completed", 1, "running", "completed")]
    api.begin(2)
    api.queue.move(2, RunState.FAILED, "No instrument applies.")
    assert told(changes) == [("failed", 2, "pending", "failed")]
    api.delete("trainings/1")
    assert told(changes) == [("deleted", 1, "completed", "completed")]
    api.post("trainings/1/restore")
    assert told(changes) == [("restored", 1, "completed", "completed")]


def test_of_several_changes_between_two_looks_the_last_is_told(api):
    api.train()
    changes = Changes(api.queue)
    changes.look()
    api.begin(1)
    for done in range(5):
        api.queue.reach(1, Reached(done=done, total=30))
    api.post("trainings/1/stop")
    (event,) = changes.look()
    assert (event.event, event.before, event.run.state, event.run.done) == ("status", "pending", "stopping", 4)


def test_one_may_listen_to_some_runs_alone(api):
    api.train()
    api.train(seed=1)
    changes = Changes(api.queue, frozenset({2}))
    assert told(changes) == [("seen", 2, None, "pending")]
    api.post("trainings/1/cancel")
    api.post("trainings/2/cancel")
    assert told(changes) == [("status", 2, "pending", "cancelled")]


def heard(changes: Changes, looks: int, *, between: Callable[[int], None] = lambda look: None) -> list[str]:
    """What a listener has read who leaves after so many looks; between: done before each."""

    async def listen() -> list[str]:
        seen = 0

        async def gone() -> bool:
            nonlocal seen
            seen += 1
            between(seen)
            return seen > looks

        return [text async for text in stream(changes, gone=gone)]

    # An event loop of its own: a browser's may be running in this thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, listen()).result()


def test_a_stream_is_text_that_a_browser_reads_and_a_sign_of_life_comes_at_once(api):
    assert heard(Changes(api.queue), 1) == [": nothing happened\n\n"]
    api.train()
    (text,) = heard(Changes(api.queue), 2)
    first, second, *rest = text.split("\n")
    assert (first, rest) == ("event: seen", ["", ""])
    event = json.loads(second.removeprefix("data: "))
    assert (event["id"], event["from"], event["run"]) == (1, None, api.get("trainings/1").json())


def test_after_a_long_silence_there_is_a_sign_of_life(api, monkeypatch):
    monkeypatch.setattr("miscope_panel.rest.events_api.LOOK_EVERY", HEARTBEAT / 4)
    monkeypatch.setattr("miscope_panel.rest.events_api.asyncio.sleep", lambda seconds: asyncio.wait_for(_soon(), 1))
    assert heard(Changes(api.queue), 9) == [": nothing happened\n\n"] * 3


async def _soon() -> None:
    """Instead of waiting."""


def test_of_one_run_no_more_than_five_events_come_a_second():
    assert 1 / LOOK_EVERY <= 5


def test_a_queue_that_cannot_be_read_is_the_last_that_is_told(api):
    api.train()

    def damage(look: int) -> None:
        if look == 2:
            api.queue.close()
            api.queue.layout.queue.with_name("runs.sqlite-wal").unlink(missing_ok=True)
            api.queue.layout.queue.write_bytes(b"no database" * 1000)

    *_, last = heard(Changes(api.queue), 5, between=damage)
    name, content, *_ = last.split("\n")
    assert name == "event: error"
    assert json.loads(content.removeprefix("data: "))["error"]["code"] == "BadFile"


def test_a_number_that_is_none_is_refused_before_the_stream_begins(api):
    assert api.get("events", id="-1").status_code == 422
    assert "text/event-stream" in str(api.get("openapi.json").json()["paths"]["/api/v1/events"])
