"""What an instrument returns is arrays under names that can be stored and stacked, or refused in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from miscope.analysis.returned import returned_arrays
from miscope.errors import BadValue

NAMES = "A name is 1 to 120 printable characters, no backslash or '..'; at a checkpoint 'step' is its own."


@pytest.mark.parametrize("array", ["", "a\0b", "a\nb", "x" * 121, "../../x", "a\\b", "step", 3])
def test_a_name_that_cannot_be_stored_is_refused(array: Any):
    with pytest.raises(BadValue) as raised:
        returned_arrays("t.odd", {array: np.zeros(1)}, stacked=True)
    assert str(raised.value) == f"'t.odd' returned an array called {array!r:.80}.\n{NAMES}\nChoose another."


def test_steps_of_its_own_are_an_instruments_that_spans_the_training():
    assert returned_arrays("t.course", {"step": np.arange(3)})["step"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "value",
    [[[1, 2], [3]], object(), torch.zeros(2, dtype=torch.bfloat16), torch.zeros(2, requires_grad=True)],
    ids=["ragged", "object", "bfloat16", "gradient"],
)
def test_what_is_no_array_is_refused(value: Any):
    with pytest.raises(BadValue) as raised:
        returned_arrays("t.odd", {"x": value})
    assert str(raised.value) == (
        f"'t.odd' returned under 'x' what is no array: {type(value).__name__}.\n"
        "Only numbers and text can be stored without pickling; a list of arrays of unequal length cannot, nor can "
        "tensors in bfloat16 or with a gradient.\n"
        "Return one rectangular array, or a flat one with offsets; of a tensor  tensor.detach().float().numpy()."
    )


def test_nested_arrays_are_stored_under_their_paths():
    nested = {"blocks.0.hook_post": {"power": np.arange(2), "basis": {"unit": np.array("k")}}, "total": 1.0, "none": {}}

    assert {name: array.tolist() for name, array in returned_arrays("t.nested", nested).items()} == {
        "blocks.0.hook_post/power": [0, 1],
        "blocks.0.hook_post/basis/unit": "k",
        "total": 1.0,
    }


def test_two_arrays_of_one_path_are_refused():
    with pytest.raises(BadValue) as raised:
        returned_arrays("t.nested", {"W_E/power": np.zeros(1), "W_E": {"power": np.ones(1)}})
    assert str(raised.value) == (
        "'t.nested' returned two arrays called 'W_E/power'.\n"
        "Nested keys are joined by '/': {'W_E': {'power': ...}} and {'W_E/power': ...} are the same name.\n"
        "Give one of them another."
    )


@pytest.mark.parametrize("nested", [{"W_E": {3: np.zeros(1)}}, {"W_E": {"..": np.zeros(1)}}, {3: {"a": np.zeros(1)}}])
def test_a_nested_name_that_cannot_be_stored_is_refused(nested: Any):
    with pytest.raises(BadValue, match=r"returned an array called"):
        returned_arrays("t.odd", nested)
