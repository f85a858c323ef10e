"""A toy that was trained, views of each grain, and a front end that is told what a browser would be."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import comm
import numpy as np
import plotly.graph_objects as go
import pytest
from comm.base_comm import BaseComm

from miscope import Choice, Grain, Needs, View, ViewData, hookimpl
from miscope.bound import BoundWorkspace, open_bound
from miscope.testing import tables


def losses(shown: ViewData) -> go.Figure:
    """Every loss over training."""
    return go.Figure([go.Scatter(x=one.steps, y=one.values, name=name) for name, one in shown.metrics.items()])


def norms(shown: ViewData, order: str) -> go.Figure:
    """Norm of every weight, at a step."""
    found = {name: float(each) for name, each in shown.artifacts["parameters.norms"].items() if np.ndim(each) == 0}
    names = sorted(found, reverse=order == "down")
    return go.Figure(go.Bar(x=names, y=[found[name] for name in names]))


def together(shown: ViewData, align: str) -> go.Figure:
    """Test losses, aligned."""
    curves = []
    for member in shown.members:
        series = member.shown.metrics["test_loss"]
        curves.append(
            go.Scatter(x=series.steps - member.shown.events.get(align, 0), y=series.values, name=member.label)
        )
    axes = {"time_axes": ["x"]} if align == "step" else {"time_axes": [], "aligned": {"axes": ["x"], "by": align}}
    return go.Figure(curves).update_layout(meta=axes)


def broken(shown: ViewData) -> go.Figure:
    """Divides by zero."""
    raise ZeroDivisionError("division by zero")


def _alignments(shown: ViewData) -> list[str]:
    return ["step", *sorted({event for member in shown.members for event in member.shown.events})]


VIEWS = (
    View(
        name="toy.losses",
        title="Losses",
        grain=Grain.TRAJECTORY,
        draw=losses,
        needs=Needs(metrics=("*_loss",)),
        time_axis="x",
    ),
    View(
        name="toy.norms",
        title="Norms",
        grain=Grain.CHECKPOINT,
        draw=norms,
        needs=Needs(reads=("parameters.norms",)),
        controls=(Choice(name="order", options=("up", "down")),),
    ),
    View(name="toy.broken", title="<b>Broken</b>", grain=Grain.CHECKPOINT, draw=broken),
    View(
        name="toy.together",
        title="Together",
        grain=Grain.COHORT,
        draw=together,
        needs=Needs(metrics=("test_loss",)),
        controls=(Choice(name="align", options_from=_alignments),),
        time_axis="x",
    ),
)


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> BoundWorkspace:
    """Two toys with checkpoints at 0, 10, 20 and 30; the first has its norms but at 30."""
    offered = types.ModuleType("shown")
    offered.miscope_views = hookimpl(lambda: VIEWS)  # type: ignore[attr-defined]
    workspace = open_bound(tmp_path_factory.mktemp("notebook") / "workspace", tables(shown=offered))
    for seed in (0, 1):
        list(workspace.variant("toy.sum", seed=seed).train(threads=1))
    workspace.variant("toy.sum").analyze("parameters.norms", steps=[0, 10, 20])
    return workspace


class FrontEnd(BaseComm):
    """What goes between a widget and the browser, in the protocol's own messages."""

    def __init__(self, **opened: Any) -> None:
        self.told: list[tuple[dict[str, Any], list[bytes]]] = []
        super().__init__(**opened)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        if msg_type == "comm_msg":
            self.told.append((data, list(buffers or ())))

    def asks(self, **content: object) -> list[dict[str, Any]]:
        """What the widget answers to a message of its own kind."""
        self.told.clear()
        self.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
        return [data["content"] for data, _ in self.told if data["method"] == "custom"]

    def moves(self, step: float) -> None:
        """As a click there does."""
        told = {"method": "update", "state": {"step": step}, "buffer_paths": []}
        self.handle_msg({"content": {"data": told}, "buffers": []})


@pytest.fixture
def front_end(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], FrontEnd]:
    """front_end(widget): of a widget made since."""
    monkeypatch.setattr(comm, "create_comm", FrontEnd)
    return lambda widget: widget.comm
