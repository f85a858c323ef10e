"""What autoencoders of the same activations have in common: everything, or as much as chance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope import Cohort, ObservedArtifact, Trajectory
from miscope.analysis.analyze import analyze
from miscope.bound import open_bound
from miscope.errors import DoesNotApply
from miscope.outcome import State
from miscope.testing import check_analyzer, check_view, tables
from miscope.testing.toy_autoencoder import ToyAutoencoder
from miscope_sae.analyzers.agreement import AGREEMENT, agreement, agreement_observed
from miscope_sae.architectures.top_k import TopKFamily
from miscope_sae.measuring.matching import chance
from miscope_sae.views.agreement import VIEWS

INPUTS = torch.randn(200, 8, generator=torch.Generator().manual_seed(9))
SHARES = ("mmcs_there", "mmcs_back", "matched90", "matched70", "mutual90", "mutual70", "cosine")


def drawn(latents: int, width: int, seed: int) -> Tensor:
    return torch.randn(latents, width, generator=torch.Generator().manual_seed(seed))


def computed(*members: Trajectory) -> dict[str, np.ndarray]:
    return dict(agreement(Cohort(members=members, options=AGREEMENT.options())))


def test_the_same_latents_in_another_order_agree_perfectly_whatever_never_fires(member: Any) -> None:
    decoder, sizes = drawn(12, 8, 0), torch.linspace(0.5, 3, 12)[:, None]
    quiet = torch.zeros(13)
    quiet[12] = -1e9
    biases = (quiet, torch.zeros(8))
    one = torch.cat([decoder, torch.ones(1, 8)])
    two = torch.cat([decoder.flip(0) * sizes, -torch.eye(8)[:1]])
    found = computed(member(INPUTS, one, biases=biases), member(INPUTS, two, biases=biases, seed=1))
    for name in SHARES:
        assert found[name] == pytest.approx([1], abs=1e-6)
    assert found["alive"].tolist() == [[12, 12]]
    assert found["chance/matched90"].tolist() == [0]


def test_random_dictionaries_agree_as_much_as_chance(member: Any) -> None:
    inputs = torch.randn(200, 32, generator=torch.Generator().manual_seed(9))
    found = computed(*(member(inputs, drawn(64, 32, seed), seed=seed) for seed in range(3)))
    assert len(found["first"]) == 3
    assert found["alive"].tolist() == [[64, 64]] * 3
    for name in ("mmcs_there", "mmcs_back", "cosine"):
        assert found[name] == pytest.approx(found[f"chance/{name}"], abs=0.03)
    assert found["matched90"].tolist() == [0, 0, 0]
    expected = chance((64, 64), 32, draws=3, seed=0)
    assert found["chance/mmcs_there"] == pytest.approx(expected.mmcs_there, rel=1e-12)


def test_only_what_is_built_on_the_same_with_one_architecture_is_paired(member: Any) -> None:
    decoder = drawn(12, 8, 0)
    one, two = (member(INPUTS, decoder, seed=seed) for seed in (0, 1))
    others = [
        member(INPUTS, decoder, step=20),
        member(INPUTS, decoder, site="hook_y"),
        member(INPUTS, decoder, variant="drawn/other"),
        member(INPUTS, decoder, family=TopKFamily()),
        member(INPUTS, decoder, positions="all"),
    ]
    # Transcoders to the same site, which read another.
    others.append(replace(one, sources=(*others[1].sources, *one.sources)))
    found = computed(one, two, *others)
    assert (found["first"].tolist(), found["second"].tolist()) == ([one.variant.name], [two.variant.name])
    assert (found["at"].tolist(), found["site"].tolist()) == ([0], ["hook_z"])
    with pytest.raises(DoesNotApply) as told:
        computed(one, *others)
    assert told.value.reason == "no two of them are of the same architecture, checkpoint, site and positions"
    with pytest.raises(DoesNotApply) as several:
        computed(one, replace(two, sources=(*two.sources, *member(INPUTS, decoder, step=20).sources)))
    assert several.value.reason == f"{two.variant.name} is built on 2 checkpoints, not on one"


def test_it_says_how_many_latents_have_a_partner_and_how_many_by_chance(member: Any) -> None:
    """Two of four the same, the others at right angles to all; a third autoencoder is the first."""
    inputs = torch.cat([torch.eye(8), -torch.eye(8)])
    decoders = [torch.eye(8)[:4], torch.eye(8)[2:6], torch.eye(8)[:4]]
    arrays = computed(*(member(inputs, decoder, seed=seed) for seed, decoder in enumerate(decoders)))
    seen = ObservedArtifact(arrays=arrays, first=arrays, step=None, first_step=None, step_label="step", options=None)
    (said,) = agreement_observed(seen)
    largest = np.median([arrays[f"chance/mmcs_{way}"] for way in ("there", "back")])
    assert said.text == (
        "Of 3 pairs of autoencoders of the same activations, 50.0% of the latents have a partner with cosine above 0.9 "
        "in the median (50.0% to 100.0%), 0.0% of random directions; the mean largest cosine is 0.50, by chance "
        f"{largest:.2f}."
    )
    assert (said.value, said.interval) == (0.5, (0.5, 1.0))


def test_the_instrument_keeps_the_contract_and_its_view_draws() -> None:
    family, params = ToyAutoencoder(), {"variant": "toy.sum/v5-seed0-width16", "step": 20}
    offered = tables(family, AGREEMENT, *VIEWS)
    assert check_analyzer(AGREEMENT, family, plugins=offered, params=params) == ()
    check_view(VIEWS[0], family, plugins=offered, params=params)


def test_two_seeds_of_an_autoencoder_of_a_toy_are_compared_and_drawn(tmp_path: Path) -> None:
    place = open_bound(tmp_path, tables(TopKFamily(), AGREEMENT, *VIEWS))
    parent = place.variant("toy.sum")
    list(parent.train(threads=1))
    given = {"variant": parent.name, "step": 30, "site": "blocks.0.mlp.hook_post", "latents": "2x", "k": 4, **SHORT}
    children = [place.variant("sae.topk", seed=seed, **given) for seed in (0, 1, 2)]
    for child in children:
        list(child.train(threads=1))
    outcomes = list(analyze(place.value, [child.value for child in children], ["sae.agreement"]))
    assert [one.state for one in outcomes] == [State.SAVED]
    figure = place.view("sae.agreement", children).figure()
    assert list(figure.layout.xaxis.ticktext) == ["seed=0 and seed=1", "seed=0 and seed=2", "seed=1 and seed=2"]
    shown = {trace.name: np.asarray(trace.y, dtype=float) for trace in figure.data}
    assert (shown["mean largest cosine"] > shown["by chance: mean largest cosine"][::3]).all()


SHORT = {
    "allow_out_of_range": True,
    "steps": 200,
    "batch_size": 16,
    "lr_schedule_steps": 200,
    "lr_decay_steps": 40,
    "checkpoints": "every:200",
}
