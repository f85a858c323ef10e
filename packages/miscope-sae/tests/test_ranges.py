"""The ranges of hyperparameters: both ends are taken, what lies beyond is refused by name unless it is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from miscope.bound import BoundVariant
from miscope.errors import BadValue, UnknownName
from miscope_sae import remarks
from miscope_sae.params import latent_count
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
        "'l1_alpha' is a number or null, from 0 on, by default null.\n"
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
        f"sae.standard refuses latents={latents}: it is outside 16 to 256; "
        "allow_out_of_range=true takes it all the same.\n"
        "2 to 32 times the width 8 are usual.\n"
        "Change it and try again; nothing was written."
    )
    taken = few("sae.standard", **fields)
    assert taken.workspace.value.context(taken.value).task is not None


@pytest.mark.parametrize(("inputs", "probability"), [(40, 0.5), (500, 0.005)])
def test_the_number_of_latents_that_is_advised_is_taken_as_it_is(
    inputs: int, probability: float, tmp_path: Path, known_source: Callable[..., BoundVariant]
) -> None:
    """Of 40 inputs fewer than usual have four each; of 500 few have a feature, and the others are all the same."""
    source = known_source(tmp_path, features=12, width=8, inputs=inputs, probability=probability)
    place = source.workspace
    usual = {"variant": source.name, "step": 0, "site": "hook_embed", "steps": 1000, "batch_size": 512, "k": 1}
    many = place.variant("sae.topk", latents="32x", **usual)
    (said,) = [each.message for each in remarks(many) if each.field == "latents" and each.severity == "warning"]
    advised = int(said.rpartition(" latents would have 4 each.")[0].rpartition(" ")[2])
    assert advised < 2 * 8
    typed = place.variant("sae.topk", latents=advised, **usual)
    assert [each.field for each in remarks(typed) if each.severity == "warning"] == []


@pytest.mark.parametrize(
    "latents",
    ["8X", "abc8", "-4", -4, "8xx", "0", 0, "", " 8", "8x\n", "1e3", "512.5", 64.5, True, None, "9" * 400, 10**400],
)
def test_what_says_no_number_of_latents_is_refused(latents: object, few: Callable[..., BoundVariant]) -> None:
    with pytest.raises(BadValue) as told:
        few("sae.standard", latents=latents)
    first, *rest = str(told.value).split("\n")
    assert first.startswith("sae.standard refuses latents=")
    assert first.endswith(": it says neither how many latents nor how many times the width.")
    assert len(first) < 300
    assert rest == ["'latents' is one of the forms 512 or 8x.", "Change it and try again; nothing was written."]
    assert told.value.field == "latents"


@pytest.mark.parametrize("latents", ["0x", "0.0001x", "0.06x"])
def test_a_part_of_the_width_that_is_no_latent_is_refused(latents: str, few: Callable[..., BoundVariant]) -> None:
    with pytest.raises(BadValue) as told:
        list(few("sae.standard", latents=latents).train(threads=1))
    assert str(told.value) == (
        f"latents={latents} is none at a site of 8 numbers.\n"
        "A latent is what an autoencoder is made of.\n"
        "Give more, such as 8x."
    )


@given(times=st.decimals(0, 999, places=3), width=st.integers(1, 4096))
def test_so_many_times_the_width_is_rounded_to_the_nearest(times: Decimal, width: int) -> None:
    assume(times * width >= 1)
    assert abs(latent_count(f"{times}x", width) - times * width) <= Decimal("0.5")


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, "inf", "nan", "1e999"])
@pytest.mark.parametrize(
    ("family", "field"),
    [
        ("sae.topk", "learning_rate"),
        ("sae.topk", "weight_decay"),
        ("sae.topk", "clip_norm"),
        ("sae.topk", "aux_alpha"),
        ("sae.standard", "rho"),
        ("sae.standard", "decoder_init_norm"),
        ("sae.jumprelu", "bandwidth"),
    ],
)
def test_no_number_is_taken_that_is_not_finite(
    family: str, field: str, value: object, few: Callable[..., BoundVariant]
) -> None:
    with pytest.raises(BadValue, match=rf"^{family} refuses {field}=.*finite number|greater than") as told:
        few(family, **{field: value})
    assert told.value.field == field


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
