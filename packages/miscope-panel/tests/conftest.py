"""A small workspace that was really trained and analyzed, and a few views that need nothing but core."""

from __future__ import annotations

import types
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from miscope import Analyzer, Choice, Grain, Needs, Number, Toggle, View, ViewData, hookimpl
from miscope.bound import BoundWorkspace, open_bound
from miscope.runs.run_queue import RunQueue
from miscope.store.process_identity import this_process
from miscope.testing import tables
from miscope.workspace import Workspace
from miscope_panel.http.guard import LOOPBACK, Guard
from miscope_panel.http.problem import PREFIX
from miscope_panel.http.rates import Rates
from miscope_panel.rest.queue_access import QueueAccess
from miscope_panel.rest.routes import add_rest


def losses(shown: ViewData, scale: str) -> go.Figure:
    """Loss of every step."""
    curves = [go.Scatter(x=series.steps, y=series.values, name=name) for name, series in shown.metrics.items()]
    return go.Figure(curves).update_layout(yaxis_type=scale)


def neuron(shown: ViewData, site: str, neuron: int, transposed: bool) -> go.Figure:
    """Activation of one neuron over the grid."""
    assert shown.activations is not None
    assert shown.probe is not None
    grid = shown.activations(site, [neuron]).numpy().reshape(shown.probe.shape)
    return go.Figure(go.Heatmap(z=grid.T if transposed else grid)).update_layout(title_text=f"Neuron {neuron}")


def norms(shown: ViewData) -> go.Figure:
    """Norm of every weight, at the step."""
    found = {name: float(array) for name, array in shown.artifacts["parameters.norms"].items() if np.ndim(array) == 0}
    return go.Figure(go.Bar(x=list(found), y=list(found.values())))


def broken(shown: ViewData) -> go.Figure:
    """Divides by zero."""
    raise ZeroDivisionError("division by zero")


def compared(shown: ViewData) -> go.Figure:
    """One curve a variant."""
    return go.Figure([go.Scatter(y=m.shown.metrics["test_loss"].values, name=m.label) for m in shown.members])


SITES = ("blocks.*.mlp.hook_post",)

VIEWS = (
    View(
        name="small.losses",
        title="Losses",
        grain=Grain.TRAJECTORY,
        draw=losses,
        needs=Needs(metrics=("*_loss",)),
        controls=(Choice(name="scale", options=("log", "linear")),),
        time_axis="x",
    ),
    View(
        name="small.neuron",
        title="One neuron",
        grain=Grain.CHECKPOINT,
        draw=neuron,
        needs=Needs(sites=SITES, grid=2),
        controls=(
            Choice(name="site", options_from=lambda shown: shown.sites),
            Number(name="neuron", default=3, maximum_from=lambda shown: shown.channels[shown.sites[0]] - 1),
            Toggle(name="transposed"),
        ),
    ),
    View(
        name="small.norms", title="Norms", grain=Grain.CHECKPOINT, draw=norms, needs=Needs(reads=("parameters.norms",))
    ),
    View(name="small.broken", title="Broken", grain=Grain.CHECKPOINT, draw=broken),
    View(
        name="small.unmade",
        title="Never computed",
        grain=Grain.CHECKPOINT,
        draw=broken,
        needs=Needs(reads=("small.never",)),
    ),
    View(
        name="small.attention",
        title="Attention",
        grain=Grain.CHECKPOINT,
        draw=broken,
        needs=Needs(sites=("*.hook_pattern",)),
    ),
    View(
        name="small.compared", title="Compared", grain=Grain.COHORT, draw=compared, needs=Needs(metrics=("test_loss",))
    ),
    View(name="small.nowhere", title="Left out", grain="over training", draw=broken),  # type: ignore[arg-type]
    View(
        name="small.together",
        title="Together",
        grain=Grain.COHORT,
        draw=compared,
        needs=Needs(reads=("cohort.events",)),
    ),
)


def never(snapshot: Any) -> dict[str, np.ndarray]:
    """Is offered, and run by nobody."""
    return {"nothing": np.zeros(())}


def _broken_offer() -> list[View]:
    raise ImportError("No module named 'jaxx'")


def offered() -> dict[str, object]:
    """A plug-in with the views above, and one that cannot be loaded."""
    small, sour = types.ModuleType("small"), types.ModuleType("sour")
    small.miscope_views = hookimpl(lambda: VIEWS)  # type: ignore[attr-defined]
    small.miscope_analyzers = hookimpl(  # type: ignore[attr-defined]
        lambda: [
            Analyzer(
                name="small.never", version=1, grain=Grain.CHECKPOINT, compute=never, needs=Needs(weights=("W_E",))
            ),
            Analyzer(
                name="small.reader",
                version=1,
                grain=Grain.CHECKPOINT,
                compute=never,
                needs=Needs(reads=("elsewhere.sums",)),
            ),
        ]
    )
    sour.miscope_views = hookimpl(_broken_offer)  # type: ignore[attr-defined]
    return {"small": small, "sour": sour}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two toy variants with checkpoints at 0, 10, 20 and 30; norms were computed at 0 and 20 only.

    The one of seed 0 was trained last, so that it is the one to open on.
    """
    workspace = open_bound(tmp_path_factory.mktemp("panel") / "workspace", tables(**offered()))
    for seed in (1, 0):
        variant = workspace.variant("toy.sum", seed=seed)
        list(variant.train(threads=1))
        variant.analyze("parameters.norms", steps=[0, 20])
    return workspace.value


@pytest.fixture
def name(trained: Workspace) -> str:
    return "toy.sum/v5-seed0-width16"


class Immediately(Executor):
    """Does the work at once, on this thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        made: Future[Any] = Future()
        made.set_result(fn(*args, **kwargs))
        return made


class WhenTold(Executor):
    """Does the work when told to, in order."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        made: Future[Any] = Future()
        self.waiting.append(lambda: made.set_result(fn(*args, **kwargs)))
        return made

    def go(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def at_once() -> Executor:
    return Immediately()


@pytest.fixture
def when_told() -> WhenTold:
    return WhenTold()


@pytest.fixture
def empty(tmp_path: Path) -> BoundWorkspace:
    return open_bound(tmp_path / "nothing", tables(**offered()))


@dataclass(kw_only=True)
class Asking:
    """What a script knows: paths, verbs and JSON."""

    client: TestClient
    workspace: Workspace
    queue: RunQueue
    summoned: list[int] = field(default_factory=list)
    """How many runs were in the queue, each time somebody was called to work through it."""

    def get(self, path: str, **query: object) -> Any:
        return self.client.get(f"{PREFIX}/{path}", params=query)  # type: ignore[arg-type]

    def post(self, path: str, **body: object) -> Any:
        return self.client.post(f"{PREFIX}/{path}", json=body)

    def delete(self, path: str) -> Any:
        return self.client.delete(f"{PREFIX}/{path}")

    def train(self, seed: int = 0, **more: object) -> int:
        """The number of a training of the toy that is asked for."""
        answer = self.post("trainings", family="toy.sum", params={"seed": seed}, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def begin(self, number: int) -> None:
        """As its process would."""
        assert self.queue.claim(number, this_process()) is not None


def asking(root: Path, *, token: str | None = None, read_only: bool = False, rates: Rates | None = None) -> Asking:
    """A client of /api/v1 over a workspace where nobody works; as often as it likes, unless rates are given."""
    workspace = open_bound(root, tables()).value
    queue, app = RunQueue(workspace.root), FastAPI(openapi_url=f"{PREFIX}/openapi.json")
    summoned: list[int] = []
    access = QueueAccess(
        workspace=workspace,
        queue=queue,
        summon=lambda: summoned.append(len(queue.runs())),
        ending=lambda: True,  # a stream of events ends with its first look
    )
    add_rest(app, access)
    guard = Guard(app, LOOPBACK, token, read_only=read_only, rates=rates or Rates({}))
    client = TestClient(guard, base_url="http://127.0.0.1:5006", raise_server_exceptions=False)
    return Asking(client=client, workspace=workspace, queue=queue, summoned=summoned)


@pytest.fixture
def asked_in(tmp_path: Path) -> Callable[..., Asking]:
    """asked_in(token=..., read_only=..., rates=...): a client over an empty workspace."""
    return partial(asking, tmp_path / "asked")


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Asking:
    """A client over a workspace that is not there yet, for all tests of a file."""
    return asking(tmp_path_factory.mktemp("untouched") / "asked")
