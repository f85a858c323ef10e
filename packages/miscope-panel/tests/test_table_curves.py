"""A curve in each row of the table that is looked at: which number, read once, of groups all members'."""

from __future__ import annotations

import re
from concurrent.futures import Executor
from urllib.parse import parse_qs

import pytest

from miscope.bound import BoundWorkspace, open_bound
from miscope.testing import tables
from miscope_panel.page import table_curves
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context


@pytest.fixture
def bench(trained, at_once: Executor):
    return lambda query="page=runs": Dashboard(server_context(trained, at_once), query)


def cells(bench: Dashboard) -> list[str]:
    return list(bench.opened("runs").grid.widget.value.get("curve", []))


def titles(bench: Dashboard) -> list[str]:
    return [re.findall("<title>(.*?)</title>", cell)[0] for cell in cells(bench)]


def test_each_row_has_the_course_of_the_usual_loss(bench):
    opened = bench()
    assert [re.sub(r"[\d.e-]+ at", "# at", title) for title in titles(opened)] == [
        "test_loss from # at 0 to # at 30"
    ] * 2
    assert opened.opened("runs").grid.widget.titles["curve"] == "test_loss over training"


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        ("columns=variant,seed,test_loss", ["c:variant", "curve", "c:seed", "c:test_loss"]),
        ("columns=seed,variant,step", ["c:seed", "c:variant", "curve", "c:step"]),
        ("columns=test_loss,seed", ["c:test_loss", "curve", "c:seed"]),
        (
            "columns=test_loss&group=width,learning_rate",
            ["c:variant", "c:width", "c:learning_rate", "c:n", "curve", "c:test_loss"],
        ),
    ],
)
def test_it_stands_beside_what_names_the_row_before_all_numbers(bench, asked, columns):
    assert [*bench(f"page=runs&{asked}").opened("runs").grid.widget.value.columns] == columns


def test_another_number_is_chosen_and_stands_in_the_address_as_does_none(bench):
    opened = bench()
    choice = opened.opened("runs").controls.curve
    assert {"–", "train_loss", "test_loss"} <= set(choice.options)
    choice.value = "train_loss"
    assert parse_qs(opened.shell.query)["curve"] == ["train_loss"]
    assert all(title.startswith("train_loss from ") for title in titles(opened))
    choice.value = "–"
    assert (parse_qs(opened.shell.query)["curve"], cells(opened)) == (["-"], [])


def test_an_address_may_ask_for_the_number_of_an_instrument(bench):
    name = "parameters.norms/total/squares"
    opened = bench(f"page=runs&curve={name}")
    assert all(title.startswith(f"{name} from ") for title in titles(opened))
    assert name in opened.opened("runs").controls.curve.options


def test_a_group_has_the_curves_of_all_its_members(bench):
    (cell,) = cells(bench("page=runs&group=width"))
    assert cell.count("<path") == 2
    assert "<title>test_loss of 2 variants, 0 to 30</title>" in cell


def test_curves_are_read_once_and_anew_when_somebody_looks_again(bench, monkeypatch: pytest.MonkeyPatch):
    asked: list[list[str]] = []
    real = table_curves.curves_of

    def counted(index, variants, name):
        asked.append([*variants])
        return real(index, variants, name)

    monkeypatch.setattr(table_curves, "curves_of", counted)
    opened = bench("page=runs&sort=seed")
    assert [len(names) for names in asked] == [2]
    opened.opened("runs").controls.find.value = "seed=1"
    assert (len(asked), len(titles(opened))) == (1, 1)
    opened.opened("runs").refresh.clicks += 1
    assert asked[1:] == [["toy.sum/v5-seed1-width16"]]


def test_rows_of_another_page_of_the_table_get_theirs_when_it_is_turned(tmp_path, at_once: Executor):
    workspace: BoundWorkspace = open_bound(tmp_path, tables())
    for seed in range(52):
        variant = workspace.variant("toy.sum", seed=seed).value
        workspace.store.save_variant(variant)
        workspace.store.append_metrics(variant.name, [(0, "test_loss", 1.0), (1, "test_loss", 2.0)])
    opened = Dashboard(server_context(workspace.value, at_once), "page=runs&sort=seed")
    assert [place for place, cell in enumerate(cells(opened)) if not cell] == [50, 51]
    opened.opened("runs").grid.widget.page = 2
    assert all(cells(opened)[50:])
