"""Several values of a field as one types them, and written so that they are read as the same."""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, JsonValue

from miscope.field_text import read_values, separator, written_values
from miscope.training_config import TrainingConfig


class Fields(BaseModel):
    count: Annotated[int, Field(ge=0)] = 0
    rate: float | None = None
    word: str = ""
    kind: Literal["adamw", "sgd"] = "adamw"
    pair: tuple[float, float] = (0.0, 1.0)
    words: tuple[str, ...] = ()
    options: Mapping[str, JsonValue] = {}


def info(name):
    return {**Fields.model_fields, **TrainingConfig.model_fields}[name]


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("count", "113", [113]),
        ("count", "113, 97,59", [113, 97, 59]),
        ("count", "113,", [113]),
        ("rate", "1e-3, null", [0.001, None]),
        ("kind", "adamw,sgd", ["adamw", "sgd"]),
        ("word", "113", ["113"]),
        ("word", 'a, "b, c"', ["a", "b, c"]),
        ("pair", "0.9,0.98", [[0.9, 0.98]]),
        ("pair", "0.9,0.98; 0.9,0.999", [[0.9, 0.98], [0.9, 0.999]]),
        ("words", "W_E;W_U,W_E", [["W_E"], ["W_U", "W_E"]]),
        ("checkpoints", "0,100,500; every:100", ["0,100,500", "every:100"]),
        ("options", '{"a;b": [1, 2]}; {}', [{"a;b": [1, 2]}, {}]),
    ],
)
def test_values_are_parted_where_no_single_value_holds_the_mark(name, text, values):
    assert read_values(info(name), text) == values


@pytest.mark.parametrize(("name", "mark"), [("count", ","), ("rate", ","), ("pair", ";"), ("checkpoints", ";")])
def test_a_field_whose_value_may_hold_commas_is_parted_by_semicolons(name, mark):
    assert separator(info(name)) == mark


texts = st.text(alphabet='ab1,;"[]{}: \\.', max_size=8)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False), texts)


@given(st.sampled_from(["count", "rate", "kind"]), st.lists(scalars, min_size=1, max_size=4))
def test_what_is_written_is_read_as_the_same_values(name, values):
    read = read_values(info(name), written_values(info(name), values))
    assert read == values
    assert [type(value) for value in read] == [type(value) for value in values]


@given(st.lists(texts, min_size=1, max_size=4))
def test_texts_with_marks_quotes_and_numbers_in_them_stay_texts(values):
    assert read_values(info("word"), written_values(info("word"), values)) == values


@given(st.lists(st.lists(scalars, max_size=3), min_size=1, max_size=3))
def test_lists_are_read_as_the_same_lists(values):
    assert read_values(info("words"), written_values(info("words"), values)) == values


def test_what_is_no_number_survives_too():
    (read,) = read_values(info("rate"), written_values(info("rate"), [math.inf]))
    assert read == math.inf
