"""Autoencoders over the steps of their source: how much they leave, and how far their directions stay the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope import Cohort, ObservedArtifact, Trajectory, ViewData
from miscope.testing import check_analyzer, check_view, tables
from miscope.testing.toy_autoencoder import ToyAutoencoder
from miscope_sae.analyzers.codability import CODABILITY, codability, codability_observed
from miscope_sae.views.codability import VIEWS
from miscope_sae.views.codability import codability as drawn

Make = Callable[..., Trajectory]
TRAIN = np.arange(8) < 4


def along(axes: tuple[int, ...]) -> Tensor:
    """Eight inputs of width 4: each way of each axis, all of one size."""
    ways = torch.cat([torch.eye(4)[list(axes)], -torch.eye(4)[list(axes)]])
    return ways.repeat(8 // len(ways), 1)


def reconstructing(axes: tuple[int, ...]) -> Tensor:
    rows = torch.eye(4)[list(axes)]
    return torch.cat([rows, -rows])


def computed(*members: Trajectory) -> dict[str, np.ndarray]:
    return dict(codability(Cohort(members=members, options=CODABILITY.options())))


def three(member: Make) -> list[Trajectory]:
    """A step with four dimensions of which half is reconstructed, two with two that are, one of which has two seeds."""
    return [
        member(along((0, 1, 2, 3)), reconstructing((0, 1)), step=0),
        member(along((0, 1)), reconstructing((0, 1)), train=TRAIN, step=10),
        member(along((0, 1)), reconstructing((0, 1)), train=TRAIN, step=10, seed=1),
        member(along((2, 3)), reconstructing((2, 3)), train=TRAIN, step=20),
    ]


def test_what_is_left_and_how_many_dimensions_there_are_is_told_by_step(member: Make) -> None:
    found = computed(*reversed(three(member)))
    assert (found["at"].tolist(), found["seeds"].tolist()) == ([0, 10, 20], [1, 2, 1])
    assert found["fvu"] == pytest.approx([0.5, 0, 0], abs=1e-6)
    assert found["pca"] == pytest.approx([0.75, 0.5, 0.5], abs=1e-6), "one component of four, and of two"
    assert found["dimensions"] == pytest.approx([4, 2, 2], rel=1e-6)
    assert found["l0"] == pytest.approx([0.5, 1, 1])
    assert found["alive"].tolist() == [4, 4, 4]


def test_directions_that_stay_have_cosine_one_and_others_none(member: Make) -> None:
    found = computed(*three(member))
    assert found["drift"] == pytest.approx([1, 0], abs=1e-6)
    assert np.isnan(found["ceiling"][[0, 2]]).all(), "of one seed there is no ceiling"
    assert found["ceiling"][1] == pytest.approx(1, rel=1e-6)
    assert ((found["drift_chance"] > 0) & (found["drift_chance"] < 1)).all()


def test_of_one_step_alone_there_is_no_drift(member: Make) -> None:
    found = computed(*three(member)[1:3])
    assert (found["at"].tolist(), found["drift"].tolist()) == ([10], [])
    assert found["ceiling"] == pytest.approx([1], rel=1e-6)


def test_it_says_what_the_first_and_the_last_step_leave(member: Make) -> None:
    arrays = computed(*three(member))
    seen = ObservedArtifact(arrays=arrays, first=arrays, step=None, first_step=None, step_label="step", options=None)
    (said,) = codability_observed(seen)
    left, _, compared = said.text.partition(" with 0.5 latents an input, ")
    assert left == "Of hook_z of drawn/one autoencoders leave 0.5 of the variance at step 0"
    assert compared.endswith("at step 20 with 1; as many principal components 0.75 and 0.5.")


def test_the_ceiling_is_drawn_where_there_are_seeds_and_drift_between_the_steps(member: Make) -> None:
    arrays = computed(*three(member))
    variant = three(member)[0].variant
    shown = ViewData(variant=variant, step=None, steps=np.array([0]), artifacts={"sae.codability": arrays})
    figure: Any = drawn(shown)
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["rows with the next step"].x) == [5, 15]
    assert list(by_name["rows with another seed"].x) == [10]
    assert list(by_name["of the untrained network (step 0)"].y) == pytest.approx([0.5] * 3, abs=1e-6)
    arrays |= {"ceiling": np.full(3, np.nan), "at": np.array([5, 10, 20])}
    alone: Any = drawn(shown)
    left_out = {"rows with another seed", "of the untrained network (step 0)"}
    assert left_out.isdisjoint(trace.name for trace in alone.data)


def test_the_instrument_keeps_the_contract_and_its_view_draws() -> None:
    family, params = ToyAutoencoder(), {"variant": "toy.sum/v5-seed0-width16", "step": 20}
    offered = tables(family, CODABILITY, *VIEWS)
    assert check_analyzer(CODABILITY, family, plugins=offered, params=params) == ()
    check_view(VIEWS[0], family, plugins=offered, params=params)
