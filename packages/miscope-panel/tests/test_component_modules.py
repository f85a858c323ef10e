"""What components run in the browser is fetched by its address, once, and does not travel with each of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from bokeh.document import Document
from fastapi.testclient import TestClient
from panel.custom import ReactiveESM

import miscope_panel.page.card
from miscope_panel.app import application
from miscope_panel.http.guard import LOOPBACK
from miscope_panel.page.card import Card
from miscope_panel.page.lens_list import LensList
from miscope_panel.page.page_component import PageComponent
from miscope_panel.page.shell import Shell


@pytest.fixture
def client(trained, at_once) -> TestClient:
    return TestClient(application(trained, at_once, hosts=LOOPBACK), base_url="http://127.0.0.1:5006")


def every(kind: type[PageComponent]) -> list[type[PageComponent]]:
    return [found for each in kind.__subclasses__() for found in (each, *every(each)) if found._esm]


@pytest.mark.parametrize("component", every(PageComponent), ids=lambda component: component.__name__)
def test_the_module_of_each_component_lies_at_its_address_and_is_kept(component, client):
    answer = client.get(component.address())
    assert (answer.status_code, answer.text) == (200, component._esm)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]


def test_on_a_server_a_component_has_the_address_and_elsewhere_the_text():
    served = Document()
    served._session_context = lambda: SimpleNamespace(server_context=None)
    model = Card().get_root(served)
    assert (model.bundle, model.esm) == ("url", Card.address())
    alone = Card().get_root(Document())
    assert (alone.bundle, alone.esm) == (None, Card._esm)


def test_an_older_address_brings_what_is_there_now_and_is_not_kept(client):
    answer = client.get(Shell.address().replace(Shell.address()[-19:-3], "0" * 16))
    assert (answer.text, answer.headers["cache-control"]) == (Shell._esm, "no-store")


@pytest.mark.parametrize("where", ["os/path/0.js", "miscope_panel.page.card/nothing/0.js", "no.such/Card/0.js"])
def test_nothing_else_lies_there(where, client):
    assert client.get(f"/assets/modules/{where}").status_code == 404
    assert client.get("/assets/modules/miscope_panel.page.card/partial/0.js").status_code == 404


def test_no_address_has_a_module_import_another(client, monkeypatch):
    def imports(name):
        raise AssertionError(f"{name} was asked for")

    monkeypatch.setattr(miscope_panel.page.card, "__getattr__", imports, raising=False)
    assert client.get("/assets/modules/miscope_panel.page.card/nothing/0.js").status_code == 404


def test_no_component_of_the_page_is_served_otherwise():
    def below(kind: type) -> list[type]:
        return [found for each in kind.__subclasses__() for found in (each, *below(each))]

    ours = [
        each for each in below(ReactiveESM) if each.__module__.startswith("miscope_panel.") and "_esm" in vars(each)
    ]
    assert LensList in ours
    assert [each.__name__ for each in ours if not issubclass(each, PageComponent)] == []
