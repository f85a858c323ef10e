"""Crosscoders find features with the checkpoints at which they are born and die; in a drawn order there are none.

48 features in 24 dimensions at 6 checkpoints, each on in 4 % of the inputs, so 1.92 at an input where all are there;
64 latents. At a rate of 3e-3, 800 updates of 256 inputs do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

import miscope_sae
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue
from miscope.testing import check_family, tables
from miscope_sae.architectures.checkpoint_blocks import block_norms, in_drawn_order
from miscope_sae.architectures.crosscoder import BatchTopKCrosscoderFamily, CrosscoderFamily
from miscope_sae.exchange.exporting import export_autoencoder
from miscope_sae.measuring.matching import cosines

STEPS = 800
SHORT = {
    **{"steps": STEPS, "learning_rate": 3e-3, "batch_size": 256, "latents": 64, "allow_out_of_range": True},
    **{"checkpoints": f"every:{STEPS}", "evaluate_every": STEPS},
}
TRAININGS: dict[str, dict[str, Any]] = {
    # lambda = 0.2, over the width.
    "crosscoder": {"l1_alpha": 0.2 / 24},
    "crosscoder-batchtopk": {"k": 1.9, "dead_window_steps": 40},
}
BUILT = {"variant": "toy.sum/v5-seed0-width16", "source_steps": (2, 10, 20), "site": "blocks.0.mlp.hook_post"}


@dataclass(frozen=True, kw_only=True)
class Found:
    """Of the features that are known, each beside the latent whose direction is nearest where it is fully there."""

    matched: float
    """Share with a cosine above 0.9."""
    births: float
    """Share of the matched whose latent is born with them."""
    deaths: float
    """And dies with them, or stays."""
    turned: float
    """Mean error of the cosine with the last direction, over checkpoints at which both are there."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is to be found."""

    place: BoundWorkspace
    source: BoundVariant
    truth: np.ndarray
    """(T, features, width)."""

    def trained(self, architecture: str, **fields: Any) -> BoundVariant:
        (run,) = miscope_sae.autoencoders(
            self.source, "hook_embed", step="all", architecture=architecture, **{**SHORT, **fields}
        )
        list(run.train(threads=1))
        assert [each.error for each in run.analyze("sae.births", steps=[STEPS]) if each.error] == []
        return run

    def found(self, run: BoundVariant) -> Found:
        arrays, count = run.arrays("sae.births", step=STEPS), len(self.truth)
        decoder = run.at("last").checkpoint.weights["W_dec"].unflatten(1, (count, -1)).numpy()
        fires = np.flatnonzero(np.isfinite(arrays["presence"][:, 0]))
        born, died, turned, matched = [], [], [], 0
        for feature in range(self.truth.shape[1]):
            strength = np.linalg.norm(self.truth[:, feature], axis=1)
            there = np.flatnonzero(strength)
            full = there[strength[there] > 0.99][-1]
            alike = cosines(self.truth[full, feature][None], decoder[fires, full])[0]
            latent = fires[alike.argmax()]
            if alike.max() <= 0.9:
                continue
            matched += 1
            born.append(arrays["birth"][latent] == there[0])
            ends = there[-1] + 1
            died.append(arrays["death"][latent] == ends if ends < count else np.isnan(arrays["death"][latent]))
            told = cosines(self.truth[:, feature], self.truth[there[-1], feature][None])[:, 0]
            turned.append(np.abs(arrays["to_last"][latent] - told)[there])
        errors = np.concatenate(turned) if turned else np.array([np.nan])
        return Found(
            matched=matched / self.truth.shape[1],
            births=float(np.mean(born)),
            deaths=float(np.mean(died)),
            turned=float(np.nanmean(errors)),
        )


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Known]:
    """known(seed=0): features and lives drawn from it."""
    place = open_bound(tmp_path_factory.mktemp("births"), tables(sae=miscope_sae))

    def make(**fields: Any) -> Known:
        source = place.variant("sae.known-births", inputs=8000, **fields)
        place.value.keep_record(source.value)
        truth = np.stack([source.at(step).checkpoint.weights["W_E"].numpy() for step in source.steps])
        return Known(place=place, source=source, truth=truth)

    return make


def check(architecture: str, known: Known, seed: int) -> None:
    run = known.trained(architecture, seed=seed, **TRAININGS[architecture])
    found = known.found(run)
    assert found.matched >= 0.9, found
    assert found.births >= 0.9, found
    assert found.deaths >= 0.9, found
    assert found.turned <= 0.05, found
    assert [each.error for each in run.analyze("sae.births_found", steps=[STEPS]) if each.error] == []
    told = run.arrays("sae.births_found", step=STEPS)
    names = {"matched": "matched", "births": "births", "deaths": "deaths", "turning_error": "turned"}
    for name, field in names.items():
        assert float(told[name]) == pytest.approx(getattr(found, field), abs=1e-6), name


@pytest.mark.parametrize("architecture", TRAININGS)
def test_a_crosscoder_finds_features_and_when_they_are_born_die_and_turn(
    architecture: str, known: Callable[..., Known]
) -> None:
    check(architecture, known(), 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("architecture", TRAININGS)
def test_it_finds_others_from_another_seed(architecture: str, seed: int, known: Callable[..., Known]) -> None:
    check(architecture, known(seed=seed), seed)


def test_with_checkpoints_in_a_drawn_order_nothing_is_found_and_no_order_is(known: Callable[..., Known]) -> None:
    there, order = (
        known().trained("crosscoder", shuffled=shuffled, **TRAININGS["crosscoder"]) for shuffled in (False, True)
    )
    births, null = (run.arrays("sae.births", step=STEPS) for run in (there, order))
    assert known().found(order).matched < 0.5
    assert float(births["changes"]) < 0.6 * float(births["changes_in_any_order"])
    assert float(null["changes"]) > 0.8 * float(null["changes_in_any_order"])
    later = [np.sum(arrays["birth"] > 0) / np.isfinite(arrays["birth"]).sum() for arrays in (births, null)]
    assert later[0] > 2 * later[1]


@pytest.mark.slow
def test_features_that_stay_as_they_are_are_there_at_all_checkpoints_alike(known: Callable[..., Known]) -> None:
    run = known(present=48, turning=0.0, dying=0.0).trained("crosscoder", **TRAININGS["crosscoder"])
    arrays = run.arrays("sae.births", step=STEPS)
    # Those that small latents stand beside are shared out between two.
    dense = arrays["density"] > 0.01
    assert dense.sum() >= 48
    assert arrays["presence"][dense].min() >= 0.95
    assert (arrays["birth"][dense] == 0).all()
    assert np.isnan(arrays["death"][dense]).all()


@pytest.mark.parametrize("family", [CrosscoderFamily(), BatchTopKCrosscoderFamily()], ids=lambda each: each.name)
def test_a_crosscoder_keeps_the_contract_of_a_family(family: Any, tmp_path: Path) -> None:
    place = open_bound(tmp_path, tables(sae=miscope_sae))
    source = place.variant("sae.known-births", features=12, width=8, inputs=300, probability=1.0)
    place.value.keep_record(source.value)
    params = {"variant": source.name, "source_steps": [0, 2, 5], "site": "hook_embed", "latents": "2x"}
    variant = place.value.variant(family.name, **params)
    check_family(place.value.context(variant).family, params)


def test_features_that_are_born_keep_the_contract_of_a_family() -> None:
    plugins = tables(sae=miscope_sae)
    check_family(plugins.families["sae.known-births"], {"features": 12, "width": 8, "inputs": 300})


def test_what_is_known_has_the_lives_that_were_asked_for(known: Callable[..., Known]) -> None:
    strength = np.linalg.norm(known().truth, axis=2)
    assert (strength[0] > 0).sum() == 12
    values = sorted(set(strength.round(4).ravel().tolist()))
    assert values == [0, 0.5, 1]
    born = (strength > 0).argmax(axis=0)
    assert strength[born[12:], np.arange(12, 48)] == pytest.approx(np.full(36, 0.5), abs=1e-6)
    assert 1 <= born[12:].min() <= born[12:].max() <= 4
    steady = known(present=48, turning=0.0, dying=0.0).truth
    assert np.abs(steady - steady[0]).max() < 1e-6


def test_a_latent_counts_as_the_sum_of_its_norms_at_all_checkpoints() -> None:
    decoder = torch.tensor([[3.0, 4.0, 0.0, 0.0], [0.0, 1.0, 2.0, 0.0]])
    assert block_norms(decoder, 2).tolist() == [[5, 0], [1, 2]]
    params = CrosscoderFamily.params.model_validate({**BUILT, "source_steps": [1, 2]})
    assert CrosscoderFamily().architecture(params, None).norms({"W_dec": decoder}).tolist() == [5, 3]


def test_a_drawn_order_moves_whole_checkpoints_of_each_input() -> None:
    rows = torch.arange(60.0).reshape(10, 6)
    moved = in_drawn_order(rows, 3, seed=0)
    assert moved.reshape(10, 3, 2).sort(dim=1).values.flatten(1).tolist() == rows.tolist()
    assert not torch.equal(moved, rows)
    assert torch.equal(moved, in_drawn_order(rows, 3, seed=0))


def test_its_weights_begin_with_a_direction_of_its_own_at_each_checkpoint(known: Callable[..., Known]) -> None:
    run = known().place.variant(
        "sae.crosscoder", variant=known().source.name, source_steps=(0, 5), site="hook_embed", latents=64, steps=1,
        allow_out_of_range=True,
    )  # fmt: skip
    list(run.train(threads=1))
    first = run.at(0).checkpoint.weights
    assert torch.equal(first["W_dec"], first["W_enc"].T)
    assert torch.allclose(block_norms(first["W_dec"], 2), torch.tensor(0.1))
    one, other = first["W_dec"].unflatten(1, (2, -1)).unbind(1)
    assert abs(float(torch.cosine_similarity(one, other).mean())) < 0.1
    context = known().place.value.context(run.value)
    x, _ = context.model.normalised(context.probe().inputs)  # pyright: ignore
    each = x.unflatten(1, (2, -1)).norm(dim=2).mean(0)
    assert torch.allclose(each, torch.tensor(24.0).sqrt(), atol=1e-3), "each checkpoint has a scale of its own"


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as told:
        CrosscoderFamily.params.model_validate({**BUILT, **fields})
    return told.value.errors()[0]["msg"]


def test_checkpoints_are_two_at_least_and_ascend() -> None:
    assert refused(source_steps=[3]) == "Value error, a crosscoder is of two checkpoints at least, and this is 1"
    assert refused(source_steps=[3, 1]) == "Value error, they are to ascend, each given once"
    assert refused(source_steps=[3, 3]) == "Value error, they are to ascend, each given once"
    assert "constant_norm" in refused(normalize_activations="layer_norm"), "what would delete an input's norm"


def test_it_has_no_form_in_other_libraries(tmp_path: Path) -> None:
    place = open_bound(tmp_path / "there", tables(sae=miscope_sae))
    source = place.variant("sae.known-births", features=12, width=8, inputs=300)
    (run,) = miscope_sae.autoencoders(
        source, "hook_embed", step="all", architecture="crosscoder", steps=10, latents=16, allow_out_of_range=True
    )
    list(run.train(threads=1))
    with pytest.raises(BadValue) as told:
        export_autoencoder(place.value, run.value, 10, tmp_path / "files")
    assert str(told.value) == (
        "CrosscoderReLU is no architecture of other libraries.\n"
        "Those that have a name there: ReLU, JumpReLU, BatchTopK, TopK, Gated, SkipReLU.\n"
        "Export an autoencoder of one of these."
    )
