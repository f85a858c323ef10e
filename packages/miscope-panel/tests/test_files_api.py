"""Files of variants over HTTP: a report and their numbers, as the command line writes them."""

from __future__ import annotations

import io

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pyarrow import csv, parquet

from miscope.errors import MiscopeError
from miscope.exporting.history import history
from miscope_panel.http import problem
from miscope_panel.http.problem import PREFIX
from miscope_panel.rest.files_api import files_router

FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@pytest.fixture
def get(trained):
    app = FastAPI()
    app.include_router(files_router(trained))
    app.add_exception_handler(MiscopeError, problem.of_miscope)
    client = TestClient(app)
    return lambda path, **query: client.get(f"{PREFIX}/{path}", params=query)


def test_a_report_is_one_document_with_the_figures_that_were_asked_for(get):
    answer = get("report/html", variant=[FIRST], views=["small.losses"], title="Of the toy")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="v5-seed0-width16.report.html"'
    assert answer.headers["content-type"].startswith("text/html")
    assert "<title>Of the toy</title>" in answer.text
    assert "small.losses" in answer.text
    assert "small.neuron" not in answer.text


def test_a_report_on_several_is_called_by_how_many_they_are(get):
    answer = get("report/html", variant=[FIRST, OTHER], views=["small.losses"])
    assert answer.headers["content-disposition"] == 'attachment; filename="2-variants.report.html"'


def test_numbers_by_step_are_those_that_the_command_line_writes(get, trained):
    wanted = history(trained, [trained.find(FIRST)], ("*_loss",))
    rows = csv.read_csv(io.BytesIO(get("history/csv", variant=[FIRST], names=["*_loss"]).content))
    assert rows.column_names == wanted.column_names
    assert rows.num_rows == wanted.num_rows
    answer = get("history/parquet", variant=[FIRST, OTHER])
    assert answer.headers["content-disposition"] == 'attachment; filename="2-variants.history.parquet"'
    both = history(trained, [trained.find(FIRST), trained.find(OTHER)])
    assert parquet.read_table(io.BytesIO(answer.content)).equals(both)


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("report/html", {"variant": "none"}, 404),
        ("report/doc", {"variant": "v5-seed0-width16"}, 422),
        ("report/html", {}, 422),
    ],
)
def test_what_cannot_be_written_is_refused(path, asked, status, get):
    assert get(path, **asked).status_code == status
