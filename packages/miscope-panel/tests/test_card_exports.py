"""Every entry of a card's menu that gives a file: as the page asks for it, to a file that is opened and looked into."""

from __future__ import annotations

import io
import re
from queue import Queue

import numpy as np
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from miscope.figures.export import browser
from miscope_panel.app import application
from miscope_panel.http.guard import LOOPBACK
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context

LONG = 240
drawn = pytest.mark.skipif(browser() is None, reason="no browser draws pictures here")


@pytest.fixture
def file(trained, at_once, name):
    """file("pdf", "paper:85mm:8pt"): what the card's menu asks the server for, of one card."""
    board = Dashboard(server_context(trained, at_once), f"v={name}&views=small.norms&e=20").workbench.board
    query = board[0].picture["taken"]["query"]
    app = application(trained, at_once, hosts=LOOPBACK)
    with TestClient(app, base_url="http://127.0.0.1:5006") as client:

        def fetched(suffix, preset=""):
            answer = client.get(f"/api/v1/export/{suffix}?{query}{preset and f'&preset={preset}'}")
            assert answer.status_code == 200, answer.text
            said = answer.headers["content-disposition"]
            assert said == f'attachment; filename="v5-seed0-width16.small.norms.step_20.{suffix}"'
            return answer.content

        yield fetched


def test_numbers_are_a_table_and_arrays_by_name(file):
    table = pq.read_table(io.BytesIO(file("parquet")))
    assert (table.column_names, table.num_rows > 1) == (["name", "vertical"], True)
    arrays = np.load(io.BytesIO(file("npz")))
    assert np.allclose(arrays["vertical"], table["vertical"].to_numpy())
    assert file("csv").decode().splitlines()[0] == "name,vertical"


@drawn
def test_for_print_it_is_one_page(file):
    content = file("pdf")
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1


@drawn
@pytest.mark.parametrize(("width", "points"), [("85", 240.9), ("178", 504.6), ("100.5", 284.9)])
def test_for_a_paper_it_is_as_wide_as_was_asked(file, width, points):
    content = file("pdf", f"paper:{width}mm:9pt")
    box = re.search(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)", content)
    assert box is not None
    assert float(box[1]) == pytest.approx(points, abs=1)


@drawn
@pytest.mark.parametrize("suffix", ["gif", "webp", "mp4"])
def test_over_training_it_is_a_film_of_every_checkpoint(trained, at_once, name, suffix):
    server = server_context(trained, at_once)
    bench = Dashboard(server, f"v={name}&views=small.norms").workbench
    bar, told = bench.reports.view, Queue()
    bar.param.watch(lambda event: told.put(event.new), "making")
    bench.board[0]._handle_msg({"kind": "film", "suffix": suffix})
    while not {"address", "error"} & {*bar.making}:
        told.get(timeout=LONG)
    assert bar.making.get("error", "") == ""
    app = FastAPI()
    app.include_router(server.made.router())
    content = TestClient(app).get(bar.making["address"]).content
    if suffix == "mp4":
        av = pytest.importorskip("av")
        with av.open(io.BytesIO(content)) as film:
            assert film.streams.video[0].codec_context.name == "h264"
    else:
        with pytest.importorskip("PIL.Image").open(io.BytesIO(content)) as film:
            assert film.n_frames == 2
