from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from miscope import Choice, Grain, Number, Toggle, View, ViewData
from miscope.errors import BadValue, DoesNotApply
from miscope.family import make_variant
from miscope.figures.controls import bounds, options, settle
from miscope.testing.toy import ToyFamily

SHOWN = ViewData(variant=make_variant(ToyFamily(), {}), step=0, steps=np.array([0]), sites=("early", "late"))

CONTROLS = (
    Choice(name="site", options_from=lambda shown: shown.sites, default="late"),
    Choice(name="scale", options=("linear", "log")),
    Number(name="neuron", default=0, maximum_from=lambda shown: 15),
    Number(name="power", default=1.5, minimum=0, whole=False),
    Toggle(name="events", default=True),
)


def view(*controls: Any) -> View:
    return View(name="test.view", title="", grain=Grain.CHECKPOINT, draw=lambda shown: None, controls=controls)  # pyright: ignore


def test_controls_nobody_turned_have_their_defaults():
    assert settle(view(*CONTROLS), SHOWN, {}) == {
        "site": "late",
        "scale": "linear",
        "neuron": 0,
        "power": 1.5,
        "events": True,
    }


def test_text_from_a_command_line_is_read_as_the_controls_kind():
    settled = settle(view(*CONTROLS), SHOWN, {"neuron": "7", "power": "0.5", "events": "off", "site": "early"})

    assert settled == {"site": "early", "scale": "linear", "neuron": 7, "power": 0.5, "events": False}
    assert isinstance(settled["neuron"], int)


def test_a_default_the_data_does_not_have_gives_way_to_one_it_has():
    controls = (
        Choice(name="site", options_from=lambda shown: shown.sites, default="W_E"),
        Number(name="neuron", default=40, maximum_from=lambda shown: 15),
    )
    assert settle(view(*controls), SHOWN, {}) == {"site": "early", "neuron": 15}


def test_what_a_control_offers_can_be_asked():
    assert options(CONTROLS[0], SHOWN) == ("early", "late")  # pyright: ignore[reportArgumentType]
    assert bounds(CONTROLS[2], SHOWN) == (0, 15)  # pyright: ignore[reportArgumentType]
    assert bounds(CONTROLS[3], SHOWN) == (0, float("inf"))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"neuron": 16},
            "'neuron' of 'test.view' cannot be 16.\n"
            "For toy.sum/v5-seed0-width16 it is a whole number from 0 to 15.\n"
            "Give one, like neuron=0.",
        ),
        (
            {"scale": "lgo"},
            "'scale' of 'test.view' cannot be 'lgo'.\nDid you mean 'log'?\nChoose from: linear, log.",
        ),
        (
            {"event": True},
            "'test.view' has no control named 'event'.\n"
            "Did you mean 'events'?\n"
            "Its controls are: site, scale, neuron, power, events.",
        ),
        (
            {"events": "perhaps"},
            "'events' of 'test.view' cannot be 'perhaps'.\n"
            "It is a toggle: on or off.\n"
            "Give events=true or events=false.",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(given: dict[str, object], text: str):
    with pytest.raises(BadValue) as error:
        settle(view(*CONTROLS), SHOWN, given)
    assert str(error.value) == text


@pytest.mark.parametrize("wrong", [True, 1.5, "seven", -1, float("nan"), None.__class__])
def test_a_whole_number_is_no_other_kind_of_value(wrong: object):
    with pytest.raises(BadValue, match="whole number from 0 to 15"):
        settle(view(*CONTROLS), SHOWN, {"neuron": wrong})


def test_a_view_with_nothing_to_choose_from_does_not_apply():
    empty = Choice(name="head", options_from=lambda shown: ())
    with pytest.raises(DoesNotApply, match="there is no head to choose"):
        settle(view(empty), SHOWN, {})
