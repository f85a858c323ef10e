"""Densities, strongest inputs and decoder rows of latents, on ones that are known."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import pytest
import torch

from miscope import ObservedArtifact, Probe
from miscope.errors import DoesNotApply
from miscope.testing import toy_snapshot
from miscope_sae.analyzers.latents import LATENTS, LatentOptions
from miscope_sae.measuring.decoder_cosines import largest_by_chance, largest_cosines

CODE = torch.tensor([[0.0, 1.0, 0.0], [2.0, 3.0, 0.0], [4.0, 2.0, 0.0], [0.0, 9.0, 0.0]])
DECODER = torch.tensor([[3.0, 4.0], [4.0, 3.0], [0.0, -2.0]])


def found(code: torch.Tensor = CODE, decoder: torch.Tensor = DECODER, top: int = 3, **more: Any) -> dict[str, Any]:
    """What is said of these latents."""
    probe = Probe(name="rows", inputs=torch.zeros(len(code), 2), **more)
    given = {"activations": {"hook_sae_acts_post": code}, "weights": {"W_dec": decoder}}
    return dict(LATENTS.compute(toy_snapshot(probe=probe, options=LatentOptions(top=top), **given)))


def test_a_latent_is_as_dense_as_the_share_of_inputs_where_it_is_above_zero() -> None:
    said = found()
    assert said["density"].tolist() == [0.5, 1, 0]
    assert said["order"].tolist() == [1, 0, 2]
    assert said["mean_active"][:2].tolist() == [3, 3.75]
    assert said["max_active"][:2].tolist() == [4, 9]
    assert np.isnan(said["mean_active"][2])
    assert np.isnan(said["max_active"][2])
    assert said["never_active"] == 1


def test_the_strongest_inputs_come_first_and_inactive_ones_not_at_all() -> None:
    assert found()["top"].tolist() == [[2, 1, -1], [3, 1, 2], [-1, -1, -1]]
    assert found(top=6)["top"].tolist()[1] == [3, 1, 2, 0, -1, -1]


def test_rows_of_the_decoder_have_norms_and_cosines() -> None:
    said = found()
    assert said["decoder_norm"].tolist() == [5, 5, 2]
    assert said["largest_cosine"] == pytest.approx([24 / 25, 24 / 25, -0.6])


def test_a_decoder_row_of_nothing_is_like_no_other_and_one_alone_has_none_to_be_like() -> None:
    assert largest_cosines(torch.tensor([[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]])) == pytest.approx([0, 0, 0])
    assert np.isnan(largest_cosines(torch.ones(1, 4))).all()


def test_cosines_of_many_rows_are_those_of_all_at_once() -> None:
    """More rows than are compared at once."""
    rows = torch.randn(1100, 3, generator=torch.Generator().manual_seed(0)).double()
    unit = rows / rows.norm(dim=1, keepdim=True)
    whole = (unit @ unit.T).fill_diagonal_(-2).amax(1)
    assert np.allclose(largest_cosines(rows), whole.numpy())


def test_two_directions_in_a_plane_lie_at_angles_of_equal_chance() -> None:
    """The cosine of a uniform angle: P(cos > c) = arccos(c) / pi."""
    quantiles = largest_by_chance(2, 2)
    assert quantiles == pytest.approx([np.cos(0.75 * np.pi), np.cos(0.25 * np.pi)])


def test_directions_in_space_have_cosines_of_equal_chance() -> None:
    """Archimedes: uniform on [-1, 1], so that the largest of n - 1 has quantiles 2 q^(1 / (n - 1)) - 1."""
    q = (np.arange(50) + 0.5) / 50
    assert largest_by_chance(50, 3) == pytest.approx(2 * q ** (1 / 49) - 1)


def test_drawn_directions_are_alike_as_chance_says() -> None:
    drawn = largest_cosines(torch.randn(400, 20, generator=torch.Generator().manual_seed(5)))
    assert np.sort(drawn)[[40, 200, 360]] == pytest.approx(largest_by_chance(400, 20)[[40, 200, 360]], abs=0.02)


def test_a_latent_that_fires_where_it_was_trained_only_is_told_from_one_that_fires_anywhere() -> None:
    train = np.arange(40) < 20
    code = torch.zeros(40, 3)
    code[:10, 0] = 1
    code[15:25, 1] = 1
    said = found(code, torch.eye(3), train=train)
    assert said["train_share"][:2].tolist() == [1, 0.5]
    assert np.isnan(said["train_share"][2])
    assert said["train_expected"] == 0.5
    assert said["train_p"][0] == pytest.approx(comb(20, 10) / comb(40, 10))
    assert said["train_p"][1] > 0.5
    assert said["train_prefer"] == 1


def test_what_the_source_was_trained_on_is_told_apart_from_what_the_autoencoder_was() -> None:
    said = found(CODE, DECODER, columns={"source_train": np.array([0, 1, 1, 0])})
    assert said["source_train_share"][:2].tolist() == [1, 0.5]
    assert "train_share" not in said


def test_a_decoder_that_has_other_rows_than_latents_is_refused() -> None:
    with pytest.raises(DoesNotApply, match="its decoder has 2 rows for 3 latents"):
        found(CODE, torch.eye(2))


def test_a_report_has_each_number_beside_chance() -> None:
    train = np.arange(40) < 20
    code = torch.zeros(40, 3)
    code[:10, 0] = 1
    code[15:25, 1] = 1
    arrays = found(code, torch.eye(3), train=train)
    seen = ObservedArtifact(
        arrays=arrays, first=arrays, step=9, first_step=0, step_label="step", options=LatentOptions()
    )
    assert LATENTS.observe is not None
    chance = float(np.median(largest_by_chance(3, 3)))
    assert [each.text for each in LATENTS.observe(seen)] == [
        "At step 9 1 of 3 latents are active at no input.",
        "The largest cosine of a decoder row with another one has the median 0; of as many random directions it is "
        f"{chance:.3g}.",
        "1 of 2 latents that fire prefer inputs that it was trained on (hypergeometric, false discovery rate 0.05; "
        "0.5 of all inputs are).",
    ]
