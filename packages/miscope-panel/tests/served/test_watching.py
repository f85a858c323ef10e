"""One training watched over a WebSocket of a real server: every event once, in order, whoever restarts meanwhile."""

from __future__ import annotations

import json
import socket

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from miscope.runs.queued_run import Reached
from miscope.runs.run_state import RunState
from miscope_panel.rest.events_api import LOOK_EVERY

TOKEN = "0123456789abcdef-secret"


def watch(url, number=1, since=0, path="/ws/training", **more):
    return connect(f"{url.replace('http', 'ws', 1)}{path}/{number}?since_seq={since}", **more)


def until_closed(watched):
    """Every event that comes until the server closes, and the code that it closes with."""
    events = []
    try:
        while True:
            events.append(json.loads(watched.recv(timeout=60)))
    except ConnectionClosed as closed:
        return events, closed.rcvd.code


def names(events):
    return [event["event"] for event in events]


def reached(done, **more):
    return Reached(done=done, total=30, metrics={"train_loss": 0.5, "l0": 3.0}, rate=10.0, eta=2.0, **more)


@pytest.fixture
def api(asked_in):
    return asked_in()


@pytest.fixture
def ended(api):
    """A training that had five reports and two checkpoints and is completed."""
    api.train()
    api.begin(1)
    for done in (1, 2, 3):
        api.queue.reach(1, reached(done))
    api.queue.reach(1, reached(20, checkpoint=20), saved=(10, 20))
    api.queue.reach(1, reached(30, checkpoint=20))
    api.queue.move(1, RunState.COMPLETED)
    return api


def test_a_training_that_ended_is_told_from_its_beginning_and_the_socket_is_closed(ended, served):
    with served(ended.workspace) as url, watch(url) as watched:
        events, code = until_closed(watched)
    assert code == 1000
    assert names(events) == ["created", "status_changed", "checkpoint", "checkpoint", "progress", "completed"]
    assert {(event["v"], event["channel"], event["training_id"]) for event in events} == {(1, "training/1", 1)}
    assert [event["seq"] for event in events] == sorted({event["seq"] for event in events})
    folder = "variants/toy.sum/v5-seed0-width16/checkpoints"
    data = [event["data"] for event in events]
    assert data[1] == {"from": "pending", "to": "running", "reason": ""}
    assert data[2:4] == [
        {"checkpoint_path": f"{folder}/step_000000010.safetensors", "step": 10, "bytes": None},
        {"checkpoint_path": f"{folder}/step_000000020.safetensors", "step": 20, "bytes": None},
    ]
    progress = {"step": 30, "loss": 0.5, "l0": 3.0, "fvu": None, "progress_pct": 100.0}
    assert progress.items() <= data[4].items()
    completed = {"sae_path": f"{folder}/step_000000020.safetensors", "final_loss": 0.5}
    assert completed.items() <= data[5].items()


def test_one_that_fails_says_why_and_whether_it_can_go_on(api, served):
    api.train()
    api.begin(1)
    api.queue.reach(1, reached(20, checkpoint=20), saved=(20,))
    api.queue.move(1, RunState.FAILED, "It ran out of memory.")
    with served(api.workspace) as url, watch(url, path="/api/v1/ws/training") as watched:
        *_, last = until_closed(watched)[0]
    assert (last["event"], last["data"]) == (
        "failed",
        {
            "error": "It ran out of memory.",
            "step": 20,
            "state": "failed",
            "resumable": True,
            "last_checkpoint": 20,
        },
    )


def test_after_a_restart_one_goes_on_from_what_one_has_without_gap_or_repetition(api, served):
    api.train()
    api.begin(1)
    with served(api.workspace) as url, watch(url) as watched:
        first = [json.loads(watched.recv(timeout=60)) for _ in range(2)]
        api.queue.reach(1, reached(10, checkpoint=10), saved=(10,))
        first += [json.loads(watched.recv(timeout=60)) for _ in range(2)]
    api.queue.reach(1, reached(20, checkpoint=20), saved=(15, 20))
    with served(api.workspace) as url, watch(url, since=first[-1]["seq"]) as watched:
        rest = [json.loads(watched.recv(timeout=60)) for _ in range(3)]
        api.queue.move(1, RunState.COMPLETED)
        rest += until_closed(watched)[0]
    assert names(first) == ["created", "status_changed", "checkpoint", "progress"]
    assert names(rest) == ["checkpoint", "checkpoint", "progress", "completed"]
    assert [event["seq"] for event in first + rest] == [1, 2, 3, 4, *(event["seq"] for event in rest)]
    assert rest == api.get("trainings/1/events", since_seq=first[-1]["seq"]).json()["events"]


def test_two_who_watch_are_told_the_same(api, served):
    api.train()
    with served(api.workspace) as url, watch(url) as one, watch(url) as other:
        api.begin(1)
        api.queue.move(1, RunState.FAILED, "No.")
        assert until_closed(one) == until_closed(other)


def test_while_nothing_happens_there_are_heartbeats_that_count_nothing(api, served):
    api.train()
    with served(api.workspace, heartbeat=LOOK_EVERY) as url, watch(url) as watched:
        created, *beats = [json.loads(watched.recv(timeout=60)) for _ in range(3)]
    assert names([created, *beats]) == ["created", "heartbeat", "heartbeat"]
    assert {(beat["seq"], str(beat["data"])) for beat in beats} == {(created["seq"], "{}")}


def test_progress_that_comes_faster_is_told_by_its_last(api, served):
    api.train()
    api.begin(1)
    with served(api.workspace) as url, watch(url) as watched:
        for done in range(200):
            api.queue.reach(1, reached(done))
        api.queue.move(1, RunState.COMPLETED)
        events, _ = until_closed(watched)
    told = [event for event in events if event["event"] == "progress"]
    looks = 1 + (events[-1]["ts"] - events[1]["ts"]) / LOOK_EVERY
    assert len(told) <= looks + 1
    assert told[-1]["data"]["step"] == 199
    assert 1 / LOOK_EVERY <= 5


def test_who_asks_for_what_nobody_knows_gets_everything_anew(ended, served):
    with served(ended.workspace) as url, watch(url, since=500) as watched:
        first, *rest = until_closed(watched)[0]
    assert (first["event"], first["data"]) == ("resync", {"since_seq": 500})
    assert rest == ended.get("trainings/1/events").json()["events"]


def test_what_the_client_says_is_not_listened_to(api, served):
    api.train()
    with served(api.workspace) as url, watch(url) as watched:
        watched.send("stop")
        api.post("trainings/1/cancel")
        assert names(until_closed(watched)[0]) == ["created", "stopped"]


def test_one_may_watch_where_nothing_may_be_changed(asked_in, served):
    api = asked_in()
    api.train()
    api.post("trainings/1/cancel")
    with served(api.workspace, read_only=True) as url, watch(url) as watched:
        assert until_closed(watched)[1] == 1000


def refusal(url, number=1, **more):
    """Status, code and message of the handshake's refusal."""
    with pytest.raises(InvalidStatus) as refused, watch(url, number, **more):
        pass
    error = json.loads(refused.value.response.body)["error"]
    return refused.value.response.status_code, error["code"], error["message"].partition("\n")[0]


def test_what_cannot_be_watched_is_refused_with_the_one_body(api, served):
    api.train(then_analyze=True)
    begin = "The request is refused: "
    with served(api.workspace) as url:
        assert refusal(url, 7) == (404, "UnknownName", "There is no run 7.")
        assert refusal(url, 2) == (404, "UnknownName", "There is no training 2.")
        assert refusal(url, -1) == (422, "BadRequest", f"{begin}id: it must be 1 or more.")
        assert refusal(url, 1, since=-1)[:2] == (422, "BadRequest")
        assert refusal(url, "one")[:2] == (422, "BadRequest")


def test_who_may_not_come_in_and_what_is_too_long_is_refused_before_anything_is_told(api, served):
    api.train()
    with served(api.workspace, token=TOKEN) as url:
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as connection:
            assert refusal("http://evil.example", sock=connection)[:2] == (400, "WrongHost")
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{port + 1}"):
            assert refusal(url, origin=origin)[:2] == (403, "ForeignOrigin")
        assert refusal(url)[:2] == (401, "Unauthenticated")
        assert refusal(url, since="0&token=wrong")[:2] == (401, "Unauthenticated")
        assert refusal(url, additional_headers={"Authorization": "Bearer wrong"})[:2] == (401, "Unauthenticated")
        with pytest.raises(InvalidStatus, match="400"), watch(url, since=f"0&more={'a' * 9000}"):
            pass


def test_the_token_may_stand_in_a_header_a_cookie_or_the_address(ended, served):
    with served(ended.workspace, token=TOKEN) as url:
        for headers in ({"Authorization": f"Bearer {TOKEN}"}, {"Cookie": f"miscope_token={TOKEN}"}):
            with watch(url, additional_headers=headers) as watched:
                assert until_closed(watched)[1] == 1000
        with watch(url, since=f"0&token={TOKEN}") as watched:
            assert until_closed(watched)[1] == 1000


def test_the_description_says_where_the_channel_is_and_what_comes_over_it(api):
    described = api.get("openapi.json").json()
    channel = described["paths"]["/api/v1/trainings/{id}/events"]["get"]["x-websocket"]
    assert channel["path"] == "/ws/training/{id}"
    name = channel["message"]["$ref"].rpartition("/")[2]
    assert "progress" in described["components"]["schemas"][name]["properties"]["event"]["enum"]
