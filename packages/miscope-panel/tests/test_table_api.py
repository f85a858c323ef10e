"""The table of variants over HTTP: the rows that the page shows, and refusals with the field."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from miscope.errors import MiscopeError
from miscope_panel.http import problem
from miscope_panel.http.problem import PREFIX
from miscope_panel.rest.table_api import table_router

FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@pytest.fixture
def get(trained):
    app = FastAPI()
    app.include_router(table_router(trained))
    app.add_exception_handler(MiscopeError, problem.of_miscope)
    client = TestClient(app)
    return lambda **query: client.get(f"{PREFIX}/table", params=query)


def test_rows_are_found_ordered_and_given_a_page_at_a_time(get):
    answer = get(sort="seed:desc", columns="variant,seed,test_loss.max", limit=1, page=2).json()
    assert [column["name"] for column in answer["columns"]] == ["variant", "seed", "test_loss.max"]
    (row,) = answer["rows"]
    assert (row["variants"], row["cells"]["seed"]) == ([FIRST], 0)
    assert row["cells"]["test_loss.max"] > 0
    assert (answer["matched"], answer["variants"], answer["unknown"]) == (2, 2, [])
    assert answer["pagination"] == {"page": 2, "limit": 1, "total": 2, "pages": 2}
    assert [row["variants"] for row in get(find="seed=1", where="test_loss > 0").json()["rows"]] == [[OTHER]]


def test_names_of_no_column_are_said_beside_what_there_is(get):
    answer = get(columns="variant,gone", sort="nothing", group="elsewhere").json()
    assert answer["unknown"] == ["elsewhere", "gone", "nothing"]
    assert [column["name"] for column in answer["columns"]] == ["variant"]


def test_a_group_has_its_mean_and_no_interval_of_two(get):
    (row,) = get(group="width", columns="test_loss").json()["rows"]
    assert sorted(row["variants"]) == [FIRST, OTHER]
    loss = row["cells"]["test_loss"]
    assert (loss["low"], loss["high"], loss["count"], row["cells"]["n"]) == (None, None, 2, 2)


def test_a_condition_that_cannot_be_answered_is_refused_with_its_field(get):
    answer = get(where="seeds = 0")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "BadValue")
    assert error["message"].startswith("The condition cannot be answered: seeds = 0\nBinder Error: ")
    assert [field["name"] for field in error["fields"]] == ["where"]
