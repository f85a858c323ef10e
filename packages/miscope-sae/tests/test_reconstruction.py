"""What an autoencoder leaves over, on reconstructions whose errors are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope import ObservedArtifact, Probe
from miscope.analyzer import NoOptions
from miscope.errors import DoesNotApply
from miscope.testing import toy_snapshot
from miscope_sae.analyzers.reconstruction import RECONSTRUCTION

ROWS = torch.randn(40, 6, generator=torch.Generator().manual_seed(3))
TRAIN = np.arange(40) < 30


def found(
    x: torch.Tensor,
    made: torch.Tensor,
    latents: torch.Tensor | None = None,
    others: Mapping[str, torch.Tensor] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What is measured of these reconstructions; others: what is at further sites."""
    code = torch.ones(len(x), 2) if latents is None else latents
    sites = {"hook_sae_input": x, "hook_sae_acts_post": code, "hook_sae_recons": made, **(others or {})}
    probe = Probe(name="rows", inputs=x, **more)
    return dict(RECONSTRUCTION.compute(toy_snapshot(activations=sites, probe=probe, options=NoOptions())))


def test_the_mean_leaves_all_variance_and_a_copy_leaves_none() -> None:
    mean = found(ROWS, ROWS.mean(0).expand_as(ROWS))
    assert mean["all/fvu"] == pytest.approx(1, abs=1e-6)
    assert mean["all/fve_centered"] == pytest.approx(0, abs=1e-6)
    assert mean["all/mse"] == pytest.approx(float(ROWS.var(0, correction=0).sum()), rel=1e-5)
    same = found(ROWS, ROWS)
    assert (same["all/fvu"], same["all/mse"], same["all/fve_centered"]) == (0, 0, 1)
    assert [same[f"all/{name}"] for name in ("cos_sim", "l2_ratio", "shrinkage")] == pytest.approx([1, 1, 1])


def test_a_wrong_bias_is_an_error_that_the_centred_measure_does_not_see() -> None:
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    shifted = found(x, x + torch.tensor([0.0, 3.0]))
    assert shifted["all/mse"] == 9
    assert shifted["all/fvu"] == 9
    assert shifted["all/fve_centered"] == 1


def test_variance_is_about_the_mean_and_not_about_zero() -> None:
    far = found(ROWS + 100, (ROWS.mean(0) + 100).expand_as(ROWS))
    assert far["all/fvu"] == pytest.approx(1, rel=1e-4)


def test_fvu_is_a_ratio_of_sums_and_not_a_mean_of_ratios() -> None:
    x = torch.tensor([[10.0], [-10.0], [0.1], [-0.1]])
    made = torch.tensor([[10.0], [-10.0], [0.0], [0.0]])
    assert found(x, made)["all/fvu"] == pytest.approx(0.02 / 200.02, rel=1e-5)


def test_halved_reconstructions_are_shrunk_to_a_half() -> None:
    halved = found(ROWS, ROWS / 2)
    assert [halved[f"all/{name}"] for name in ("shrinkage", "l2_ratio", "cos_sim")] == pytest.approx([0.5, 0.5, 1])


def test_inputs_and_reconstructions_of_nothing_have_no_cosine_and_are_left_out_of_the_mean() -> None:
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])
    made = torch.tensor([[0.0, 5.0], [1.0, 1.0], [0.0, 0.0]])
    part = found(x, made)
    assert part["all/cos_sim"] == pytest.approx(0.8)
    assert part["all/l2_ratio"] == pytest.approx(0.5)


def test_latents_above_zero_are_counted() -> None:
    code = torch.tensor([[1.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]])
    counted = found(ROWS[:3], ROWS[:3], code)
    assert (counted["all/l0"], counted["all/l1"]) == pytest.approx((1, 3.5 / 3))
    assert [counted[f"l0_{name}"] for name in ("min", "median", "max")] == [0, 1, 2]
    assert counted["l0_histogram"].tolist() == [1, 1, 1, 0, 0]
    assert (counted["dead"], counted["latents"]) == (2, 4)


def test_parts_have_their_own_errors_about_their_own_means() -> None:
    held = torch.from_numpy(~TRAIN)
    made = torch.where(held[:, None], ROWS[held].mean(0), ROWS)
    source = {"source_train": np.arange(40) % 2}
    parts = found(ROWS, made, train=TRAIN, columns=source)
    assert (parts["train/fvu"], parts["held_out/fvu"]) == pytest.approx((0, 1), abs=1e-6)
    odd = torch.from_numpy(source["source_train"].astype(bool))
    error = float((ROWS - made)[odd].square().sum())
    spread = float((ROWS[odd] - ROWS[odd].mean(0)).square().sum())
    assert parts["source_train/fvu"] == pytest.approx(error / spread, rel=1e-5)
    assert "source_test/fvu" in parts


def test_where_nobody_knows_what_was_trained_on_there_is_one_part() -> None:
    assert {name.partition("/")[0] for name in found(ROWS, ROWS) if "/" in name} == {"all"}


def test_principal_components_leave_what_lies_outside_their_plane() -> None:
    """Of three directions with variances 9, 4 and 1 the first leaves (4 + 1) / 14, the first two 1 / 14."""
    signs = torch.tensor([[i, j, k] for i in (-1.0, 1) for j in (-1.0, 1) for k in (-1.0, 1)])
    x = signs * torch.tensor([3.0, 2.0, 1.0]) + torch.tensor([5.0, 0.0, -2.0])
    code = torch.tensor([[1.0, 1.0, 0.0]]).expand(8, -1)
    assert found(x, x, code[:, :1])["all/pca_fvu"] == pytest.approx(5 / 14)
    assert found(x, x, code)["all/pca_fvu"] == pytest.approx(1 / 14)
    assert found(x, x, torch.ones(8, 5))["all/pca_fvu"] == 0
    assert found(x, x, torch.zeros(8, 5))["all/pca_fvu"] == pytest.approx(5 / 14)


def test_principal_components_are_fitted_to_what_was_trained_on_only() -> None:
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    parts = found(x, x, torch.ones(4, 1), train=np.array([True, True, False, False]))
    assert (parts["train/pca_fvu"], parts["held_out/pca_fvu"]) == pytest.approx((0, 1), abs=1e-12)


def test_a_transcoder_stands_beside_the_best_linear_map_and_is_seen_on_what_is_added_to_its_input() -> None:
    """The target's variance is 3; of it x explains 2, and the product of its numbers, which no linear map has, 1."""
    x = torch.tensor([[i, j] for i in (-1.0, 1) for j in (-1.0, 1)])
    target = torch.stack([x[:, 0] + x.prod(1) + 5, x[:, 1]], dim=1)
    told = found(x, x + torch.tensor([5.0, 0.0]), None, {"hook_sae_target": target})
    assert (told["all/fvu"], told["all/linear_fvu"], told["all/change_fvu"]) == pytest.approx((1 / 3, 1 / 3, 1))
    narrow = found(x, target[:, :1], None, {"hook_sae_target": target[:, :1]})
    assert (narrow["all/fvu"], narrow["all/linear_fvu"]) == pytest.approx((0, 0.5))
    assert "all/change_fvu" not in narrow
    assert "all/linear_fvu" not in found(x, x, None, {"hook_sae_target": x}), "an autoencoder's inputs are its target"


def test_a_linear_map_is_fitted_to_what_was_trained_on_only() -> None:
    x = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])
    target = torch.tensor([[1.0], [-1.0], [-1.0], [1.0]])
    train = np.array([True, True, False, False])
    told = found(x, target, None, {"hook_sae_target": target}, train=train)
    assert (told["train/linear_fvu"], told["held_out/linear_fvu"]) == pytest.approx((0, 4))


def test_what_goes_past_the_latents_and_what_they_leave_alone_are_measured_apart() -> None:
    past, alone = ROWS.mean(0).expand_as(ROWS), ROWS
    told = found(ROWS, ROWS, None, {"hook_sae_recons_skip": past, "hook_sae_recons_latents": alone})
    assert (told["all/skip_fvu"], told["all/latents_fvu"]) == pytest.approx((1, 0), abs=1e-6)


def test_inputs_that_are_all_the_same_have_nothing_to_explain() -> None:
    x = torch.full((5, 3), 0.3)
    with pytest.raises(DoesNotApply, match="all inputs are the same, so there is no variance to explain"):
        found(x, x)


def test_one_held_out_input_has_no_variance_of_its_own() -> None:
    alone = found(ROWS, ROWS, train=np.arange(40) > 0)
    assert np.isnan(alone["held_out/fvu"])
    assert alone["held_out/mse"] == 0


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.01, 100), turn=st.integers(0, 2**31))
def test_fvu_does_not_change_where_all_is_scaled_and_turned(scale: float, turn: int) -> None:
    made = ROWS + 0.3 * ROWS.flip(0)
    basis = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(turn)))[0]
    changed = found(scale * ROWS @ basis, scale * made @ basis)
    assert changed["all/fvu"] == pytest.approx(float(found(ROWS, made)["all/fvu"]), rel=1e-4)


def said_of(**values: float) -> list[str]:
    """Of the inputs held out at step 2,000."""
    arrays = {f"held_out/{name}": np.array(value) for name, value in values.items()}
    seen = ObservedArtifact(
        arrays=arrays, first=arrays, step=2000, first_step=0, step_label="step", options=NoOptions()
    )
    assert RECONSTRUCTION.observe is not None
    return [each.text for each in RECONSTRUCTION.observe(seen)]


def test_a_report_says_what_is_left_of_inputs_held_out_beside_principal_components() -> None:
    assert said_of(fvu=0.0351, pca_fvu=0.254, l0=8.0) == [
        "At step 2,000 the autoencoder leaves 0.0351 of the variance of inputs held out unexplained with 8 latents an "
        "input; 8 principal components leave 0.254."
    ]


def test_a_report_says_of_a_transcoder_what_a_linear_map_leaves() -> None:
    assert said_of(fvu=0.1, pca_fvu=0.9, l0=3.0, linear_fvu=0.5) == [
        "At step 2,000 the transcoder leaves 0.1 of the variance of the target at inputs held out unexplained with 3 "
        "latents an input; 3 principal components leave 0.9.",
        "At step 2,000 the best linear map from its inputs leaves 0.5, the transcoder 0.1.",
    ]


@pytest.mark.parametrize(("fvu", "past", "degenerate"), [(1e-9, 0.0, True), (0.05, 0.05, True), (0.05, 0.06, False)])
def test_a_report_says_where_the_reconstruction_needs_no_latent(fvu: float, past: float, degenerate: bool) -> None:
    *_, told = said_of(fvu=fvu, pca_fvu=0.9, l0=1.0, skip_fvu=past, latents_fvu=0.3)
    plain = f"At step 2,000 what goes past its latents leaves {past:.3g} without them, and they leave 0.3 without it."
    warning = " The reconstruction needs no latent, so its error says nothing of them."
    assert told == plain + warning * degenerate
