"""What a page may cost, counted: files that a switch of the variant opens, readings of a filter, figures drawn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from miscope.tabulating.variant_table import Row, VariantTable
from miscope_panel.page import runs_page
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.page.run_watch import RunWatch
from miscope_panel.shown import variants_table

NAME, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"
PAYLOADS = (".npz", ".npy", ".safetensors", ".parquet")
MOST_OPENED = 2
"""Files, before anything is on its way."""
SCREENFUL = 6
"""Cards, before the browser has said which are on the screen."""

_opened: list[str] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(arguments[0], str):
        _opened.append(arguments[0])


@pytest.fixture(scope="module")
def hook():
    """Python tells of each file that is opened; what it was told once it tells for good."""
    sys.addaudithook(_note)


@contextmanager
def opening(root) -> Iterator[list[str]]:
    """What is opened of the workspace meanwhile."""
    global _opened
    _opened = found = []
    try:
        yield found
    finally:
        _opened = None
        found[:] = [path for path in found if path.startswith(str(root))]


@pytest.fixture
def unheard(monkeypatch):
    """No thread reads the queue meanwhile."""
    monkeypatch.setattr(RunWatch, "listen", lambda self, hand, take: lambda: None)


def test_a_switch_of_the_variant_keeps_nobody_waiting_for_a_payload_and_opens_few_files(
    trained, when_told, hook, unheard, monkeypatch
):
    read = []
    for name in ("load_arrays", "load_checkpoint", "stacked"):
        whole = getattr(trained.store, name)
        monkeypatch.setattr(
            type(trained.store), name, lambda self, *a, _w=whole, _n=name, **k: (read.append(_n), _w(*a, **k))[1]
        )
    query = f"page=views&v={NAME}&views=small.losses,small.neuron,small.norms&e=20"
    opened = Dashboard(server_context(trained, when_told), query)
    when_told.go()
    read.clear()
    # What cards, menus and marks need of the files is read on threads.
    with opening(trained.root) as found:
        opened.selection.move(variant=OTHER)
    assert (opened.workbench.cursor.variant, opened.selection.place.step) == (OTHER, 20)
    assert read == []
    assert [path for path in found if path.endswith(PAYLOADS)] == []
    assert len(found) <= MOST_OPENED
    when_told.go()
    assert [card.picture["badge"] for card in opened.workbench.board] == ["", "epoch 20", "epoch 20"]


def test_a_filter_of_a_thousand_variants_is_one_answer_reads_no_variant_anew_and_keeps_the_table(
    empty, at_once, hook, unheard, monkeypatch
):
    names = [f"toy.sum/v5-seed{number}-width16" for number in range(1000)]
    rows = [Row(variants=(name,), cells={"variant": name, "seed": number}) for number, name in enumerate(names)]
    table, read, answered = VariantTable.of({"variant": "variant", "seed": "parameter"}, rows), [], []
    monkeypatch.setattr(variants_table, "read_table", lambda *_, **__: read.append(1) or table)
    answer = runs_page.answer
    monkeypatch.setattr(runs_page, "answer", lambda *asked: (answered.append(1), answer(*asked))[1])
    opened = Dashboard(server_context(empty.value, at_once), "page=runs&columns=variant,seed")
    page, place = opened.opened("runs"), opened.selection.place
    assert len(page.grid.widget.value) == 1000
    read.clear()
    answered.clear()
    table = page.grid.widget
    with opening(empty.root / "variants") as found:
        opened.selection.place = replace(place, table=replace(place.table, where="seed < 10"))
    assert len(page.grid.widget.value) == 10
    assert (read, answered, found, page.grid.widget is table) == ([], [1], [], True)


def test_of_many_cards_those_on_the_screen_alone_are_drawn(trained, when_told, unheard):
    held = [f"small.neuron@{NAME}@{step}" for step in (0, 10, 20, 30)]
    held += [f"small.norms@{OTHER}@{step}" for step in (0, 10, 20, 30)]
    opened = Dashboard(server_context(trained, when_told), f"page=views&v={NAME}&views={','.join(held)}")
    when_told.go()
    drawn = [bool(card.picture) for card in opened.workbench.board]
    assert drawn == [True] * SCREENFUL + [False] * (len(held) - SCREENFUL)
    card = opened.workbench.board[-1]
    card.in_sight = True
    when_told.go()
    assert card.picture["badge"]
