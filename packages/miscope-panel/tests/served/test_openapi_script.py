"""A script that knows nothing of miscope but what /api/v1/openapi.json says does a day's work with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

Event = dict[str, Any]
Serving = Callable[[Path], AbstractContextManager[str]]


class Script:
    """Asks by the names of operations; paths, methods and the WebSocket are the description's."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self.client = httpx.Client(base_url=self.address, timeout=60)
        described = self.client.get("/api/v1/openapi.json").json()
        self.operations = {
            operation["operationId"]: (method, path, operation)
            for path, verbs in described["paths"].items()
            for method, operation in verbs.items()
        }
        self.channel = self.operations["trainings_events"][2]["x-websocket"]

    def ask(self, name: str, /, body: object = None, query: Any = None, **places: object) -> Any:
        method, path, operation = self.operations[name]
        answer = self.client.request(method, path.format(**places), json=body, params=query)
        assert str(answer.status_code) in operation["responses"], (name, answer.text)
        assert answer.is_success, (name, answer.text)
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.content

    def watch(self, id: int, since: int = 0) -> Iterator[Event]:
        """Every event but signs of life, until the server says that the training has ended."""
        assert "since_seq" in self.channel["query"]
        address = f"ws{self.address.removeprefix('http')}{self.channel['path'].format(id=id)}?since_seq={since}"
        with connect(address) as told:
            yield from (event for event in map(json.loads, told) if event["event"] != "heartbeat")
        assert "ended" in self.channel["close"][str(told.close_code)]


def until(events: Iterator[Event], name: str) -> list[Event]:
    """Up to the first of that name."""
    seen = []
    for event in events:
        seen.append(event)
        if event["event"] == name:
            return seen
    raise AssertionError(f"{name} never came: {[event['event'] for event in seen]}")


def test_a_script_that_knows_only_the_openapi_does_a_days_work(
    offer: Callable[[str, str], None], serving: Serving, tmp_path: Path
) -> None:
    offer("toy", "miscope.testing.toy")
    with serving(tmp_path / "ws") as address:
        script = Script(address)
        with closing(script.client):
            short, long = two_of_a_study(script)
            since = one_is_stopped_while_both_are_watched(script, short, long)
            one_made_to_fail_is_retried(script)
            the_stopped_one_goes_on(script, long, since)
            what_it_left_is_taken(script, short)
            deleted_and_back_again(script, short)


def two_of_a_study(script: Script) -> list[int]:
    study = {
        "name": "seeds",
        "family": "toy.sum",
        "base": {"checkpoints": "adaptive:3-20"},
        "include": [{"seed": 0, "steps": 30}, {"seed": 1, "steps": 10**9}],
        "run_name": "s{seed}",
        "train": {"threads": 1},
    }
    assert script.ask("studies_create", {"study": study, "dry_run": True})["dry_run"]
    script.ask("studies_create", {"study": study})
    runs = script.ask("studies_study", name="seeds")["runs"]
    assert {run["group"] for run in runs} == {"seeds"}
    return sorted(run["id"] for run in runs if run["kind"] == "train")


def one_is_stopped_while_both_are_watched(script: Script, short: int, long: int) -> int:
    one, other = script.watch(short), script.watch(long)
    *_, completed = one
    assert completed["event"] == "completed"
    assert completed["data"]["sae_path"].endswith("step_000000030.safetensors")
    seen = until(other, "progress")
    assert "stop" in script.ask("trainings_one", id=long)["allowed"]
    script.ask("trainings_stop", {}, id=long)
    seen += other
    assert [event["seq"] for event in seen] == sorted({event["seq"] for event in seen})
    assert seen[-1]["event"] == "stopped"
    return seen[-1]["seq"]


def one_made_to_fail_is_retried(script: Script) -> None:
    asked = {"family": "toy.sum", "params": {"seed": 2}, "training": {"learning_rate": 1e30}, "steps": 20}
    failed = script.ask("trainings_create", {**asked, "threads": 1})
    *_, last = script.watch(failed["id"])
    assert (last["event"], last["data"]["error"] != "") == ("failed", True)
    again = script.ask("trainings_retry", {}, id=failed["id"])
    assert (again["retry_of"], again["attempt"]) == (failed["id"], 2)
    *_, last = script.watch(again["id"])
    assert last["event"] == "failed"
    script.ask("trainings_delete", id=failed["id"])


def the_stopped_one_goes_on(script: Script, long: int, since: int) -> None:
    reached = script.ask("trainings_one", id=long)["done"]
    script.ask("trainings_resume", {}, id=long)
    events = script.watch(long, since)
    seen = until(events, "progress")
    assert seen[0]["seq"] == since + 1
    assert [event["data"]["to"] for event in seen[:2]] == ["pending", "running"]
    script.ask("trainings_stop", {}, id=long)
    *_, last = events
    assert last["event"] == "stopped"
    assert script.ask("trainings_one", id=long)["done"] >= reached


def what_it_left_is_taken(script: Script, short: int) -> None:
    curve = script.ask("trainings_metrics", query={"names": "train_loss", "max_points": 10}, id=short)
    steps = curve["metrics"]["train_loss"]["steps"]
    assert (steps[0], steps[-1], len(steps) <= 10) == (0, 30, True)
    variant = curve["variant"]
    saved = [each["step"] for each in script.ask("trainings_checkpoints", id=short)["checkpoints"]]
    assert (saved[0], saved[-1]) == (0, 30)
    shown = script.ask("workspace_availability", query={"variant": variant})["views"]
    there = [name for name, view in shown.items() if view["state"] == "figure"]
    figure = script.ask("workspace_figure", query={"view": there[0], "variant": variant})
    assert figure["data"]
    assert figure["layout"]["meta"]["miscope"]["variant"] == variant
    assert script.ask("workspace_file", query={"view": there[0], "variant": variant}, suffix="csv").count(b"\n") > 1


def deleted_and_back_again(script: Script, short: int) -> None:
    def listed() -> list[int]:
        return [run["id"] for run in script.ask("trainings_listed")["data"]]

    assert short in listed()
    assert script.ask("trainings_delete", id=short)["deleted"]
    assert short not in listed()
    assert not script.ask("trainings_restore", {}, id=short)["deleted"]
    assert short in listed()
