"""A report on the open cards, and a film of one: made on a thread, told how far, left, fetched."""

from __future__ import annotations

import threading
from queue import Queue

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.file_work import FileWork, Task
from miscope_panel.page.made_files import MadeFiles
from miscope_panel.page.pages import server_context
from miscope_panel.shown.film_of_card import film_of_card
from miscope_panel.shown.picture import Request
from miscope_panel.shown.report_cards import report_of_cards

LONG = 60
LEFT = "It was left, for nobody looked at it: ask again."
OTHER = "toy.sum/v5-seed1-width16"


class Looking:
    """A visitor of the cards."""

    def __init__(self, server, query):
        self.server, self.dashboard = server, Dashboard(server, query)
        self.bench = self.dashboard.workbench
        self.bar, self.told = self.bench.reports.view, Queue()
        self.bar.param.watch(lambda event: self.told.put(event.new), "making")

    def until(self, name):
        """What is told, once it has that."""
        while name not in self.bar.making:
            self.told.get(timeout=LONG)
        return self.bar.making

    def fetched(self, address):
        app = FastAPI()
        app.include_router(self.server.made.router())
        return TestClient(app).get(address)


@pytest.fixture
def looking(trained, at_once):
    return lambda query: Looking(server_context(trained, at_once), query)


def test_a_report_has_the_open_cards_with_their_steps_controls_and_variants(looking, name):
    query = f"v={name}&with={OTHER}&e=20&views=small.norms,small.compared,small.losses&small.losses:scale=linear"
    visitor = looking(query)
    visitor.bar._handle_msg({"kind": "report", "suffix": "html"})
    told = visitor.until("address")
    assert (told["what"], told["name"]) == ("The report", "2-variants.report.html")
    answer = visitor.fetched(told["address"])
    assert answer.headers["content-type"].startswith("text/html")
    for title in ("Norms", "Compared", "Losses"):
        assert f"{title}" in answer.text
    assert "small.norms" in answer.text
    assert "--step 20" in answer.text
    assert "scale=linear" in answer.text
    assert f"small.compared {name} {OTHER}" in answer.text


def test_a_report_says_how_far_it_is_part_by_part(trained, name, tmp_path):
    cards = [("Mine", Request(view="small.losses", variant=name)), ("", Request(view="small.unmade", variant=name))]
    path = tmp_path / "r.md.html"
    told = list(report_of_cards(trained, cards, [name], path))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (3, 4), (4, 4)]
    assert "Mine" in path.read_text()
    assert "small.unmade" in path.read_text()


def test_a_page_with_a_slider_is_made_of_a_card(looking, name):
    visitor = looking(f"v={name}&views=small.norms")
    visitor.bench.board[0]._handle_msg({"kind": "film", "suffix": "html"})
    told = visitor.until("address")
    assert told["name"] == "v5-seed0-width16.small.norms.html"
    assert "epoch 20" in visitor.fetched(told["address"]).text


def test_a_view_that_does_not_move_says_so(looking, name):
    visitor = looking(f"v={name}&views=small.losses")
    visitor.bench.board[0]._handle_msg({"kind": "film", "suffix": "gif"})
    assert visitor.until("error")["error"].startswith("'small.losses' does not move.")


def test_frames_are_counted(trained, name, tmp_path):
    request = Request(view="small.norms", variant=name)
    assert list(film_of_card(trained, request, tmp_path / "f.html")) == [(1, 2), (2, 2)]


def test_what_nobody_wants_any_more_is_left(looking, name):
    visitor = looking(f"v={name}&views=small.losses")
    begun, go, ended = threading.Event(), threading.Event(), Queue()

    def work(path):
        try:
            yield 0, 2
            begun.set()
            assert go.wait(LONG)
            yield 1, 2
            ended.put("went on")  # pragma: no cover
        finally:
            ended.put("left")

    making = visitor.bench.reports.making
    making.begin(Task(what="It", name="it.html", work=work))
    assert begun.wait(LONG)
    assert visitor.until("share")["far"] == "0 of 2"
    visitor.bar._handle_msg({"kind": "leave"})
    assert visitor.bar.making == {}
    go.set()
    assert ended.get(timeout=LONG) == "left"
    assert visitor.bar.making == {}
    made = visitor.server.made
    made.threads.shutdown()
    assert [*made._folder.iterdir()] == []


def test_a_page_that_is_loaded_anew_finds_what_it_had_made(trained, at_once, name):
    server = server_context(trained, at_once)
    before, go = Looking(server, f"v={name}&views=small.losses"), threading.Event()

    def work(path):
        yield 0, 2
        assert go.wait(LONG)
        path.write_text("whole")
        yield 2, 2

    before.bench.reports.making.begin(Task(what="It", name="it.html", work=work))
    assert before.until("share")["far"] == "0 of 2"
    after = Looking(server, f"v={name}&views=small.losses")
    assert after.bar.making == {}
    after.bar._handle_msg({"kind": "find", "key": "another"})
    assert after.bar.making == {}
    after.bar._handle_msg({"kind": "find", "key": before.bar.making["key"]})
    assert after.bar.making == before.bar.making
    go.set()
    assert after.fetched(after.until("address")["address"]).text == "whole"
    third = Looking(server, f"v={name}&views=small.losses")
    third.bar._handle_msg({"kind": "find", "key": after.bar.making["key"]})
    assert "address" in third.bar.making
    third.bar._handle_msg({"kind": "leave"})
    assert (third.bar.making, server.made.work(after.bar.making["key"])) == ({}, None)


@pytest.mark.parametrize(("patience", "ends"), [(-1.0, False), (LONG, True)])
def test_what_no_page_looks_at_for_long_or_a_server_that_ends_is_left(patience, ends):
    files, begun = MadeFiles(ending=lambda: ends), []
    work = FileWork(Task(what="It", name="it.html", work=begun.append), files, patience=patience)
    work.do()
    assert (begun, files._folder, work.told["error"]) == ([], None, LEFT)


def test_what_was_left_is_not_found_as_if_it_were_under_way():
    files = MadeFiles(ending=lambda: True)
    work = files.begin(Task(what="It", name="it.html", work=lambda path: iter([(1, 3)])))
    files.threads.shutdown()
    assert (files.work(work.key), work.told["error"]) == (None, LEFT)


def test_what_was_left_before_its_turn_is_not_begun(looking, name):
    visitor = looking(f"v={name}&views=small.losses")
    made, making, go, begun = visitor.server.made, visitor.bench.reports.making, threading.Event(), []

    def work(path):
        begun.append(path)
        yield 1, 1

    for _ in range(2):
        made.threads.submit(go.wait, LONG)
    making.begin(Task(what="It", name="it.html", work=work))
    making.leave()
    go.set()
    made.threads.shutdown()
    assert (begun, made._folder) == ([], None)


def test_the_last_files_are_kept_and_no_other_is_found():
    files = MadeFiles()
    app = FastAPI()
    app.include_router(files.router())
    client = TestClient(app)
    addresses, paths = [], []
    for number in range(21):
        path = files.place("a.html")
        path.write_text(str(number))
        paths.append(path)
        addresses.append(files.keep(path))
    assert client.get(addresses[0]).status_code == 404
    assert client.get(addresses[1]).text == "1"
    assert client.get(addresses[20].replace("a.html", "b.html")).status_code == 404
    assert [path.parent.exists() for path in paths] == [False, *[True] * 20]
