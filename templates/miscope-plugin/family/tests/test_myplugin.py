"""The larger of two numbers: the answers by hand, the contract by one call, the wiring by one line."""

from __future__ import annotations

from collections.abc import Callable

import miscope
from miscope import Plugins
from miscope.testing import check_family

import miscope_myplugin
from miscope_myplugin.myplugin import LargerFamily


def test_the_answer_is_the_larger_of_the_two(workspace: Callable[..., miscope.BoundWorkspace]) -> None:
    place = workspace(myplugin=miscope_myplugin)
    probe = place.context(place.variant("myplugin.larger", values=3).value).probe()
    answers = {(int(a), int(b)): int(c) for (a, b), c in zip(probe.inputs, probe.labels, strict=True)}
    assert answers[0, 2] == answers[2, 0] == answers[2, 1] == 2
    assert answers[1, 1] == 1


def test_the_family_learns_the_pairs_it_is_trained_on(workspace: Callable[..., miscope.BoundWorkspace]) -> None:
    place = workspace(myplugin=miscope_myplugin)
    variant = place.variant("myplugin.larger", values=5)
    for _ in variant.train(steps=100, threads=1):
        pass
    assert variant.metric("train_accuracy")[1][-1] == 1


def test_the_family_keeps_the_contract() -> None:
    check_family(LargerFamily(), {"values": 5})


def test_the_family_is_found_once_installed() -> None:
    assert "myplugin.larger" in Plugins.installed().families
