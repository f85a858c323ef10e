"""Many pictures by one browser on one page, and that they are what a browser of their own would draw."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import psutil
import pytest

from miscope.errors import MiscopeError
from miscope.figures import kept_page
from miscope.figures.export import Exporter

kaleido = pytest.importorskip("kaleido")

FIGURES = [go.Figure(go.Heatmap(z=np.arange(9.0).reshape(3, 3) * step), layout_title=f"step {step}") for step in (1, 2)]
SMALL = go.Figure(go.Scatter(x=[1, 2], y=[2, 1]), layout={"width": 320, "height": 200})
TEMPLATED = go.Figure(go.Bar(y=[3]), layout={"template": {"layout": {"width": 210, "height": 160}}})
ALL = [*FIGURES, SMALL, TEMPLATED]
DRAWN_BY_LOT = re.compile(rb"[0-9a-f]{6,}")
"""Names within an SVG."""

pytestmark = pytest.mark.usefixtures("chromium_path")


def exported(folder: Path, suffix: str) -> list[bytes]:
    with Exporter() as exporter:
        return [exporter.export(each, folder / f"{i}{suffix}").read_bytes() for i, each in enumerate(ALL)]


def loaded_anew(*given: object, **options: object) -> None:
    raise AssertionError("the page was loaded anew for a picture")


def test_pictures_one_after_the_other_are_drawn_on_one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kaleido.Kaleido, "calc_fig", loaded_anew)
    pictures = exported(tmp_path, ".png")
    sides = [(int.from_bytes(each[16:20]), int.from_bytes(each[20:24])) for each in pictures]
    assert sides == [(1400, 1000), (1400, 1000), (640, 400), (420, 320)]


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_picture_is_the_same_on_a_page_that_has_drawn_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
):
    kept = exported(tmp_path, suffix)
    # A page that draws nothing as it stands: each picture is drawn as Kaleido does it, on a page of its own.
    monkeypatch.setattr(kept_page, "_DRAW", "function() { throw new Error('nothing is drawn') }")
    alone = exported(tmp_path, suffix)
    assert [DRAWN_BY_LOT.sub(b"", each) for each in kept] == [DRAWN_BY_LOT.sub(b"", each) for each in alone]


def test_the_browser_is_opened_once_and_while_something_else_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    real = kaleido.Kaleido.open

    async def noted(browser: Any) -> None:
        opened.append("opened")
        await real(browser)

    monkeypatch.setattr(kaleido.Kaleido, "open", noted)
    with Exporter() as exporter:
        exporter.start()
        exporter.start()
        for name in ("a.png", "b.png"):
            exporter.export(SMALL, tmp_path / name)
    assert opened == ["opened"]


def test_an_exporter_that_was_only_started_ends_its_browser():
    before = set(psutil.Process().children(recursive=True))
    with Exporter() as exporter:
        exporter.start()
        begun = set(psutil.Process().children(recursive=True)) - before
    _, alive = psutil.wait_procs(begun, timeout=60)
    assert not alive
    assert "miscope-export" not in {thread.name for thread in threading.enumerate()}


def test_a_start_without_a_browser_is_said_by_the_first_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nothing"))
    with Exporter() as exporter:
        exporter.start()
        with pytest.raises(MiscopeError, match="needs a Chromium to be drawn"):
            exporter.export(SMALL, tmp_path / "a.png")
