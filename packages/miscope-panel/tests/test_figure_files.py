"""Figures as files over HTTP: how long a browser is kept for images. What it draws, core's tests of exports say."""

import plotly.graph_objects as go
import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette

from miscope.errors import MiscopeError
from miscope.figures.export import Exporter
from miscope_panel.rest.figure_files import FigureFiles

FIGURE = go.Figure(go.Scatter(x=[1, 2], y=[3, 4], name="loss"))


@pytest.fixture
def seen(monkeypatch) -> list[str]:
    """What is asked of browsers, of which none is there."""
    seen: list[str] = []
    monkeypatch.setattr(Exporter, "_draw", lambda self, figure, path, options: seen.append("draw") or b"image")
    monkeypatch.setattr(Exporter, "close", lambda self: seen.append("end"))
    return seen


def served(files: FigureFiles) -> TestClient:
    return TestClient(Starlette(lifespan=files.lifespan))


def test_while_a_server_runs_one_browser_draws_all_images(seen):
    files = FigureFiles()
    with served(files):
        assert [files.content(FIGURE, suffix) for suffix in ("pdf", "png")] == [b"image", b"image"]
        assert seen == ["draw", "draw"]
    assert seen == ["draw", "draw", "end"]


def test_a_browser_that_nobody_asks_is_ended_and_the_next_image_is_drawn_all_the_same(seen):
    files = FigureFiles(idle=0)
    with served(files):
        files.content(FIGURE, "pdf")
        assert files._rest is not None
        files._rest.join()
        assert seen == ["draw", "end"]
        assert files.content(FIGURE, "svg") == b"image"


def test_without_a_server_that_ends_it_each_image_has_its_own_browser(seen):
    files = FigureFiles()
    for _ in range(2):
        files.content(FIGURE, "pdf")
    assert seen == ["draw", "end"] * 2


def test_a_browser_that_fails_is_ended_like_any_other(seen, monkeypatch):
    def fails(*given):
        raise MiscopeError("It fails.")

    monkeypatch.setattr(Exporter, "_draw", fails)
    with pytest.raises(MiscopeError, match="It fails"):
        FigureFiles().content(FIGURE, "pdf")
    assert seen == ["end"]


def test_numbers_wait_for_no_browser(seen):
    files = FigureFiles()
    with served(files), files._turn:
        assert files.content(FIGURE, "csv").count(b"\n") == 3
    assert seen == ["end"]
