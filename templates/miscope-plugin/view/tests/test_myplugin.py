"""Length of the weights: the numbers by hand, the contract by one call, the wiring by one line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from miscope import Plugins
from miscope.bound import BoundVariant
from miscope.testing import check_view

import miscope_myplugin
from miscope_myplugin.myplugin import WEIGHTS_LENGTH


def test_the_view_draws_the_length_of_the_weights_at_every_checkpoint(toy_variant: Callable[..., BoundVariant]) -> None:
    variant = toy_variant(myplugin=miscope_myplugin)
    curve = variant.view("myplugin.length").figure().data[0]
    last = variant.at("last").checkpoint.weights.values()
    by_hand = float(np.sqrt(sum((w.double() ** 2).sum().item() for w in last)))
    assert list(curve.x) == variant.steps
    assert curve.y[-1] == pytest.approx(by_hand)


def test_relative_to_the_first_it_begins_at_one(toy_variant: Callable[..., BoundVariant]) -> None:
    variant = toy_variant(myplugin=miscope_myplugin)
    assert variant.view("myplugin.length", relative=True).figure().data[0].y[0] == 1


def test_the_view_keeps_the_contract() -> None:
    check_view(WEIGHTS_LENGTH)


def test_the_view_is_found_once_installed() -> None:
    assert "myplugin.length" in Plugins.installed().views
