"""`miscope.connect`: a server's workspace in the words of one that is here."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass

import numpy as np
import pytest

import miscope
from miscope.bound import open_bound
from miscope.errors import MiscopeError, UnknownName
from miscope.remote.remote_errors import NoClient, Refused, Unreachable
from miscope.runs.queued_run import Reached
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.process_identity import this_process

NAME = "toy.sum/v5-seed0-width16"
TOLD = ["created", "status_changed", "checkpoint", "progress", "completed"]
TOKEN = "0123456789abcdef-secret"


@dataclass
class There:
    """The server's own side of what a client asks."""

    workspace: object
    queue: RunQueue

    def work(self, number, done=30, state=RunState.COMPLETED, error=""):
        """As the run's process would."""
        assert self.queue.claim(number, this_process()) is not None
        reached = Reached(done=done, total=30, metrics={"train_loss": 0.5}, checkpoint=done)
        self.queue.reach(number, reached, saved=(done,))
        if state is not RunState.RUNNING:
            self.queue.move(number, state, error)


@pytest.fixture
def there(trained, tmp_path):
    shutil.copytree(trained.root, tmp_path / "there")
    workspace = open_bound(tmp_path / "there", trained.plugins).value
    return There(workspace, RunQueue(workspace.root))


@pytest.fixture
def remote(there, served):
    with served(there.workspace) as url, miscope.connect(url) as remote:
        yield remote


def test_it_has_the_workspaces_words(remote, there, trained):
    here = miscope.BoundWorkspace(trained)
    assert set(remote.families()) == set(here.plugins.families)
    assert [variant.name for variant in remote.variants()] == [variant.name for variant in here.variants()]
    assert remote.find(NAME).name == here.find(NAME).name
    variant = remote.variant("toy.sum", seed=3, learning_rate=0.5)
    assert variant.name == here.variant("toy.sum", seed=3, learning_rate=0.5).name
    assert (variant.params, variant.training) == ({"seed": 3}, {"learning_rate": 0.5})
    assert "width" in remote.find(NAME)._repr_html_()
    assert there.queue.runs() == []


def test_a_training_is_asked_for_watched_and_taken_home(remote, there):
    run = remote.queue.train(remote.find(NAME), steps=30, priority=2)
    follow = remote.queue.analyze(remote.find(NAME), ["parameters.norms"], after=[run])
    assert (run.state, run.progress, there.queue.run(run.number).place.priority) == (RunState.PENDING, None, 2)
    assert there.queue.run(follow.number).place.needs == (run.number,)
    there.work(run.number)
    assert [event.event for event in run.watch()] == TOLD
    assert (run.wait(), run.progress) == (RunState.COMPLETED, 1.0)
    assert repr(run) == f"<run {run.number} completed 100 %: train {NAME}>"
    assert f"<td>train {NAME}</td><td>100 %</td>" in remote.queue._repr_html_()
    steps, values = run.metric("train_loss")
    assert (steps.dtype, values.dtype) == (np.dtype(np.int64), np.dtype(np.float64))
    assert steps[[0, -1]].tolist() == [0, 30]
    thin = run.metrics("*_loss", max_points=4)["train_loss"].steps
    assert (len(thin) <= 4, thin[0], thin[-1]) == (True, 0, 30)
    assert [checkpoint["step"] for checkpoint in run.checkpoints()] == [0, 10, 20, 30]
    assert run.config()["family"] == "toy.sum"
    assert run.config("cli").startswith("miscope train toy.sum")
    assert remote.queue.run(run.extend(60).number).state is RunState.PENDING


def test_every_action_is_asked_by_its_name(remote, there):
    run = remote.queue.train(remote.variant("toy.sum", seed=5))
    assert run.pause().state is RunState.STOPPED
    assert run.resume().state is RunState.PENDING
    there.work(run.number, done=10, state=RunState.RUNNING)
    assert run.save().stop().state is RunState.STOPPING
    there.queue.move(run.number, RunState.STOPPED)
    assert run.cancel().state is RunState.CANCELLED
    again = run.retry()
    assert (again.number != run.number, again.value["retry_of"]) == (True, run.number)
    run.delete()
    assert [each.number for each in remote.queue.runs()] == [again.number]
    run.restore()
    assert [each.number for each in remote.queue.runs("cancelled", "pending")] == [run.number, again.number]
    assert run.log() == ""


def test_a_view_is_a_plotly_figure_that_was_drawn_there(remote, trained, tmp_path):
    variant, here = remote.find(NAME), miscope.BoundWorkspace(trained).find(NAME)
    assert variant.view("small.norms").figure(step=20) == here.at(20).view("small.norms").figure()
    assert variant.at(20).view("small.norms").figure() == here.at(20).view("small.norms").figure()
    both = remote.view("small.compared", remote.variants("toy.sum")).figure()
    assert len(both.data) == 2
    written = variant.view("small.losses", scale="linear").export(tmp_path / "losses.csv")
    assert written.read_text() == here.view("small.losses", scale="linear").export(tmp_path / "here.csv").read_text()


def test_a_refusal_is_the_servers_own_error_with_its_code_and_fields(remote):
    with pytest.raises(Refused) as refused:
        remote.variant("toy.sum", seed="many")
    assert (refused.value.status, refused.value.code, list(refused.value.fields)) == (422, "BadValue", ["params.seed"])
    assert isinstance(refused.value, MiscopeError)
    with pytest.raises(Refused) as unknown:
        remote.queue.run(7)
    assert str(unknown.value).startswith("There is no run 7")
    with pytest.raises(Refused) as unwatched:
        list(remote.queue.analyze(remote.find(NAME)).watch())
    assert unwatched.value.code == "UnknownName"
    with pytest.raises(UnknownName, match="There is no variant named"):
        remote.find("toy.sum/v6")


def test_what_is_asked_of_an_analysis_is_checked_at_once(remote):
    for wrong, field in (({"steps": "every:0"}, "steps"), ({"options": {"no.such": {}}}, "options")):
        with pytest.raises(Refused) as refused:
            remote.queue.analyze(remote.find(NAME), **wrong)
        assert field in refused.value.fields
    with pytest.raises(Refused) as refused:
        remote.queue.analyze(remote.variant("toy.sum", seed=9))
    assert list(refused.value.fields) == ["variants"]


def test_a_watcher_goes_on_over_a_restart_of_the_server_whatever_proxy_stands_before_others(there, served, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    number = there.queue.submit(_request(), what=NAME).id
    with served(there.workspace) as url:
        events = miscope.connect(url).queue.run(number).watch()
        seen = [next(events)]
    there.work(number)
    with served(there.workspace, port=int(url.rpartition(":")[2])):
        seen += events
    assert [event.event for event in seen] == TOLD
    assert [event.seq for event in seen] == sorted({event.seq for event in seen})


def _request():
    from miscope.train_request import TrainRequest

    return TrainRequest(family="toy.sum", params={"seed": 0})


def test_the_token_comes_with_the_address_or_beside_it(there, served):
    with served(there.workspace, token=TOKEN) as url:
        with pytest.raises(Refused) as refused:
            miscope.connect(url)
        assert refused.value.code == "Unauthenticated"
        for remote in (miscope.connect(url, TOKEN), miscope.connect(f"{url}/?token={TOKEN}")):
            run = remote.queue.train(remote.variant("toy.sum", seed=4)).cancel()
            assert [event.event for event in run.watch()] == ["created", "stopped"]
            run.delete()


def test_where_nobody_listens_is_said_in_three_parts(served, there, monkeypatch):
    monkeypatch.setattr("miscope.remote.connection._WAIT", 0.0)
    with served(there.workspace) as url:
        pass
    with pytest.raises(Unreachable) as away:
        miscope.connect(url)
    assert str(away.value) == (
        f"No answer comes from {url}.\n"
        "[Errno 111] Connection refused.\n"
        "Is `miscope serve` running there, and is the address right?"
    )


def test_without_the_extra_it_says_which_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoClient) as refused:
        miscope.connect("http://127.0.0.1:5006")
    assert str(refused.value) == (
        "miscope.connect asks a server, and the packages httpx and websockets are not both installed.\n"
        "They are an extra of miscope-core: a workspace that is here needs neither.\n"
        "Install them:  pip install miscope-core[client]"
    )


def test_a_server_may_be_away_for_as_long_as_it_takes_to_start_it_again(monkeypatch):
    from miscope.remote.address import Address
    from miscope.remote.channel import heard
    from miscope.remote.connection import Connection

    clock, waits = [0.0], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr("miscope.remote.channel.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("miscope.remote.channel.time.sleep", sleep)
    with pytest.raises(Unreachable):
        list(heard(Connection(Address.of("http://127.0.0.1:9")), 1, patience=30.0))
    assert 30.0 < clock[0] <= 32.0
    assert max(waits) == 2.0
