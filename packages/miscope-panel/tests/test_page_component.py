"""Components that change with every step ask nothing of Panel's theme, and are heard at once."""

from __future__ import annotations

import pytest
from bokeh.document import Document

from miscope_panel.page.card import Card
from miscope_panel.page.cursor import Cursor
from miscope_panel.page.text_field import TextField


@pytest.mark.parametrize(("component", "change"), [(Card(), {"pending": True}), (Cursor(), {"followed": 500})])
def test_a_change_reaches_the_browser_without_the_themes_style_sheets(component, change, monkeypatch):
    root = component.get_root(Document())
    asked = []
    monkeypatch.setattr(type(component._design), "params", lambda *given: asked.append(given) or ({}, {}))
    component.param.update(change)
    assert {name: getattr(root.data, name) for name in change} == change
    assert asked == []


SENT = [(Card(), "in_sight", False), (Cursor(), "asked", 500), (TextField(), "value", "seed=1")]


class Scheduling(Document):
    """Of a session, whose callbacks are noted and not run."""

    def __init__(self) -> None:
        super().__init__()
        self._session_context = lambda: self
        self.server_context = None
        self.delays: list[int] = []

    def add_timeout_callback(self, callback, timeout_milliseconds):
        self.delays.append(timeout_milliseconds)


@pytest.mark.parametrize(("component", "name", "value"), SENT)
def test_what_the_browser_changed_is_heard_without_delay(component, name, value):
    """Where a hand may go on it is the browser that waits; what is waited here each step of play comes later by."""
    document = Scheduling()
    model = component.get_root(document)
    setattr(getattr(model, "data", model), name, value)
    assert document.delays == [0]


def test_what_is_as_it_was_is_not_set_again():
    """Panel would find it out for itself, in longer than it takes to set it."""
    cursor, heard = Cursor(asked=10), []
    cursor.param.watch(lambda *events: heard.append([event.name for event in events]), ["asked", "spacing"])
    update = type(cursor.param).update
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(cursor.param), "update", lambda *given, **more: asked.append(more) or update(*given, **more))
        cursor.change(asked=10, spacing="linear")
        cursor.change(asked=20, spacing="linear")
    assert (asked, heard, cursor.asked) == ([{"asked": 20}], [["asked"]], 20)
