from __future__ import annotations

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope import Grain, Needs, View, ViewData
from miscope.bound import open_bound
from miscope.errors import BadValue, NoArtifact
from miscope.figures.animate import PAUSE, REST, Film, animate, spread
from miscope.testing import tables


def bar(shown: ViewData) -> go.Figure:
    """One bar as high as the step."""
    return go.Figure(go.Bar(y=[shown.step])).update_layout(yaxis_range=[0, 40], width=320, height=240)


NORMS = ("parameters.norms",)
VIEWS = (
    View(name="small.bar", title="Bar", grain=Grain.CHECKPOINT, draw=bar),
    View(name="small.norms", title="Norms", grain=Grain.CHECKPOINT, draw=bar, needs=Needs(reads=NORMS)),
    View(name="small.still", title="Still", grain=Grain.TRAJECTORY, draw=bar),
)


@pytest.fixture
def variant(tmp_path: Path):
    from types import ModuleType

    from miscope import hookimpl

    small = ModuleType("small")
    small.miscope_views = hookimpl(lambda: VIEWS)  # type: ignore[attr-defined]
    trained = open_bound(tmp_path / "ws", tables(small=small)).variant("toy.sum")
    list(trained.train(threads=1))
    return trained


def film(variant, view: str, path: Path) -> list[Film]:
    return list(animate(variant.workspace.value, view, variant.value, path))


@pytest.mark.slow
@pytest.mark.usefixtures("chromium_path")
def test_a_film_has_a_frame_for_each_checkpoint_and_rests_at_the_end(variant, tmp_path: Path):
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "film.gif"
    assert film(variant, "small.bar", path) == [Film(i, 4) for i in (1, 2, 3, 4)]
    dark, pauses = [], []
    with image.open(path) as gif:
        for frame in range(gif.n_frames):
            gif.seek(frame)
            dark.append(int((np.asarray(gif.convert("L")) < 200).sum()))
            pauses.append(gif.info["duration"])
        assert (gif.n_frames, gif.size, gif.info["loop"]) == (4, (320, 240), 0)
    assert dark == sorted(set(dark))
    assert pauses == [PAUSE, PAUSE, PAUSE, REST]


@pytest.mark.slow
@pytest.mark.usefixtures("chromium_path")
def test_checkpoints_nobody_looked_at_are_left_out(variant, tmp_path: Path):
    pytest.importorskip("PIL.Image")
    variant.analyze("parameters.norms", steps=[0, 20])
    assert film(variant, "small.norms", tmp_path / "film.gif")[-1] == Film(2, 2)


def test_what_was_never_computed_is_said_before_anything_is_drawn(variant, tmp_path: Path):
    with pytest.raises(NoArtifact, match="It was never computed"):
        film(variant, "small.norms", tmp_path / "film.gif")
    assert not (tmp_path / "film.gif").exists()


def test_a_view_over_training_does_not_move(variant, tmp_path: Path):
    with pytest.raises(BadValue) as error:
        film(variant, "small.still", tmp_path / "film.gif")
    assert str(error.value) == (
        "'small.still' does not move.\n"
        "It is of trajectory grain: one figure shows the whole of training.\n"
        "Write it as film.html or film.png."
    )


def test_frames_are_spread_by_order_with_both_ends():
    assert spread([0, 1, 2, 500, 1000], 3) == [0, 2, 1000]
    assert spread([0, 10], 40) == [0, 10]
    assert spread(list(range(100)), 1) == [99]
    assert spread([], 5) == []
