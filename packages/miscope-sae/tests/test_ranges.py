"""The ranges of hyperparameters: both ends are taken, what lies beyond is refused by name unless it is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from miscope.bound import BoundVariant
from miscope.errors import BadValue, UnknownName
from miscope_sae.seed_ranges import RANGES
from miscope_sae.training import JumpReluTraining, L1Training, SparseTraining

KINDS: dict[str, type[SparseTraining]] = {"l1_alpha": L1Training, "l0_alpha": JumpReluTraining}
WHOLE = ("batch_size", "steps")
ENDS = [(name, end) for name in RANGES for end in (0, 1)]


def made(name: str, value: float, **fields: Any) -> SparseTraining:
    return KINDS.get(name, SparseTraining).model_validate({"batch_size": 512, "steps": 1000, name: value, **fields})


def beyond(name: str, end: int) -> float:
    """The next number outside."""
    value = RANGES[name][end]
    if name in WHOLE:
        return int(value) + (1 if end else -1)
    return math.nextafter(value, math.inf if end else -math.inf)


@pytest.mark.parametrize(("name", "end"), ENDS)
def test_both_ends_of_a_range_are_taken(name: str, end: int) -> None:
    assert getattr(made(name, RANGES[name][end]), name) == RANGES[name][end]


@pytest.mark.parametrize(("name", "end"), [each for each in ENDS if each != ("dead_neuron_threshold", 0)])
def test_the_next_number_outside_is_refused_by_name_and_taken_where_it_is_said(name: str, end: int) -> None:
    value = beyond(name, end)
    least, most = RANGES[name]
    with pytest.raises(ValueError, match=name) as told:
        made(name, value)
    said = f"Value error, {name}={value} is outside {least} to {most}; allow_out_of_range=true takes it all the same"
    assert said in str(told.value)
    assert getattr(made(name, value, allow_out_of_range=True), name) == value


def test_a_negative_threshold_of_activity_is_never_taken() -> None:
    with pytest.raises(ValueError, match="dead_neuron_threshold"):
        made("dead_neuron_threshold", -5e-324, allow_out_of_range=True)


def test_all_that_lies_outside_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="steps") as told:
        SparseTraining(steps=10, batch_size=64)
    assert (
        "batch_size=64 is outside 512 to 16384; steps=10 is outside 1000 to 1000000; allow_out_of_range=true takes it "
        "all the same"
    ) in str(told.value)


def test_a_refused_value_is_told_in_the_words_of_a_variant(few: Callable[..., BoundVariant]) -> None:
    with pytest.raises(BadValue) as told:
        few("sae.standard", steps=1000, batch_size=512, l1_alpha=0.2, allow_out_of_range=False)
    assert "l1_alpha=0.2 is outside 0.0001 to 0.1; allow_out_of_range=true takes it all the same" in str(told.value)


@pytest.mark.parametrize("latents", [16, 256, "2x", "32x"])
def test_twice_to_thirty_two_times_the_width_are_usual(latents: Any, few: Callable[..., BoundVariant]) -> None:
    usual = few("sae.standard", latents=latents, steps=1000, batch_size=512, allow_out_of_range=False)
    assert usual.workspace.value.context(usual.value).task is not None


@pytest.mark.parametrize("latents", [15, 257])
def test_one_latent_less_or_more_is_refused_and_taken_where_it_is_said(
    latents: int, few: Callable[..., BoundVariant]
) -> None:
    fields = {"latents": latents, "steps": 1000, "batch_size": 512}
    odd = few("sae.standard", allow_out_of_range=False, **fields)
    with pytest.raises(BadValue) as told:
        list(odd.train(threads=1))
    assert str(told.value) == (
        f"{odd.name} would have {latents} latents for 8 numbers.\n"
        "The usual range is 16 to 256.\n"
        "Choose other `latents`, or say allow_out_of_range=true."
    )
    taken = few("sae.standard", **fields)
    assert taken.workspace.value.context(taken.value).task is not None


def test_an_unknown_field_is_refused(few: Callable[..., BoundVariant]) -> None:
    with pytest.raises(UnknownName) as told:
        few("sae.standard", l1_alhpa=0.1)
    assert str(told.value).startswith(
        "There is no field named 'l1_alhpa'.\nDid you mean 'l1_alpha'?\nsae.standard takes "
    )
    with pytest.raises(UnknownName) as told:
        few("sae.topk", l1_alpha=0.01)
    assert str(told.value).startswith("There is no field named 'l1_alpha'.\n")


@pytest.mark.parametrize("every", [99, 100])
def test_latents_cannot_be_drawn_anew_before_they_could_fire(every: int) -> None:
    with pytest.raises(ValueError, match="resample_steps") as told:
        SparseTraining(resample_steps=every, dead_window_steps=100, allow_out_of_range=True)
    said = f"Value error, resample_steps={every} leaves no latent the dead_window_steps=100 in which it could fire"
    assert said in str(told.value)
    assert SparseTraining(resample_steps=101, dead_window_steps=100, allow_out_of_range=True).resample_steps == 101


def test_drawing_latents_anew_that_is_never_reached_is_refused() -> None:
    with pytest.raises(ValueError, match="resample_steps") as told:
        SparseTraining(resample_steps=800, lr_schedule_steps=1000, allow_out_of_range=True)
    assert (
        "Value error, resample_steps=800 is never reached: latents are drawn anew in the first four fifths of "
        "lr_schedule_steps=1000"
    ) in str(told.value)
    assert SparseTraining(resample_steps=799, lr_schedule_steps=1000, allow_out_of_range=True).resample_steps == 799


def test_two_aims_of_one_penalty_are_refused() -> None:
    with pytest.raises(ValueError, match="target_l0") as told:
        JumpReluTraining(l0_alpha=0.1, target_l0=3, allow_out_of_range=True)
    assert "Value error, l0_alpha and target_l0 are two ways to say the same; give one of them" in str(told.value)
