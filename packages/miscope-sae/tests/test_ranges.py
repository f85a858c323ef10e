"""The ranges of hyperparameters: both ends are taken, what lies beyond is refused by name unless it is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from miscope.bound import BoundVariant
from miscope.errors import BadValue, UnknownName
from miscope_sae import remarks
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
    with pytest.raises(ValidationError) as told:
        made(name, value)
    said = f"it is outside {least} to {most}; allow_out_of_range=true takes it all the same"
    assert [(each["loc"], each["msg"], each["input"]) for each in told.value.errors()] == [((name,), said, value)]
    assert getattr(made(name, value, allow_out_of_range=True), name) == value


def test_a_negative_threshold_of_activity_is_never_taken() -> None:
    with pytest.raises(ValueError, match="dead_neuron_threshold"):
        made("dead_neuron_threshold", -5e-324, allow_out_of_range=True)


def test_all_that_lies_outside_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as told:
        SparseTraining(steps=10, batch_size=64)
    (only,) = told.value.errors()
    assert (only["loc"], only["input"]) == (("batch_size",), 64)
    assert only["msg"] == (
        "it is outside 512 to 16384, steps=10 is outside 1000 to 1000000; "
        "allow_out_of_range=true takes them all the same"
    )


def test_a_refused_value_is_told_in_the_words_of_a_variant(few: Callable[..., BoundVariant]) -> None:
    with pytest.raises(BadValue) as told:
        few("sae.standard", steps=1000, batch_size=512, l1_alpha=0.2, allow_out_of_range=False)
    assert str(told.value) == (
        "sae.standard refuses l1_alpha=0.2: it is outside 0.0001 to 0.1; "
        "allow_out_of_range=true takes it all the same.\n"
        "'l1_alpha' is a number or null, >= 0, by default null.\n"
        "Change it and try again; nothing was written."
    )
    assert told.value.field == "l1_alpha"


@pytest.mark.parametrize(("name", "end"), [each for each in ENDS if each != ("dead_neuron_threshold", 0)])
def test_what_is_taken_all_the_same_is_a_warning(name: str, end: int, few: Callable[..., BoundVariant]) -> None:
    family = {"l1_alpha": "sae.standard", "l0_alpha": "sae.jumprelu"}.get(name, "sae.topk")
    value = beyond(name, end)
    rest = {each: 512 if each == "batch_size" else 1000 for each in WHOLE if each != name}
    told = [each for each in remarks(few(family, latents=16, **rest, **{name: value})) if each.field == name]
    least, most = RANGES[name]
    assert (told[0].severity, told[0].message) == ("warning", f"{value} is outside {least} to {most}, its usual range.")


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


TOO_EARLY = "it leaves no latent the dead_window_steps=100 in which it could fire"
NEVER = "it is never reached: latents are drawn anew in the first four fifths of lr_schedule_steps=1000"
TWICE = "l0_alpha is another way to say the same; give one of them"


@pytest.mark.parametrize(
    ("kind", "fields", "name", "said"),
    [
        (SparseTraining, {"resample_steps": 99, "dead_window_steps": 100}, "resample_steps", TOO_EARLY),
        (SparseTraining, {"resample_steps": 100, "dead_window_steps": 100}, "resample_steps", TOO_EARLY),
        (SparseTraining, {"resample_steps": 800, "lr_schedule_steps": 1000}, "resample_steps", NEVER),
        (JumpReluTraining, {"l0_alpha": 0.1, "target_l0": 3.0}, "target_l0", TWICE),
    ],
)
def test_fields_that_contradict_each_other_are_refused_by_one_of_their_names(
    kind: type[SparseTraining], fields: dict[str, Any], name: str, said: str
) -> None:
    with pytest.raises(ValidationError) as told:
        kind.model_validate({**fields, "allow_out_of_range": True})
    assert [(each["loc"], each["msg"]) for each in told.value.errors()] == [((name,), said)]


@pytest.mark.parametrize(
    "fields",
    [{"resample_steps": 101, "dead_window_steps": 100}, {"resample_steps": 799, "lr_schedule_steps": 1000}],
)
def test_the_next_number_is_taken(fields: dict[str, Any]) -> None:
    assert SparseTraining(**fields, allow_out_of_range=True).resample_steps == fields["resample_steps"]
