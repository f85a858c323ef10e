"""A view that takes itself for a program, and calls `sys.exit`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
import torch

from miscope import Checkpoint, Choice, Grain, Number, View, ViewData, hookimpl
from miscope.errors import Ended
from miscope.figures.render import render

Make = Callable[..., Any]

TEXT = (
    "{view!r} was not drawn: it asked the program to end.\n"
    "It raised SystemExit: enough. Every other view works.\n"
    "Raise DoesNotApply with the reason there instead; `miscope where {view}` says in which file."
)


def ends(shown: ViewData, **controls: object) -> Any:
    """Ends whatever shows it."""
    sys.exit("enough")


def draws(shown: ViewData, **controls: object) -> go.Figure:
    """Nothing much."""
    return go.Figure()


@hookimpl
def miscope_views():
    yield View(name="test.ends", title="Ends", grain=Grain.TRAJECTORY, draw=ends)
    choice, number = Choice(name="which", options_from=ends), Number(name="which", default=0, maximum_from=ends)
    yield View(name="test.chooses", title="Chooses", grain=Grain.TRAJECTORY, draw=draws, controls=(choice,))
    yield View(name="test.counts", title="Counts", grain=Grain.TRAJECTORY, draw=draws, controls=(number,))
    yield View(name="test.draws", title="Draws", grain=Grain.TRAJECTORY, draw=draws)


@pytest.mark.parametrize("view", ["test.ends", "test.chooses", "test.counts"])
def test_a_view_that_ends_the_program_fails_alone(workspace: Make, view: str):
    place = workspace(test=sys.modules[__name__])
    bound = place.variant("toy.sum")
    place.store.save_variant(bound.value)
    place.store.save_checkpoint(bound.name, Checkpoint(step=0, weights={"W_E": torch.zeros(1)}))
    with pytest.raises(Ended) as raised:
        render(place.value, view, bound.value)
    assert str(raised.value) == TEXT.format(view=view)
    assert render(place.value, "test.draws", bound.value).layout.title.text == "Draws"


VIEWS = """
import sys
from miscope import Grain, View, hookimpl

def ends(shown):
    sys.exit()

@hookimpl
def miscope_views():
    yield View(name="test.ends", title="Ends", grain=Grain.TRAJECTORY, draw=ends)
"""


def test_the_command_line_says_that_a_view_asked_it_to_end(
    command: Make, offer: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    offer("toy", "miscope.testing.toy")
    offer("ends", "views_that_end")
    (tmp_path / "site-packages" / "views_that_end.py").write_text(VIEWS)
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    command("train", "toy.sum", "--steps", 10)
    code, out, err = command("show", "test.ends", "v5-seed0-width16", "--out", tmp_path / "figure.html")
    assert (code, out) == (1, "")
    assert err == TEXT.format(view="test.ends").replace("enough", "None") + "\n"
