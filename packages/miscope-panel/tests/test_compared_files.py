"""What is taken away from the page of comparisons: a picture that was put together, as a file, in Python, reported."""

from __future__ import annotations

import csv
import io
from queue import Queue

import numpy as np
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from miscope.bound import BoundWorkspace
from miscope.figures.export import browser
from miscope.figures.wire import wire
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.shown.comparing.compared import compared
from miscope_panel.shown.comparing.compared_request import ComparedRequest
from miscope_panel.shown.comparing.compared_view import compared_view

LONG = 120
FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"
BOTH = f"page=compare&v={FIRST}&v={OTHER}"


class Looking:
    """A visitor of the page of comparisons."""

    def __init__(self, server, query):
        self.server, self.page = server, Dashboard(server, query).opened("compare")
        self.bar, self.told = self.page._files.view, Queue()
        self.bar.param.watch(lambda event: self.told.put(event.new), "making")

    @property
    def cards(self):
        return [each for each in self.page.board if hasattr(each, "picture")]

    def until(self, name):
        while name not in self.bar.making:
            self.told.get(timeout=LONG)
        return self.bar.making

    def fetched(self, address):
        app = FastAPI()
        app.include_router(self.server.made.router())
        return TestClient(app).get(address)

    def file(self, place, suffix, **more):
        self.cards[place]._handle_msg({"kind": "file", "suffix": suffix, **more})
        told = self.until("address")
        assert told["saved"]
        return told["name"], self.fetched(told["address"])


@pytest.fixture
def looking(trained, at_once):
    return lambda query: Looking(server_context(trained, at_once), query)


def test_an_overlay_is_a_table_whose_rows_say_of_which_variant_they_are(looking):
    name, answer = looking(f"{BOTH}&compare:views=small.losses").file(0, "csv")
    assert name == "2-variants.small.losses.overlay.csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {*rows[0]} == {"trace", "epoch", "vertical"}
    assert {row["trace"].partition(" · ")[0] for row in rows} == {"seed=0", "seed=1"}


def test_a_difference_and_a_picture_that_is_aligned_are_files_of_numbers_too(looking):
    name, answer = looking(f"{BOTH}&compare:views=small.losses&compare:mode=difference").file(0, "parquet")
    assert name == "2-variants.small.losses.difference.parquet"
    assert "epoch" in pq.read_table(io.BytesIO(answer.content)).column_names
    visitor = looking(f"{BOTH}&compare:views=small.losses&compare:mode=grid&compare:align=fraction")
    name, answer = visitor.file(1, "npz")
    arrays = np.load(io.BytesIO(answer.content))
    assert any(key.endswith("fraction of training") for key in arrays.files)


def test_the_page_of_an_overlay_is_a_file(looking):
    _, answer = looking(f"{BOTH}&compare:views=small.losses").file(0, "html")
    assert answer.headers["content-type"].startswith("text/html")
    assert "seed=1" in answer.text


@pytest.mark.skipif(browser() is None, reason="no browser draws pictures here")
def test_an_overlay_is_printed_as_wide_as_a_paper_has_it(looking):
    _, answer = looking(f"{BOTH}&compare:views=small.losses").file(0, "svg", preset="paper:100mm:9pt")
    assert f'width="{100 / 25.4 * 96:.3f}'[:11] in answer.text[:200]


def test_a_width_that_no_paper_has_is_said(looking):
    visitor = looking(f"{BOTH}&compare:views=small.losses")
    visitor.cards[0]._handle_msg({"kind": "file", "suffix": "pdf", "preset": "paper:1mm:8pt"})
    assert "There is no preset 'paper:1mm:8pt'." in visitor.until("error")["error"]


def test_what_is_no_figure_gives_no_file(looking):
    visitor = looking(f"{BOTH}&compare:views=small.broken")
    visitor.cards[0]._handle_msg({"kind": "file", "suffix": "csv"})
    assert "This card has no figure any more." in visitor.until("error")["error"]


@pytest.mark.parametrize(
    "asked",
    [
        {"mode": "overlay"},
        {"mode": "overlay", "align": "fraction"},
        {"mode": "difference"},
        {"mode": "grid", "align": "fraction"},
        {"mode": "grid", "align": "fraction", "own_scales": True},
    ],
)
def test_the_line_of_python_draws_what_the_page_shows(trained, asked):
    members = compared(trained, [FIRST, OTHER]).members
    request = ComparedRequest(
        view="small.losses",
        members=members,
        **{"align": "step", "own_scales": False, "step": None, "controls": {"scale": "linear"}, **asked},
    )
    for card in compared_view(trained, request).cards:
        line = card.picture.taken["python"].splitlines()[-1].removeprefix("figure = ")
        assert "controls={'scale': 'linear'}" in line
        drawn = eval(line, {"workspace": BoundWorkspace(trained)})
        assert wire(_without_clock(drawn)) == wire(_without_clock(card.drawn))


def _without_clock(figure):
    """Without what the page's own cursor goes by."""
    about = {name: value for name, value in figure.layout.meta["miscope"].items() if name != "clock"}
    figure.layout.meta = {"miscope": about}
    return figure


def test_a_report_has_what_is_compared_as_it_is_put_together(looking):
    visitor = looking(f"{BOTH}&compare:views=small.losses,small.norms&e=20")
    visitor.bar._handle_msg({"kind": "report", "suffix": "html"})
    told = visitor.until("address")
    assert (told["what"], told["name"], told["saved"]) == ("The report", "2-variants.report.html", False)
    text = visitor.fetched(told["address"]).text
    assert "Figure 1. Losses." in text
    assert "Figure 2. Norms." in text
    assert "workspace.compared(&#39;small.losses&#39;" in text
    assert "step=20" in text


def test_a_report_says_what_could_not_be_drawn(looking):
    visitor = looking(f"{BOTH}&compare:views=small.losses,small.unmade")
    visitor.bar._handle_msg({"kind": "report", "suffix": "md"})
    text = visitor.fetched(visitor.until("address")["address"]).text
    assert "small.unmade" in text
