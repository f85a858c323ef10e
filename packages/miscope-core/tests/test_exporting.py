from __future__ import annotations

import re
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import psutil
import pytest

from miscope.errors import BadValue
from miscope.figures.export import Exporter, NoBrowser, export

FIGURE = go.Figure(go.Heatmap(z=np.arange(9, dtype=np.float32).reshape(3, 3)), layout={"title": "nine"})

needs_browser = pytest.mark.usefixtures("chromium_path")


def test_a_page_needs_no_browser_and_asks_the_network_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nothing"))

    page = export(FIGURE, tmp_path / "new folder" / "figure.html").read_text()

    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=", page)
    assert '"showSendToCloud": false' in page
    assert '"displaylogo": false' in page
    assert "nine" in page


def test_another_suffix_is_refused_and_nothing_written(tmp_path: Path):
    with pytest.raises(BadValue) as error:
        export(FIGURE, tmp_path / "figure.bmp")
    assert str(error.value) == (
        "A figure cannot be written as 'figure.bmp'.\n"
        "The suffix says how: .png, .svg, .pdf, .html, .csv, .parquet, .npz; .gif, .webp or .mp4 over training.\n"
        "Try figure.html, which needs no browser, or figure.png."
    )
    assert list(tmp_path.iterdir()) == []


def test_without_a_browser_an_image_says_what_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")

    with pytest.raises(NoBrowser) as error:
        export(FIGURE, tmp_path / "figure.png")
    assert str(error.value) == (
        "figure.png needs a Chromium to be drawn, and there is none that works.\n"
        "BROWSER_PATH is '/nowhere/chromium', which is no program.\n"
        "Install one (Debian: `apt install chromium`), or set BROWSER_PATH to one, or export figure.html, "
        "which needs none."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_is_no_browser_is_said_to_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(program))

    with pytest.raises(NoBrowser, match="did not answer"):
        export(FIGURE, tmp_path / "figure.png")
    assert "miscope-export" not in {thread.name for thread in threading.enumerate()}


@needs_browser
def test_one_browser_draws_several_images_and_leaves_nothing_behind(tmp_path: Path):
    with Exporter() as exporter:
        png = exporter.export(FIGURE, tmp_path / "a.png", width=300, height=200, scale=2).read_bytes()
        svg = exporter.export(FIGURE, tmp_path / "b.svg", width=300, height=200).read_text()
        pdf = exporter.export(FIGURE, tmp_path / "c.pdf").read_bytes()

    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (600, 400)
    assert svg.startswith("<svg")
    assert "nine" in svg
    assert pdf[:5] == b"%PDF-"
    assert "miscope-export" not in {thread.name for thread in threading.enumerate()}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.svg", "c.pdf"]


@needs_browser
def test_an_exporter_that_was_left_starts_again(tmp_path: Path):
    exporter = Exporter()
    for name in ("a.svg", "b.svg"):
        assert exporter.export(FIGURE, tmp_path / name).stat().st_size > 0
        exporter.close()
    exporter.close()


@needs_browser
def test_a_browser_lost_between_two_images_is_replaced(tmp_path: Path):
    before = set(psutil.Process().children(recursive=True))
    with Exporter() as exporter:
        exporter.export(FIGURE, tmp_path / "a.svg")
        for process in set(psutil.Process().children(recursive=True)) - before:
            with suppress(psutil.NoSuchProcess):
                process.kill()

        assert exporter.export(FIGURE, tmp_path / "b.svg").read_text().startswith("<svg")
