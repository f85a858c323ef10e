"""Stable rank: the maths by hand, the contract by one call, the wiring by one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from miscope import Plugins
from miscope.testing import check_analyzer, check_view, toy_snapshot

import miscope_myplugin
from miscope_myplugin.myplugin import STABLE_RANK, stable_rank
from miscope_myplugin.myplugin_view import STABLE_RANK_VIEW


def test_the_identity_uses_every_direction() -> None:
    assert stable_rank(toy_snapshot(weights={"W": torch.eye(5)}))["W"] == pytest.approx(5)


def test_an_outer_product_uses_one() -> None:
    matrix = torch.outer(torch.arange(1.0, 4), torch.arange(1.0, 6))
    assert stable_rank(toy_snapshot(weights={"W": matrix}))["W"] == pytest.approx(1)


def test_the_analyzer_keeps_the_contract() -> None:
    assert check_analyzer(STABLE_RANK) == ()  # all that it documents is there


def test_the_view_draws_what_the_analyzer_computed(plugins: Callable[..., Plugins]) -> None:
    both = plugins(myplugin=miscope_myplugin)
    check_view(STABLE_RANK_VIEW, plugins=both)


def test_the_analyzer_is_found_once_installed() -> None:
    found = Plugins.installed()
    assert "myplugin.stable_rank" in found.analyzers
    assert "myplugin.stable_rank" in found.views
