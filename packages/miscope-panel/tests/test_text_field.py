"""What was entered in a field stands in it, and what is typed on meanwhile is not taken away."""

from __future__ import annotations

import pytest

from miscope_panel.page.text_field import TextField


@pytest.fixture
def field() -> TextField:
    return TextField(value="seed=1")


def test_what_is_set_stands_in_the_field(field):
    assert field.value_input == "seed=1"
    field.value = "seed=2"
    assert field.value_input == "seed=2"


@pytest.mark.parametrize("typed", ["", "seed=34"])
def test_what_is_typed_on_while_the_entered_is_taken_up_stays(field, typed):
    field._process_events({"value": "seed=3", "value_input": typed})
    assert (field.value, field.value_input) == ("seed=3", typed)
    field._process_events({"value": typed})
    assert (field.value, field.value_input) == (typed, typed)


def test_what_was_entered_and_no_more_stands_in_the_field(field):
    field._process_events({"value": "seed=3"})
    assert field.value_input == "seed=3"
    field._process_events({"value": "seed=4", "value_input": "seed=4"})
    assert field.value_input == "seed=4"
