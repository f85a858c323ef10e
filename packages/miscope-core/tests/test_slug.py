"""Slugs tell variants apart: two that differ in anything have two folders, or the second is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from miscope.analysis.analyze import analyze
from miscope.analysis.artifacts import arrays
from miscope.bound import BoundVariant, BoundWorkspace
from miscope.errors import BadValue
from miscope.family import Params, make_variant
from miscope.figures.render import gather
from miscope.slug import NAME_PATTERN, check_name, plain_slug, slug
from miscope.testing.toy import ToyFamily
from miscope.training_config import TrainingConfig
from miscope.variant import Variant

Make = Callable[..., BoundWorkspace]


class Wide(Params):
    """Every kind of field a family may have, with names that are the beginnings of others."""

    tag: str = "x"
    a: str | None = None
    a1: int | None = None
    rate: Annotated[float, Field(json_schema_extra={"slug": "r"})] = 0.1
    roles: tuple[str, ...] = ()
    scales: tuple[float, ...] = ()
    nested: tuple[tuple[int, ...], ...] = ()
    kind: Annotated[Literal["mono", "one"], Field(json_schema_extra={"slug": ""})] = "mono"
    lr: float | None = None
    on: bool = False
    mode: Annotated[Literal["on", "off"], Field(json_schema_extra={"in_name": "changed"})] = "on"


text = st.text(alphabet="abAr1-+./ *_é", max_size=6) | st.sampled_from(["x-a1", "1-r0.1", "W_*", "*W_*", "..", "++"])
number = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.sampled_from([0.1234567, 0.12345678, 1e20])
wide = st.builds(
    Wide,
    tag=text,
    a=st.none() | text,
    a1=st.none() | st.integers(-20, 20),
    rate=number,
    roles=st.lists(text, max_size=3).map(tuple),
    scales=st.lists(number, max_size=3).map(tuple),
    nested=st.lists(st.lists(st.integers(0, 3), max_size=2).map(tuple), max_size=2).map(tuple),
    kind=st.sampled_from(["mono", "one"]),
    lr=st.none() | number,
    on=st.booleans(),
    mode=st.sampled_from(["on", "off"]),
)
DEFAULT = TrainingConfig()
training = st.builds(
    TrainingConfig,
    learning_rate=st.sampled_from([1e-3, 0.1234567, 0.12345678]),
    no_decay=st.sampled_from([(), ("W_*",), ("*W_*",), ("W_E", "W_U"), ("W_E+W_U",)]),
    interventions=st.sampled_from([(), ("gain-k14-x2-from500-to1000",), ("a-b", "c"), ("a-b+c",)]),
)


@settings(max_examples=150, deadline=None)
@given(wide, wide, training, training)
def test_two_slugs_are_alike_only_if_the_values_are(one: Wide, other: Wide, how: TrainingConfig, else_: TrainingConfig):
    first, second = slug(one, how, DEFAULT), slug(other, else_, DEFAULT)
    assert (first == second) == ((one, how) == (other, else_))
    assert check_name(first) == first


@settings(max_examples=150, deadline=None)
@given(wide, st.data())
def test_one_field_changed_is_another_slug(one: Wide, data: st.DataObject):
    """Neighbours collide more easily than two drawn apart: the same values but for one or two fields."""
    drawn = data.draw(wide)
    names = data.draw(st.sets(st.sampled_from(sorted(Wide.model_fields)), min_size=1, max_size=2))
    other = one.model_copy(update={name: getattr(drawn, name) for name in names})
    assert (slug(one, None, None) == slug(other, None, None)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"tag": "a/b"}, {"tag": "a b"}),
        ({"rate": 0.1234567}, {"rate": 0.12345678}),
        ({"tag": "x-a1", "a": "2"}, {"tag": "x", "a": "1-a2"}),
        ({"a": "12"}, {"a1": 2, "a": None}),
        ({"roles": ("W_*",)}, {"roles": ("*W_*",)}),
        ({"roles": ("a", "b")}, {"roles": ("a+b",)}),
        ({"roles": ("",)}, {"roles": ()}),
        ({"nested": ((1, 2), (3,))}, {"nested": ((1,), (2, 3))}),
        ({"tag": "é"}, {"tag": "ü"}),
        ({"tag": "a..b"}, {"tag": "a.b"}),
        ({"tag": "a" * 400}, {"tag": "a" * 401}),
    ],
)
def test_values_whose_text_is_alike_have_folders_of_their_own(one: dict[str, Any], other: dict[str, Any]):
    assert slug(Wide(**one), None, None) != slug(Wide(**other), None, None)


def test_a_value_that_its_text_gives_back_is_that_text():
    assert slug(Wide(tag="v1.2_b", rate=1e-05, scales=(1e20, 0.5)), None, None) == (
        "tagv1.2_b-r1e-05-roles-scales1e+20+0.5-nested-mono-onfalse"
    )
    named = TrainingConfig(interventions=("gain-k14-x2-from500-to1000",), betas=(0.9, 0.999))
    assert slug(Params(), named, DEFAULT) == "betas0.9+0.999-dogain-k14-x2-from500-to1000"


def test_what_is_named_where_it_is_changed_is_left_out_at_its_default():
    assert slug(Wide(mode="off"), None, None) == slug(Wide(), None, None) + "-modeoff"


def test_any_other_is_followed_by_its_digest():
    made = slug(Wide(tag="a/b"), None, None)
    assert made.startswith("tagab++")
    assert NAME_PATTERN.fullmatch(made)
    assert plain_slug(Wide(tag="a/b"), None, None) == "tagab-r0.1-roles-scales-nested-mono-onfalse"


def test_training_the_second_of_two_alike_never_gives_the_checkpoints_of_the_first(workspace: Make):
    place = workspace()
    some, all_ = (place.variant("toy.sum", no_decay=[role], steps=2) for role in ("W_*", "*W_*"))
    assert list(some.train(threads=1))[-1].message == ""
    assert all_.steps == []
    assert list(all_.train(threads=1))[-1].message == ""
    assert len(place.variants()) == 2


def taken(place: BoundWorkspace) -> Variant:
    """A variant whose name belongs to a folder that another was trained in."""
    trained = place.variant("toy.sum", seed=1, steps=2)
    list(trained.train(threads=1))
    wanted = make_variant(ToyFamily(), {"seed": 2}, {"steps": 2})
    folder = place.store.layout.variant(trained.name)
    folder.rename(folder.with_name(wanted.slug))
    return wanted


DOORS: dict[str, Callable[[BoundWorkspace, Variant], object]] = {
    "variant": lambda place, value: place.variant("toy.sum", seed=2),
    "train": lambda place, value: list(BoundVariant(place, value).train(threads=1)),
    "analyze": lambda place, value: list(analyze(place.value, value)),
    "steps": lambda place, value: BoundVariant(place, value).steps,
    "checkpoints": lambda place, value: BoundVariant(place, value).checkpoints,
    "at": lambda place, value: BoundVariant(place, value).at(2),
    "metric": lambda place, value: BoundVariant(place, value).metric("train_loss"),
    "arrays": lambda place, value: arrays(place.value, value, "parameters.trajectory"),
    "gather": lambda place, value: gather(place.value, drawn(), value),
    "save": lambda place, value: place.store.save_variant(value),
}


def drawn() -> Any:
    from miscope import Grain, View

    return View(name="a.b", title="t", grain=Grain.TRAJECTORY, draw=lambda shown: None)


@pytest.mark.parametrize("door", DOORS)
def test_a_folder_that_holds_another_variant_is_refused_at_every_door(workspace: Make, door: str):
    place = workspace()
    value = taken(place)
    with pytest.raises(BadValue) as raised:
        DOORS[door](place, value)
    assert str(raised.value) == (
        "The folder of toy.sum/v5-seed2-width16 holds another variant.\n"
        "It has seed=1; this one has seed=2.\n"
        f"Move {place.store.layout.variant(value.name)} away, or choose other parameters."
    )


def test_nothing_is_adopted_into_the_folder_of_another_variant(workspace: Make):
    place = workspace()
    file = place.store.layout.checkpoint(taken(place).name, 2)
    copy = file.rename(place.root / "step_2.safetensors")
    with pytest.raises(BadValue, match="holds another variant"):
        place.adopt(copy, family="toy.sum", params={"seed": 2})


def test_a_folder_from_before_values_were_told_apart_still_opens(workspace: Make):
    place = workspace()
    variant = place.variant("toy.sum", no_decay=["*W_*"], steps=2)
    list(variant.train(threads=1))
    folder = place.store.layout.variant(variant.name)
    folder.rename(folder.with_name("v5-seed0-width16-nodecayW_"))
    again = place.variant("toy.sum", no_decay=["*W_*"], steps=2)
    assert again.name == "toy.sum/v5-seed0-width16-nodecayW_"
    assert again.steps == place.find(again.name).steps == [0, 2]
    assert list(again.train(threads=1))[-1].message.endswith("already trained to step 2; nothing to do.")
    assert place.variant("toy.sum", no_decay=["W_*"]).steps == []


def test_a_value_that_no_slug_can_hold_is_still_told_apart_by_the_record(workspace: Make):
    """1 and 1.0 are one text and, as a training goes, may be one value; what they decide is compared by digest."""

    class Loose(Params):
        size: int | float = 1

    assert slug(Loose(size=1), None, None) == slug(Loose(size=1.0), None, None)
    one, other = (Variant(family="toy.sum", params=Loose(size=n), training=None) for n in (1, 1.0))
    place = workspace()
    place.store.save_variant(one)
    with pytest.raises(BadValue, match=r"It has size=1; this one has size=1\.0\."):
        place.store.refuse_another(other)
