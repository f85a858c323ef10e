from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope import Grain, Needs, View, ViewData
from miscope.bound import open_bound
from miscope.errors import BadValue, NoArtifact
from miscope.figures.animate import PAUSE, REST, Film, animate, spread
from miscope.figures.render import render
from miscope.figures.scrubber import scrubber_page
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


@pytest.mark.usefixtures("chromium_path")
def test_a_film_that_was_interrupted_goes_on_with_the_frames_it_has(
    variant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    image = pytest.importorskip("PIL.Image")
    path, kept = tmp_path / "film.webp", tmp_path / ".film.webp.frames"
    begun = animate(variant.workspace.value, "small.bar", variant.value, path, fps=5)
    assert (next(begun), next(begun)) == (Film(1, 4), Film(2, 4))
    begun.close()  # type: ignore[attr-defined]
    assert not path.exists()
    before = {frame.name: frame.stat().st_mtime_ns for frame in kept.iterdir()}
    assert len(before) == 2
    with monkeypatch.context() as broken:
        broken.setattr("miscope.figures.animate.write_film", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            film(variant, "small.bar", path)
    after = {frame.name: frame.stat().st_mtime_ns for frame in kept.iterdir()}
    assert len(after) == 4
    assert before.items() <= after.items(), "frames that were there are not drawn again"
    # All frames are there, so that no browser is asked for.
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nothing"))
    variant.view("small.bar").film(path, fps=5)
    with image.open(path) as whole:
        assert whole.n_frames == 4
    assert not kept.exists()


def test_the_browser_is_started_while_the_figures_are_made(variant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("PIL.Image")
    done: list[str] = []

    def noted(*given: Any, **how: Any) -> go.Figure:
        done.append("figure")
        return render(*given, **how)

    monkeypatch.setattr("miscope.figures.animate.render", noted)
    monkeypatch.setattr("miscope.figures.export.Exporter.start", lambda exporter: done.append("start"))
    monkeypatch.setattr("miscope.figures.export.Exporter.export", _interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            film(variant, "small.bar", tmp_path / "film.gif")
    assert done == ["start", *["figure"] * 4, *["figure"] * 4], "a film that goes on may need no browser"


def _interrupted(*frames: object, **how: object) -> None:
    raise KeyboardInterrupt


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
    with pytest.raises(BadValue, match=r"Draw it without frames: `\.export"):
        film(variant, "small.still", tmp_path / "film.html")


def held(page: str) -> dict[str, Any]:
    """What the page's slider chooses from."""
    found = re.search(r'<script type="application/json" id="frames">(.*?)</script>', page, flags=re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_page_has_a_figure_for_each_checkpoint_in_one_range_and_asks_nobody(
    variant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nothing"))
    assert film(variant, "small.bar", tmp_path / "film.html") == [Film(i, 4) for i in (1, 2, 3, 4)]
    page = (tmp_path / "film.html").read_text()
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=", page)
    assert '<input id="step" type="range" min="0" max="3"' in page
    shown = held(page)
    assert shown["labels"] == ["epoch 0", "epoch 10", "epoch 20", "epoch 30"]
    assert [frame["data"][0]["y"] for frame in shown["frames"]] == [[0], [10], [20], [30]]
    assert [frame["layout"]["yaxis"]["range"] for frame in shown["frames"]] == [[0, 40]] * 4
    assert len({str(frame["layout"]["xaxis"]) for frame in shown["frames"]}) == 1


def test_a_handle_writes_the_same_page(variant, tmp_path: Path):
    view = variant.view("small.bar")
    shown = held(view.film(tmp_path / "film.html", frames=2).read_text())
    assert shown["labels"] == ["epoch 0", "epoch 30"]


def test_text_of_a_view_cannot_end_the_script_it_is_in():
    figure = go.Figure(go.Scatter(y=[1], name="</script><script>alert(1)</script>"), layout_title="<i>a</i> & b")
    page = scrubber_page([figure], ["step 1"])
    assert "</script><script>alert" not in page
    assert held(page)["frames"][0]["data"][0]["name"] == "</script><script>alert(1)</script>"
    assert "<title>a &amp; b</title>" in page


PLUGIN = """
import plotly.graph_objects as go
from miscope import Grain, View, hookimpl

def draw(shown):
    '''A dot as high as the step.'''
    return go.Figure(go.Scatter(x=[0], y=[shown.step]))

@hookimpl
def miscope_views():
    return [View(name="steps.shown", title="Step", grain=Grain.CHECKPOINT, draw=draw)]
"""


def test_the_command_writes_a_page_with_a_slider_where_it_is_told_how_many_frames(
    command, offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    offer("toy", "miscope.testing.toy")
    offer("steps", "views_of_steps")
    (tmp_path / "site-packages" / "views_of_steps.py").write_text(PLUGIN)
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    command("train", "toy.sum", "--threads", 1)
    out = tmp_path / "film.html"
    assert command("show", "steps.shown", "v5", "--frames", 3, "--out", out)[:2] == (0, f"{out}\n")
    assert held(out.read_text())["labels"] == ["epoch 0", "epoch 20", "epoch 30"]
    assert command("show", "steps.shown", "v5", "--out", out)[:2] == (0, f"{out}\n")
    assert 'id="frames"' not in out.read_text()


def test_frames_are_spread_by_order_with_both_ends():
    assert spread([0, 1, 2, 500, 1000], 3) == [0, 2, 1000]
    assert spread([0, 10], 40) == [0, 10]
    assert spread(list(range(100)), 1) == [99]
    assert spread([], 5) == []
