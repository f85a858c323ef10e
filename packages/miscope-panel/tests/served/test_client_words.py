"""Every operation of OpenAPI has a word of the client that asks for it, and every word of a workspace that is here has
one over HTTP, or a reason why not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

import miscope
from miscope.analyzer import Grain
from miscope.bound import BoundSnapshot, BoundVariant, BoundWorkspace, open_bound
from miscope.bound_queue import BoundQueue, BoundRun
from miscope.bound_view import BoundView
from miscope.errors import NoCheckpoint
from miscope.plugins.plugins import Plugins
from miscope.remote.connection import Connection
from miscope.remote.remote_errors import NotRemote, Refused
from miscope.remote.remote_queue import RemoteQueue
from miscope.remote.remote_run import RemoteRun
from miscope.remote.remote_template import RemoteTemplate
from miscope.remote.remote_variant import RemoteVariant
from miscope.remote.remote_view import RemoteView
from miscope.remote.remote_workspace import RemoteWorkspace
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.process_identity import this_process
from miscope_panel.http.problem import PREFIX

NAME = "toy.sum/v5-seed0-width16"
STUDY = {"name": "seeds", "family": "toy.sum", "matrix": {"seed": [7, 8]}, "base": {"steps": 20}}


@dataclass
class There:
    """A server's workspace, from both sides."""

    remote: RemoteWorkspace
    queue: RunQueue
    plugins: Plugins
    seed: int = field(default=100)

    @property
    def variant(self) -> RemoteVariant:
        return self.remote.find(NAME)

    def training(self, state: RunState | None = None, error: str = "") -> RemoteRun:
        """A training that stands so; pending where nothing is said."""
        self.seed += 1
        run = self.remote.queue.train(self.remote.variant("toy.sum", seed=self.seed))
        return self._moved(run, state, error)

    def trained(self) -> RemoteRun:
        """A completed training, of the variant that is there."""
        return self._moved(self.remote.queue.train(self.variant, steps=30), RunState.COMPLETED)

    def template(self) -> RemoteTemplate:
        self.seed += 1
        return self.remote.templates.save(f"kept {self.seed}", {"family": "toy.sum"})

    def _moved(self, run: RemoteRun, state: RunState | None, error: str = "") -> RemoteRun:
        if state is not None:
            assert self.queue.claim(run.number, this_process()) is not None
        if state not in (None, RunState.RUNNING):
            self.queue.move(run.number, state, error)
        return run


def failed(at: There) -> RemoteRun:
    return at.training(RunState.FAILED, "it broke")


CALLS: dict[str, Callable[[There], object]] = {
    "GET health": lambda at: at.remote.root,
    "GET plugins": lambda at: at.remote.plugins,
    "GET variants": lambda at: at.remote.variants(),
    "GET table": lambda at: at.remote.table(where="seed = 0", sort="test_loss:desc", limit=5)["rows"],
    "GET table/views": lambda at: at.remote.saved_views(),
    "PUT table/views/{name}": lambda at: at.remote.save_view("Seed one", "find=seed%3D1"),
    "DELETE table/views/{name}": lambda at: (at.remote.save_view("a b", ""), at.remote.remove_view("a b")),
    "GET annotation": lambda at: at.variant.annotation,
    "PATCH annotation": lambda at: at.variant.annotate(tags=["paper"], pins={20: "here"}, unpin=[5]),
    "GET report/{suffix}": lambda at: at.remote.report([at.variant], "report.html", views=["small.losses"]),
    "GET history/{suffix}": lambda at: at.variant.history("*_loss"),
    "GET views": lambda at: at.remote.views(),
    "GET families": lambda at: at.remote.families(),
    "GET families/{name}": lambda at: at.remote.variant("toy.sum"),
    "GET availability": lambda at: at.variant.availability(),
    "GET metrics": lambda at: at.variant.metrics("*_loss", max_points=4),
    "GET checkpoints": lambda at: at.variant.steps,
    "GET arrays": lambda at: at.variant.arrays("parameters.norms"),
    "GET figure": lambda at: at.variant.view("small.norms").figure(20),
    "GET export/{suffix}": lambda at: at.variant.at(20).view("small.norms").export("csv"),
    "GET events": lambda at: next(at.remote.queue.watch(at.training())),
    "GET runs": lambda at: at.remote.queue.runs("failed", group="none", q="toy", deleted=True),
    "POST runs": lambda at: at.remote.queue.analyze(at.variant, ["parameters.norms"]),
    "GET runs/{id}": lambda at: at.training().state,
    "PATCH runs/{id}": lambda at: at.training().prioritize(3).edit(name="baseline", tags=["paper"]),
    "DELETE runs/{id}": lambda at: at.training().cancel().delete(),
    "GET runs/{id}/log": lambda at: at.training().log(5),
    "POST runs/{id}/stop": lambda at: at.training(RunState.RUNNING).stop(),
    "POST runs/{id}/pause": lambda at: at.training().pause(),
    "POST runs/{id}/cancel": lambda at: at.training().cancel(),
    "POST runs/{id}/resume": lambda at: at.training().pause().resume(),
    "POST runs/{id}/retry": lambda at: failed(at).retry(mode="from_scratch", seed=at.seed + 1000),
    "POST runs/{id}/restore": lambda at: at.training().cancel().delete().restore(),
    "POST runs/bulk-delete": lambda at: at.remote.queue.delete([at.training().cancel()]),
    "POST runs/bulk-retry": lambda at: at.remote.queue.retry([failed(at), 9999]),
    "POST trainings": lambda at: at.training().duplicate(params={"seed": 55}),
    "POST trainings/check": lambda at: at.remote.variant("toy.sum", seed=3),
    "POST trainings/estimate": lambda at: at.remote.queue.estimate(at.variant, steps=60),
    "POST trainings/{id}/save": lambda at: at.training(RunState.RUNNING).save(),
    "POST trainings/{id}/extend": lambda at: at.trained().extend(60).cancel(),
    "GET trainings/{id}/metrics": lambda at: at.trained().metrics("*_loss", start_step=10, end_step=20),
    "GET trainings/{id}/config": lambda at: at.training().config("yaml"),
    "GET trainings/{id}/events": lambda at: at.training().events(),
    "GET trainings/{id}/checkpoints": lambda at: at.trained().checkpoints(),
    "POST trainings/{id}/checkpoints/prune": lambda at: at.trained().prune(last=1, spread=2),
    "DELETE trainings/{id}/checkpoints/{step}": lambda at: at.trained().delete_checkpoint(10),
    "GET studies": lambda at: at.remote.studies(),
    "POST studies": lambda at: at.remote.queue.sweep(STUDY, priority=1),
    "GET studies/{name}": lambda at: at.remote.study(at.remote.queue.sweep(STUDY).name).runs,
    "GET training-templates": lambda at: at.remote.templates.all(q="kept"),
    "POST training-templates": lambda at: at.remote.templates.save("small", at.variant, tags=["small"]),
    "GET training-templates/{id}": lambda at: at.template().value,
    "PUT training-templates/{id}": lambda at: at.template().replace("other", {"family": "toy.sum"}),
    "PATCH training-templates/{id}": lambda at: at.template().change(description="in short"),
    "DELETE training-templates/{id}": lambda at: at.template().delete(),
    "POST training-templates/{id}/duplicate": lambda at: at.template().duplicate(),
    "POST training-templates/{id}/favorite": lambda at: at.template().favourite(),
    "POST training-templates/export": lambda at: at.remote.templates.export([at.template()]),
    "POST training-templates/import": lambda at: at.remote.templates.take_in(at.remote.templates.export()),
}
"""Each operation, and the words that ask for it."""

TWINS = "the client asks the same of it under /runs, as of any run"
WITHOUT = {
    **{
        f"{verb} trainings{path}": TWINS
        for verb, path in (("GET", ""), ("POST", "/bulk-delete"), ("POST", "/bulk-retry"))
    },
    **{f"{verb} trainings/{{id}}": TWINS for verb in ("GET", "PATCH", "DELETE")},
    **{
        f"{'GET' if word == 'log' else 'POST'} trainings/{{id}}/{word}": TWINS
        for word in ("log", "stop", "pause", "cancel", "resume", "retry", "restore")
    },
    "POST trainings/{id}/checkpoints": "`save` asks for the same",
}
"""Operations that no word asks for, and why."""


@pytest.fixture(scope="module")
def at(trained, tmp_path_factory, served) -> Iterator[There]:
    root = tmp_path_factory.mktemp("words") / "there"
    shutil.copytree(trained.root, root)
    workspace = open_bound(root, trained.plugins).value
    with served(workspace) as url, miscope.connect(url) as remote:
        yield There(remote, RunQueue(workspace.root), trained.plugins)


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """What was asked of the server, as it was asked."""
    noted: list[str] = []
    answer, lines = Connection._answer, Connection.lines

    def noting(self, method, path, *more):
        noted.append(f"{method} {path}")
        return answer(self, method, path, *more)

    def reading(self, path, query):
        noted.append(f"GET {path}")
        return lines(self, path, query)

    monkeypatch.setattr(Connection, "_answer", noting)
    monkeypatch.setattr(Connection, "lines", reading)
    return noted


def operations(at: There) -> list[str]:
    paths = at.remote.connection.get("openapi.json")["paths"]
    return [f"{verb.upper()} {path.removeprefix(f'{PREFIX}/')}" for path, verbs in paths.items() for verb in verbs]


def test_every_operation_is_asked_for_by_a_word_of_the_client_or_it_is_said_why_not(at, asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = operations(at)
    assert sorted([*CALLS, *WITHOUT]) == sorted(there)
    for operation, call in CALLS.items():
        asked.clear()
        call(at)
        pattern = re.sub(r"\\\{\w+\\\}", "[^/ ]+", re.escape(operation))
        assert any(re.fullmatch(pattern, each) for each in asked), f"{operation}: {asked}"


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (BoundWorkspace, RemoteWorkspace),
        (BoundVariant, RemoteVariant),
        (BoundSnapshot, RemoteVariant),
        (BoundView, RemoteView),
        (BoundQueue, RemoteQueue),
        (BoundRun, RemoteRun),
    ],
)
def test_every_word_of_a_handle_is_there_over_http_or_says_why_not(here, there):
    words = {name for name in dir(here) if not name.startswith("_")} | set(here.__dataclass_fields__)
    has = {name for name in dir(there) if not name.startswith("_")} | set(there.__dataclass_fields__)
    assert words - has - set(there.absent) == set()
    assert has & set(there.absent) == set()
    assert all(len(said) == 2 and all(said) for said in there.absent.values())


def test_a_word_that_is_absent_says_what_to_do_instead(at):
    with pytest.raises(NotRemote) as refused:
        at.remote.ask("select 1")
    assert str(refused.value) == (
        "A RemoteWorkspace has no `ask`.\n"
        "SQL reads the files of the folder.\n"
        'On the server\'s machine:  miscope ask "select ..."'
    )
    assert not hasattr(at.variant, "train")
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = at.variant.trian


def test_what_a_variant_left_is_the_same_from_there(at, trained):
    here, there = BoundWorkspace(trained).find(NAME), at.variant
    alone = {name for name, one in trained.plugins.analyzers.items() if one.grain is not Grain.COHORT}
    assert set(there.artifacts) == alone & set(here.artifacts)
    assert there.artifacts.parameters.norms.keys() == here.artifacts.parameters.norms.keys()
    for step in (None, 0, "first"):
        mine, its = here.arrays("parameters.norms", step), there.arrays("parameters.norms", step)
        assert {name: array.tobytes() for name, array in its.items()} == {
            name: np.asarray(array).tobytes() for name, array in mine.items()
        }
    assert there.metric("train_loss")[1].tobytes() == here.metric("train_loss")[1].tobytes()
    assert there.views.small.losses.figure() == here.views.small.losses.figure()
    assert "losses" in dir(there.views.small)
    assert there.views._repr_html_() == here.views._repr_html_()
    assert at.remote.find("v5-seed0-width16").name == NAME
    assert there.labelled("again").name == here.labelled("again").name == f"{NAME}@again"
    with pytest.raises(NoCheckpoint):
        there.at(15)
    with pytest.raises(Refused) as refused:
        there.arrays("parameters.norms", names=["nothing"])
    assert refused.value.code == "UnknownName"


def test_a_variant_that_was_found_is_trained_again_with_its_own_settings(at):
    here = open_bound(at.queue.layout.root, at.plugins)
    other = here.variant("toy.sum", seed=21, learning_rate=0.25)
    list(other.train(threads=1, steps=1))
    run = at.remote.queue.train(at.remote.find(other.name))
    assert (run.value["what"], run.config()["training"]) == (other.name, {"learning_rate": 0.25, "steps": 1})
