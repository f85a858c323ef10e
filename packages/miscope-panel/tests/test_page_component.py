"""Components that change with every step ask nothing of Panel's theme."""

from __future__ import annotations

import pytest
from bokeh.document import Document

from miscope_panel.page.card import Card
from miscope_panel.page.cursor import Cursor


@pytest.mark.parametrize(("component", "change"), [(Card(), {"pending": True}), (Cursor(), {"followed": 500})])
def test_a_change_reaches_the_browser_without_the_themes_style_sheets(component, change, monkeypatch):
    root = component.get_root(Document())
    asked = []
    monkeypatch.setattr(type(component._design), "params", lambda *given: asked.append(given) or ({}, {}))
    component.param.update(change)
    assert {name: getattr(root.data, name) for name in change} == change
    assert asked == []
