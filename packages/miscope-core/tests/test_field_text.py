"""Fields and what is refused of them, in the words of who types them."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from miscope.field_text import allowed, why_refused


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=5, ge=3, le=31)
    seed: int = Field(default=0, ge=0, lt=2**63)
    rate: float = Field(default=0.5, gt=0, lt=1)
    least: float = Field(default=0.0, ge=0, lt=1)
    decay: float | None = Field(default=None, ge=0)
    kind: Literal["a", "b"] = "a"
    many: tuple[Annotated[int, Field(ge=1)], ...] = (1,)
    on: bool = False


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("count", "a whole number from 3 to 31, by default 5"),
        # The bound of a computer's number says nothing to who types one.
        ("seed", "a whole number from 0 on, by default 0"),
        ("rate", "a number above 0, below 1, by default 0.5"),
        ("least", "a number from 0, below 1, by default 0.0"),
        ("decay", "a number or null, from 0 on, by default null"),
        ("kind", "one of a, b, by default a"),
        ("many", "whole numbers with commas between them, by default 1"),
    ],
)
def test_what_a_field_takes_is_said_in_words(name: str, text: str):
    assert allowed(Asked.model_fields[name]) == text


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"count": 2}, "it must be 3 or more"),
        ({"count": 32}, "it must be 31 or less"),
        ({"rate": 0}, "it must be more than 0"),
        ({"rate": 1}, "it must be less than 1"),
        ({"seed": "x"}, "it must be a whole number"),
        ({"seed": 0.5}, "it must be a whole number"),
        ({"rate": "x"}, "it must be a number"),
        ({"kind": "c"}, "it must be 'a' or 'b'"),
        ({"on": "x"}, "it must be true or false"),
        ({"none": 1}, "there is no such field"),
    ],
)
def test_why_a_value_is_refused_is_said_without_pydantic_s_words(given: dict[str, object], reason: str):
    with pytest.raises(ValidationError) as raised:
        Asked.model_validate(given)
    assert why_refused(raised.value.errors(include_url=False)[0]) == reason
