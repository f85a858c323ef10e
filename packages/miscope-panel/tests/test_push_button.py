"""The button whose words and state are the server's alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import miscope_panel
from miscope_panel.page.push_button import PushButton

PAGE = Path(miscope_panel.__file__).parent / "page"


def test_a_press_is_told_once_and_not_of_one_that_was_turned_off_meanwhile():
    button, told = PushButton(label="Delete"), []
    button.on_click(lambda event: told.append(event.new))
    button._handle_msg({"kind": "press"})
    button.disabled = True
    button._handle_msg({"kind": "press"})
    button.param.update(disabled=False, visible=False)
    button._handle_msg({"kind": "press"})
    button._handle_msg({"kind": "another"})
    assert told == [1]


def test_it_is_hidden_when_the_server_says_so():
    # Bokeh hides by a rule for the host that any other one overrules.
    assert not re.search(r":host[^}]*display", "".join(PushButton._stylesheets))


@pytest.mark.parametrize("path", sorted(PAGE.rglob("*.py")), ids=lambda path: path.name)
def test_what_is_turned_off_and_on_is_no_control_that_writes_back_what_it_showed(path):
    source = path.read_text(encoding="utf-8")
    turned = {name for name, _ in re.findall(r"self\.(\w+)\.(disabled|label) = ", source)}
    assert turned.isdisjoint(re.findall(r"self\.(\w+) = pmui\.", source))
    assert "pmui.Button(" not in source
