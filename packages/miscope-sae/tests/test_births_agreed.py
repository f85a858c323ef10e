"""Births on which crosscoders agree: of weights made by hand, and of births that are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as drawn

import miscope_sae
from miscope import Cohort, ObservedArtifact, Source, Trajectory, ViewData
from miscope.analysis.analyze import analyze
from miscope.bound import open_bound
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.figures.render import gather
from miscope.source_checkpoint import OpenedSource, SourceCheckpoint
from miscope.testing import check_analyzer, check_view, tables, toy_snapshot
from miscope_sae.analyzers.births_agreed import BIRTHS_AGREED, at_least, births_agreed, births_agreed_observed
from miscope_sae.architectures.crosscoder import BatchTopKCrosscoderFamily, CrosscoderFamily
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.measuring.matching import NEAR, cosines
from miscope_sae.views.births_agreed import VIEWS
from miscope_sae.views.births_agreed import births_agreed as draw_births_agreed

STEPS = (0, 10, 20, 30, 40)
START = 0
BUILT = {
    **{"variant": "toy.fourier/v5-seed0-width16", "source_steps": (0, 2, 4), "site": "blocks.0.mlp.hook_post"},
    **{"latents": "2x", "allow_out_of_range": True},
}
SHORT: dict[str, Any] = {
    **{"steps": 300, "learning_rate": 3e-3, "batch_size": 256, "allow_out_of_range": True},
    **{"checkpoints": "every:300", "evaluate_every": 300},
}


def _unopened() -> OpenedSource:
    raise AssertionError("what it is built on is not looked at")


def member(
    births: Sequence[int],
    *,
    seed: int,
    directions: np.ndarray | None = None,
    trusted: Sequence[bool] | None = None,
    family: AutoencoderFamily | None = None,
    **params: Any,
) -> Trajectory:
    """A crosscoder whose latents are born at these places of STEPS and stay; each along an axis of its own."""
    rows = np.eye(len(births)) if directions is None else directions
    place = np.array(births)
    there = np.arange(len(STEPS)) >= place[:, None]
    decoder = there[:, :, None] * rows[:, None]
    built = {"variant": "made/by-hand", "site": "hook_z", "source_steps": STEPS, "seed": seed, **params}
    variant = make_variant(family or CrosscoderFamily(), built)
    artifact = {
        "at": np.array(STEPS),
        "birth": np.array(STEPS)[place].astype(float),
        "to_last": np.where(there, 1.0, np.nan),
        "trusted": np.ones(len(place), dtype=bool) if trusted is None else np.array(trusted),
    }
    flat = torch.from_numpy(decoder).float().flatten(1)
    sources = tuple(
        SourceCheckpoint(Source(variant=built["variant"], step=step, site=built["site"]), _unopened)
        for step in built["source_steps"]
    )
    return Trajectory(
        variant=variant,
        steps=np.array([7]),
        options=None,
        probe=toy_snapshot().probe,
        artifacts={"sae.births": {name: values[None] for name, values in artifact.items()}},
        weights={"W_dec": lambda: flat[None]},
        sources=sources,
    )


def computed(*members: Trajectory) -> dict[str, Any]:
    return dict(births_agreed(Cohort(members=members, options=BIRTHS_AGREED.options())))


def of(found: dict[str, Any], index: int, name: str) -> list[Any]:
    """Of the births of one crosscoder."""
    return found[name][found["member"] == index].tolist()


def test_a_birth_is_agreed_where_two_of_three_have_the_latent_born_at_most_one_checkpoint_apart() -> None:
    found = computed(
        member([1, 2, 2, START], seed=0),
        member([1, 3, 4, START], seed=1),
        member([2, 4, 4, 3], seed=2),
    )
    assert int(found["quorum"]) == 2
    assert of(found, 0, "latent") == [0, 1, 2]
    assert of(found, 0, "birth") == [10, 20, 20]
    assert of(found, 0, "agreeing") == [3, 2, 1]
    assert of(found, 0, "agreed") == [True, True, False]
    assert of(found, 1, "agreeing") == [3, 3, 2]
    # What the others have from the start is no birth of theirs.
    assert of(found, 2, "agreeing") == [3, 2, 2, 1]
    assert found["having"].tolist() == [3] * 10
    assert found["matched"].tolist() == [1, 1, 1]
    # In four dimensions, with four directions each.
    assert (found["matched_by_chance"] < 0.2).all()


def test_two_have_to_agree_of_two_and_three_of_four() -> None:
    for count, quorum in ((2, 2), (3, 2), (4, 3), (5, 4), (6, 4)):
        found = computed(*(member([1, 2], seed=seed) for seed in range(count)))
        assert int(found["quorum"]) == quorum
        assert found["agreed"].all()


def test_the_order_of_latents_and_the_size_of_what_they_write_change_nothing() -> None:
    rows = np.eye(4)
    order = [2, 0, 3, 1]
    births = np.array([1, 2, 3, START])
    sizes = np.array([0.5, 3, 1, 2])[:, None]
    one = member(births.tolist(), seed=0)
    found = computed(one, member(births[order].tolist(), seed=1, directions=(sizes * rows)[order]))
    assert found["agreed"].all()
    assert of(found, 0, "latent") == [0, 1, 2]
    assert of(found, 1, "latent") == [0, 1, 3]


def test_births_that_are_not_to_be_trusted_neither_count_nor_agree() -> None:
    found = computed(member([1, 2], seed=0, trusted=[True, False]), member([1, 2], seed=1))
    assert of(found, 0, "latent") == [0]
    assert of(found, 1, "agreed") == [True, False]
    assert of(found, 1, "having") == [2, 2], "the latent is the same; its birth is not believed"


def test_random_directions_have_no_birth_in_common_though_they_are_born_together() -> None:
    generator = np.random.default_rng(0)
    found = computed(*(member([2] * 20, seed=seed, directions=generator.standard_normal((20, 32))) for seed in (0, 1)))
    assert not found["agreed"].any()
    assert found["having"].tolist() == [1] * 40
    assert not found["by_chance"].any()
    assert found["matched"].tolist() == found["matched_by_chance"].tolist() == [0]


def test_chance_is_the_mean_over_all_ways_to_hand_the_births_to_the_latents_that_are_shared() -> None:
    """The fifth latents of both are not the same."""
    rows = np.eye(6)
    births, others = [1, 2, 4, START, 2], [1, 3, 4, START, 2]
    one = member(births, seed=0, directions=rows[:5])
    found = computed(one, member(others, seed=1, directions=rows[[0, 1, 2, 3, 5]]))
    handed = [
        computed(one, member([*order, 2], seed=1, directions=rows[[0, 1, 2, 3, 5]]))
        for order in permutations(others[:4])
    ]
    expected = np.mean([of(each, 0, "agreed") for each in handed], axis=0)
    assert of(found, 0, "by_chance") == pytest.approx(expected.tolist())
    assert of(found, 0, "by_chance")[-1] == 0


@given(drawn(np.float64, (3, 1), elements=st.floats(0, 1)), st.integers(0, 3))
def test_so_many_of_independent_events_happen_as_often_as_all_their_outcomes_say(
    chances: np.ndarray, count: int
) -> None:
    each = chances[:, 0]
    expected = sum(
        np.prod(np.where(outcome, each, 1 - each)) for outcome in product((0, 1), repeat=3) if sum(outcome) >= count
    )
    assert at_least(count, chances)[0] == pytest.approx(expected)


def test_it_is_said_why_crosscoders_cannot_be_held_against_each_other() -> None:
    one = member([1, 2], seed=0)
    moved = member([1, 2], seed=1, source_steps=(0, 10, 20, 30, 50))
    mixed = member([1, 2], seed=1, shuffled=True)
    for other in (moved, mixed, member([1, 2], seed=1, site="hook_q"), member([1, 2], seed=1, positions="all")):
        with pytest.raises(DoesNotApply) as told:
            computed(one, other)
        assert told.value.reason == (
            f"{one.variant.name} and {other.variant.name} are not built on the same checkpoints, site and positions in "
            "the same order"
        )
    for same in (member([1, 2], seed=0, latents="4x"), member([1, 2], seed=0, family=BatchTopKCrosscoderFamily())):
        with pytest.raises(DoesNotApply) as began:
            computed(one, same)
        assert began.value.reason == (
            f"{one.variant.name} and {same.variant.name} are of one seed, so they began with the same directions"
        )
    assert computed(one, member([1, 2], seed=1, family=BatchTopKCrosscoderFamily()))["agreed"].all()
    assert computed(mixed, member([1, 2], seed=0, shuffled=True))["agreed"].all(), "two nulls are of one kind"


def test_it_says_how_many_births_are_agreed_and_how_many_by_chance() -> None:
    found = computed(member([1, 4, START], seed=0), member([1, 2, START], seed=1))
    seen = ObservedArtifact(arrays=found, first=found, step=None, first_step=None, step_label="step", options=None)
    (said,) = births_agreed_observed(seen)
    # Of three latents handed out, near to the births of the first are 2 and none, to those of the second 1 and 1.
    assert said.text == (
        "Of 4 births after the first checkpoint that 2 crosscoders find and latent scaling trusts, 50.0% are agreed by "
        "2 of them (33.3% were the births of the latents that they share handed out in any order); two of them share "
        "100.0% to 100.0% of their latents."
    )
    assert said.value == 0.5
    none = computed(member([START], seed=0), member([START], seed=1))
    seen = ObservedArtifact(arrays=none, first=none, step=None, first_step=None, step_label="step", options=None)
    assert births_agreed_observed(seen) == []


def shown(found: dict[str, Any]) -> ViewData:
    return ViewData(
        variant=toy_snapshot().variant, step=None, steps=np.array([7]), artifacts={"sae.births_agreed": found}
    )


def test_births_are_drawn_between_checkpoints_by_who_has_them_beside_chance() -> None:
    rows = np.eye(4)
    found = computed(
        member([1, 2, 2], seed=0, directions=rows[:3]),
        member([1, 4, 2], seed=1, directions=rows[[0, 1, 3]]),
    )
    figure = draw_births_agreed(shown(found), events=True)
    drawn_bars = {trace.name: list(trace.y) for trace in figure.data if trace.type == "bar"}
    assert drawn_bars == {
        "agreed by 2 of 2": [1, 0, 0, 0],
        "same latent, other birth": [0, 0.5, 0, 0.5],
        "latent of fewer": [0, 1, 0, 0],
    }
    chance = next(trace for trace in figure.data if trace.name == "agreed by chance")
    assert list(chance.x) == [0.5, 1.5, 2.5, 3.5]
    # Of two shared latents the first has births 10 and 20, each near to 10 alone; the second 10, near to both, and 40.
    assert list(chance.y) == pytest.approx([(0.5 + 1) / 2, 0.5 / 2, 0, 0])
    assert list(figure.layout.xaxis.ticktext) == ["0", "10", "20", "30", "40"]
    assert figure.layout.title.subtitle.text.endswith(
        "33% of 6 births agreed, 33% by chance · two share 67% to 67% of their latents"
    )
    none = draw_births_agreed(shown(computed(member([START], seed=0), member([START], seed=1))), events=True)
    assert none.layout.title.subtitle.text.endswith(
        "no birth after the first checkpoint · two share 100% to 100% of their latents"
    )


def test_the_instrument_keeps_the_contract_and_its_view_draws() -> None:
    plugins = tables(sae=miscope_sae)
    assert check_analyzer(BIRTHS_AGREED, CrosscoderFamily(), plugins=plugins, params=BUILT) == ()
    check_view(VIEWS[0], CrosscoderFamily(), plugins=plugins, params=BUILT)


def is_born(truth: np.ndarray, latent: np.ndarray, birth: int) -> bool:
    """Whether one of (T, F, d) features is born at that checkpoint and has, where it is last fully there, the direction
    of a latent (T, d)."""
    strength = np.linalg.norm(truth, axis=2)
    full = len(truth) - 1 - (strength[::-1] > 0.99).argmax(axis=0)
    alike = [float(cosines(truth[at, one][None], latent[at][None])[0, 0]) for one, at in enumerate(full)]
    return any(cosine > NEAR and (strength[:, one] > 0).argmax() == birth for one, cosine in enumerate(alike))


def test_births_on_which_seeds_agree_are_real_more_often_than_those_of_one_seed(tmp_path: Path) -> None:
    """Sixteen features, of which four are there from the start; latents for half as many again find some twice."""
    place = open_bound(tmp_path, tables(sae=miscope_sae))
    sizes = {"features": 16, "width": 12, "checkpoints": 5, "present": 4, "inputs": 1000, "probability": 0.06}
    source = place.variant("sae.known-births", **sizes)
    place.value.keep_record(source.value)
    chosen = {"site": "hook_embed", "step": "all", "architecture": "crosscoder", "latents": 24, **SHORT}
    runs = [run for seed in range(3) for run in miscope_sae.autoencoders(source, seed=seed, **chosen)]
    for run in runs:
        list(run.train(threads=1))
    values = [run.value for run in runs]
    assert [each.error for each in analyze(place.value, values, ["sae.births_agreed"]) if each.error] == []
    arrays = gather(place.value, "sae.births_agreed", values).artifacts["sae.births_agreed"]
    truth = np.stack([source.at(step).checkpoint.weights["W_E"].numpy() for step in source.steps])
    assert arrays["crosscoder"].tolist() == [run.name for run in runs]
    decoders = [run.at("last").checkpoint.weights["W_dec"].unflatten(1, (len(truth), -1)).numpy() for run in runs]
    found = zip(arrays["member"], arrays["latent"], arrays["birth"], strict=True)
    real = np.array([is_born(truth, decoders[index][latent], birth) for index, latent, birth in found])
    agreed = arrays["agreed"]
    assert agreed.sum() > (~agreed).sum() > 0
    assert real[agreed].mean() > 0.9 > real[~agreed].mean() + 0.1
    # So many of the births of one seed are real, mean over seeds.
    assert real[agreed].mean() > real.mean()
