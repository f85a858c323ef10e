"""Autoencoders of one step at another: subspaces they share or do not, and scales that cost nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope import Cohort, ObservedArtifact, Trajectory, ViewData
from miscope.analysis.analyze import analyze
from miscope.bound import open_bound
from miscope.errors import DoesNotApply
from miscope.outcome import State
from miscope.testing import check_analyzer, check_view, tables
from miscope.testing.toy_autoencoder import ToyAutoencoder
from miscope_sae.analyzers.transfer import TRANSFER, transfer, transfer_observed
from miscope_sae.architectures.top_k import TopKFamily
from miscope_sae.views.transfer import VIEWS


def along(axes: tuple[int, int]) -> Tensor:
    """Of width 4, on the first of two axes with size 2 and on the second with size 1, each way."""
    rows = torch.zeros(8, 4)
    for row, (axis, size) in enumerate([(axes[0], 2), (axes[0], -2), (axes[1], 1), (axes[1], -1)] * 2):
        rows[row, axis] = size
    return rows


def reconstructing(axes: tuple[int, int]) -> Tensor:
    """A latent for each way of each axis."""
    rows = torch.eye(4)[list(axes)]
    return torch.cat([rows, -rows])


TRAIN = np.arange(8) < 4


def computed(*members: Trajectory) -> dict[str, np.ndarray]:
    return dict(transfer(Cohort(members=members, options=TRANSFER.options())))


def test_an_autoencoder_leaves_all_of_other_directions_and_nothing_of_its_own(member: Any) -> None:
    early, late = (0, 1), (2, 3)
    found = computed(
        member(along(late), reconstructing(late), train=TRAIN, step=30),
        member(along(early), reconstructing(early), train=TRAIN, step=10),
        member(along((0, 2)), reconstructing((0, 2)), train=TRAIN, step=20),
    )
    assert found["at"].tolist() == [10, 20, 30]
    # Of the one in the middle the early one has the axis with four fifths of the variance, the late one the other.
    expected = [[0, 0.2, 1], [0.2, 0, 0.2], [1, 0.8, 0]]
    assert found["fvu"] == pytest.approx(np.array(expected), abs=1e-6)
    assert found["diagonal"] == pytest.approx(np.zeros(3), abs=1e-6)
    assert (found["l0"].tolist(), found["seeds"].tolist()) == ([1, 1, 1], [1, 1, 1])
    assert found["pca"] == pytest.approx(np.full(3, 0.2), rel=1e-6)
    assert (found["source"].tolist(), found["site"].tolist()) == (["drawn/one"], ["hook_z"])
    assert [name.split("step")[1].split("-")[0] for name in found["variant"].tolist()] == ["10", "20", "30"]


def test_a_site_that_only_grows_costs_nothing(member: Any) -> None:
    """Biases, so that the size of inputs matters to the autoencoder."""
    drawn = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    decoder = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    biases = (torch.linspace(-0.5, 0.5, 6), torch.linspace(0, 0.3, 4))
    train = np.arange(40) < 20
    shown = [
        member(size * drawn, decoder, biases=biases, train=train, step=step) for step, size in enumerate((1.0, 30.0))
    ]
    found = computed(*shown)
    assert found["fvu"] == pytest.approx(np.full((2, 2), found["fvu"][0, 0]), rel=1e-4)
    assert found["fvu"][0, 0] > 0.01


def test_what_is_evaluated_are_the_inputs_held_out(member: Any) -> None:
    """Trained on one plane and held out in the other, of which it has nothing."""
    inputs = torch.cat([along((0, 1)), along((2, 3))])
    train = np.arange(16) < 8
    shown = [member(inputs, reconstructing((0, 1)), train=train, step=step) for step in (1, 2)]
    assert computed(*shown)["fvu"] == pytest.approx(np.ones((2, 2)), abs=1e-6)
    unknown = [replace(one, probe=replace(one.probe, train=None)) for one in shown]
    assert computed(*unknown)["fvu"] == pytest.approx(np.full((2, 2), 0.5), abs=1e-6)


def test_of_several_seeds_at_a_step_the_mean_is_told_each_on_what_it_was_not_trained_on(member: Any) -> None:
    """Of one step two, which have one half of the inputs' directions each; of another one that has all."""
    inputs = torch.cat([along((0, 1)), along((2, 3))])
    train = np.arange(16) % 8 < 4
    halves = [
        member(inputs, reconstructing(axes), train=train, step=10, seed=seed)
        for seed, axes in enumerate(((0, 1), (0, 3)))
    ]
    whole = member(3 * inputs, torch.cat([torch.eye(4), -torch.eye(4)]), train=train, step=20)
    found = computed(*halves, whole)
    assert (found["at"].tolist(), found["seeds"].tolist(), len(found["variant"])) == ([10, 20], [2, 1], 3)
    # One has half of the variance; the other all of the large axis of one half, and the small one of the other.
    assert found["fvu"] == pytest.approx(np.array([[0.5, 0.5], [0, 0]]), abs=1e-6)


def test_an_autoencoder_that_leaves_nothing_is_nothing_to_compare_others_with(member: Any) -> None:
    """Two that are perfect at their own steps, one of which has nothing of the other's: no logarithm, no ratio."""
    shown = [member(along(axes), reconstructing(axes), step=step) for step, axes in ((1, (0, 1)), (2, (2, 3)))]
    found = {"sae.transfer": computed(*shown) | {"diagonal": np.array([0.0, 0.5])}}
    found["sae.transfer"]["fvu"][0, 0] = 0
    data = ViewData(variant=shown[0].variant, step=None, steps=shown[0].steps, artifacts=found)
    (plain,), (relative,) = (VIEWS[0].draw(data, relative=relative).data for relative in (False, True))
    assert np.isnan(plain.z[0][0])
    assert plain.z[0][1] == pytest.approx(0, abs=1e-6)
    assert np.isnan(np.asarray(relative.z)[:, 0]).all()
    assert relative.z[0][1] == pytest.approx(np.log10(2), abs=1e-6)


def test_it_says_what_the_first_step_s_autoencoder_leaves_of_the_last_step(member: Any) -> None:
    early, late = (0, 1), (0, 2)
    arrays = computed(
        member(along(early), reconstructing(early), step=10), member(along(late), reconstructing((0, 1)), step=2000)
    )
    seen = ObservedArtifact(arrays=arrays, first=arrays, step=None, first_step=None, step_label="step", options=None)
    (said,) = transfer_observed(seen)
    assert said.text == (
        "Of hook_z at step 2,000 of drawn/one the autoencoder of step 10 leaves 0.2 of the variance unexplained, that "
        "step's own 0.2, and as many principal components 0.2."
    )
    assert said.value == pytest.approx(0.2, rel=1e-6)


def reason(*members: Trajectory) -> str:
    with pytest.raises(DoesNotApply) as told:
        computed(*members)
    return told.value.reason


def test_what_differs_in_more_than_the_step_is_not_compared(member: Any) -> None:
    inputs, decoder = along((0, 1)), reconstructing((0, 1))
    one = member(inputs, decoder, step=10)
    told = [
        reason(one, member(inputs, decoder, step=20, variant="drawn/other")),
        reason(one, member(inputs, decoder, step=20, site="hook_y")),
        reason(one, member(inputs, decoder, step=20, family=TopKFamily())),
        reason(one, member(inputs, decoder, step=20, latents="3", seed=1)),
        reason(one, replace(one, sources=(*one.sources, *member(inputs, decoder, step=20).sources))),
        reason(one, replace(one, sources=(*member(inputs, decoder, step=10, site="hook_y").sources, *one.sources))),
    ]
    assert told == [
        "they are built on several variants: drawn/one, drawn/other",
        "they are of several sites: hook_y, hook_z",
        "they are of several architectures: sae.standard, sae.topk",
        "they differ in latents",
        f"{one.variant.name} is built on 2 checkpoints, not on one",
        "they reconstruct another site than they read",
    ]


def test_a_series_from_elsewhere_is_compared_though_each_is_from_a_file_of_its_own(member: Any) -> None:
    inputs, decoder = along((0, 1)), reconstructing((0, 1))
    found = computed(*(member(inputs, decoder, step=step, imported=f"{step:012x}") for step in (10, 20)))
    assert found["fvu"] == pytest.approx(np.zeros((2, 2)), abs=1e-6)
    trained, foreign = (
        member(inputs, decoder, step=step, imported=file) for step, file in ((10, None), (20, "a" * 12))
    )
    assert "they differ in batch_size, " in reason(trained, foreign)


def test_autoencoders_of_a_toy_at_three_of_its_steps_are_compared_and_drawn(tmp_path: Path) -> None:
    place = open_bound(tmp_path, tables(TopKFamily(), TRANSFER, *VIEWS))
    parent = place.variant("toy.sum")
    list(parent.train(threads=1))
    steps = (0, 10, 30)
    given = {"variant": parent.name, "site": "blocks.0.mlp.hook_post", "latents": "2x", "k": 4, **SHORT}
    children = [place.variant("sae.topk", step=step, **given) for step in steps]
    for child in children:
        list(child.train(threads=1))
    outcomes = list(analyze(place.value, [child.value for child in children], ["sae.transfer"]))
    assert [one.state for one in outcomes] == [State.SAVED]
    for relative in (False, True):
        figure = place.view("sae.transfer", children, relative=relative).figure()
        (heat,) = figure.data
        assert list(heat.x) == ["0", "10", "30"]
        assert list(heat.y) == ["0", "10", "30", "PCA"]
        diagonal = np.asarray(heat.z)[range(3), range(3)]
        assert np.allclose(diagonal, 0) == relative


def test_the_instrument_keeps_the_contract_and_its_view_draws() -> None:
    family, params = ToyAutoencoder(), {"variant": "toy.sum/v5-seed0-width16", "step": 20}
    offered = tables(family, TRANSFER, *VIEWS)
    assert check_analyzer(TRANSFER, family, plugins=offered, params=params) == ()
    check_view(VIEWS[0], family, plugins=offered, params=params)


SHORT = {
    "allow_out_of_range": True,
    "steps": 100,
    "batch_size": 16,
    "lr_schedule_steps": 100,
    "lr_decay_steps": 20,
    "checkpoints": "every:100",
}
