"""Births, deaths and turning of latents, of weights made by hand; their figures."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as drawn

import miscope_sae
from miscope import Plugins, Probe, Series, Snapshot, Source, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.headings import BELOW, lines_of
from miscope.observation import ObservedArtifact
from miscope.source_checkpoint import OpenedSource, SourceCheckpoint
from miscope.testing import check_analyzer, check_view, scene, tables, toy_snapshot
from miscope_sae.analyzers.births import BIRTHS, BirthOptions, births, births_observed
from miscope_sae.analyzers.source_learning import SOURCE_LEARNING
from miscope_sae.architectures.crosscoder import CrosscoderFamily
from miscope_sae.architectures.top_k import TopKFamily
from miscope_sae.measuring.latent_scaling import scaling, split_with
from miscope_sae.measuring.presence import born_in_any_order, changes, lifetimes, presence, towards
from miscope_sae.views.births import VIEWS, alive, by_checkpoint, raster, turning
from miscope_sae.views.frame import title

BUILT = {
    **{"variant": "toy.fourier/v5-seed0-width16", "source_steps": (0, 2, 4), "site": "blocks.0.mlp.hook_post"},
    **{"latents": "2x", "allow_out_of_range": True},
}
STEPS = (0, 10, 20, 40)
N = 400


def _unopened() -> OpenedSource:
    raise AssertionError("what it is built on is not looked at")


def built_on(*steps: int, **where: str) -> tuple[SourceCheckpoint, ...]:
    place = {"variant": "made/by-hand", "site": "hook_z", **where}
    return tuple(SourceCheckpoint(Source(step=step, **place), _unopened) for step in steps)


def by_hand(decoder: np.ndarray, *, scales: tuple[float, ...] = (1, 1, 1, 1), hidden: float = 0.0) -> Snapshot:
    """A crosscoder of (m, T, d) directions, of which each latent is on at inputs of its own.

    scales: what inputs of each checkpoint were multiplied by. hidden: what inputs have of the first latent's last
    direction at the first checkpoint and is not reconstructed.
    """
    count, checkpoints, _ = decoder.shape
    latents = torch.zeros(N, count)
    for latent in range(count):
        latents[latent::count, latent] = (
            torch.rand(len(latents[latent::count]), generator=torch.manual_seed(latent)) + 1
        )
    made = torch.from_numpy(decoder).float()
    found = torch.einsum("nm,mtd->ntd", latents, made) / torch.tensor(scales)[:, None] + 0.5
    inputs = found.clone()
    inputs[:, 0] += hidden * latents[:, :1] * made[0, -1] / scales[-1]
    return Snapshot(
        variant=toy_snapshot().variant,
        step=7,
        options=BirthOptions(),
        probe=Probe(name="made", inputs=inputs.flatten(1)),
        weights={"W_dec": made.flatten(1)},
        activations={
            "hook_sae_input": inputs.flatten(1),
            "hook_sae_acts_post": latents,
            "hook_sae_recons": found.flatten(1),
        },
        sources=built_on(*STEPS[:checkpoints]),
    )


def directions(*profiles: tuple[float, ...]) -> np.ndarray:
    """(m, T, m) each latent along an axis of its own, of these sizes."""
    sizes = np.array(profiles)
    return sizes[:, :, None] * np.eye(len(sizes))[:, None, :]


def test_a_latent_is_born_at_the_first_of_two_checkpoints_above_the_line_and_gone_below_the_lower_one():
    share = np.array([
        [1.0, 0.9, 0.8, 1.0, 0.9],
        [0.0, 0.1, 0.5, 1.0, 1.0],
        [0.0, 0.9, 0.2, 1.0, 1.0],  # once above is not born
        [0.5, 1.0, 0.2, 0.2, 0.2],  # between the lines it is still there
        [0.5, 1.0, 0.2, 0.1, 0.2],  # once gone it would have to be born again
        [0.0, 0.0, 0.0, 0.0, 1.0],  # at the last there is no second
        [np.nan] * 5,
    ])  # fmt: skip
    found = lifetimes(share, 0.3, 0.15)
    assert found.birth.tolist() == [0, 2, 3, 0, 0, 4, -1]
    assert found.death.tolist() == [-1, -1, -1, -1, 3, -1, -1]


@given(drawn(np.float64, (5, 6), elements=st.floats(0, 1)), st.floats(0.1, 10))
def test_births_do_not_hang_on_units_and_come_before_deaths(norms: np.ndarray, unit: float):
    share = presence(norms)
    found, other = lifetimes(share, 0.3, 0.15), lifetimes(presence(norms * 2.0 ** np.round(unit)), 0.3, 0.15)
    assert np.array_equal(found.birth, other.birth)
    assert np.array_equal(found.death, other.death)
    dead = found.death >= 0
    assert (found.death[dead] > found.birth[dead]).all()


def test_coming_and_going_is_counted_beside_its_mean_over_all_orders():
    there = np.array([[0, 0, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1]], dtype=bool)
    orders = [list(order) for order in permutations(range(4))]
    found, expected = changes(there)
    assert found == 1 + 3
    assert expected == pytest.approx(np.mean([changes(there[:, order])[0] for order in orders]))


def test_a_latent_that_turns_has_the_cosine_of_its_angle_with_its_last_direction():
    angles = np.deg2rad([0, 20, 50, 60])
    turned = 3 * np.stack([np.cos(angles), np.sin(angles)], axis=1)[None]
    to_last, to_next = towards(turned, np.array([[True, True, True, False]]))
    assert to_last[0, :3] == pytest.approx(np.cos(np.deg2rad([50, 30, 0])))
    assert to_next[0, :2] == pytest.approx(np.cos(np.deg2rad([20, 30])))
    assert np.isnan([to_last[0, 3], to_next[0, 2]]).all(), "where it is not there it has no direction"


def test_latent_scaling_is_the_slope_by_which_rows_hold_a_direction():
    generator = torch.manual_seed(0)
    latents, along = torch.rand(50, 2, generator=generator), torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    rows = 0.7 * latents[:, :1] * along[0] + torch.tensor([5.0, 1.0, 3.0])
    found = scaling(latents, along, rows)
    assert found[0] == pytest.approx(0.7, rel=1e-4)
    assert np.isnan(found[1]), "what writes nothing has none"


def test_two_latents_of_the_same_inputs_at_other_checkpoints_are_one_that_was_split():
    active = torch.zeros(20, 3, dtype=torch.bool)
    active[:10, 0] = active[:9, 1] = active[:10, 2] = True
    there = np.array([[1, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=bool)
    assert split_with(active, there).tolist() == [1, 0, -1]


def test_presence_births_and_deaths_of_weights_made_by_hand_are_those_of_raw_directions():
    made = directions((2, 2, 2, 2), (0, 1, 2, 2), (3, 3, 0, 0), (0, 0, 0, 4))
    raw = births(by_hand(made))
    # With the scales of their checkpoints undone, they are the same.
    scales = (4.0, 2.0, 1.0, 0.5)
    for found in (raw, births(by_hand(made * np.array(scales)[:, None], scales=scales))):
        assert found["norm"] == pytest.approx(np.linalg.norm(made, axis=2), abs=1e-4)
        assert found["presence"][1] == pytest.approx([0, 0.5, 1, 1], abs=1e-5)
        assert found["birth"].tolist() == [0, 10, 0, 40]
        assert found["death"][[0, 1, 3]] == pytest.approx([np.nan] * 3, nan_ok=True)
        assert found["death"][2] == 20
        assert found["trusted"].all()
        assert found["all/fvu"] == pytest.approx(np.zeros(4), abs=1e-6)
        assert found["birth_early"].tolist() == [0, 10, 0, 40]
        assert found["birth_late"].tolist() == [0, 20, 0, 40]


def test_a_site_that_only_grows_gives_births_unless_they_are_relative_to_its_norm():
    made = directions((1, 1, 1, 1), (1, 1, 1, 1)) * np.array([0.1, 0.2, 1, 1])[:, None]
    plain = by_hand(made)
    for site in ("hook_sae_input", "hook_sae_recons"):
        plain.activations[site] -= 0.5
    relative = replace(plain, options=BirthOptions(relative=True))
    assert births(plain)["birth"].tolist() == [20, 20]
    found = births(relative)
    assert found["birth"].tolist() == [0, 0]
    assert found["presence"] == pytest.approx(np.ones((2, 4)), abs=1e-4)


def test_what_the_error_still_holds_was_shrunk_and_is_not_born():
    made = directions((0, 0, 2, 2), (0, 0, 2, 2))
    real, shrunk = births(by_hand(made)), births(by_hand(made, hidden=0.8))
    assert real["in_error"][:, 0] == pytest.approx(np.zeros(2), abs=1e-4)
    assert real["trusted"].tolist() == [True, True]
    assert shrunk["in_error"][0, 0] == pytest.approx(0.8, abs=1e-4)
    assert shrunk["hidden"].tolist() == [True, False]
    assert shrunk["trusted"].tolist() == [False, True]


def test_a_latent_that_never_fires_is_neither_born_nor_counted():
    snapshot = by_hand(directions((0, 0, 2, 2), (1, 1, 1, 1)))
    snapshot.activations["hook_sae_acts_post"][:, 0] = 0
    found_rows = snapshot.activations["hook_sae_recons"]
    found_rows[::2] = 0.5
    found = births(snapshot)
    assert np.isnan(found["presence"][0]).all()
    assert np.isnan(found["birth"][0])
    assert not found["trusted"][0]
    assert (int(found["changes"]), float(found["changes_in_any_order"])) == (0, 0)


def test_it_is_said_why_something_is_no_crosscoder():
    snapshot = by_hand(directions((1, 1, 1, 1), (0, 1, 1, 1)))
    for sources, reason in (
        (built_on(3), "it is not built on several checkpoints of one site"),
        ((*built_on(3), *built_on(4, site="hook_q")), "it is not built on several checkpoints of one site"),
        (built_on(4, 3), "the checkpoints it is built on do not ascend"),
        (built_on(1, 2, 3), "its decoder of 2 x 8 has no part for each of 3 checkpoints"),
    ):
        with pytest.raises(DoesNotApply, match=reason):
            births(replace(snapshot, sources=sources))
    snapshot.activations["hook_sae_recons"][:, 0] += torch.arange(N)
    with pytest.raises(DoesNotApply, match="is no multiple of what its latents decode to"):
        births(snapshot)


def test_what_is_observed_has_the_order_that_chance_would_have_beside_it():
    found = births(by_hand(directions((0, 0, 2, 2), (1, 1, 1, 1)), hidden=0.8))
    seen = ObservedArtifact(arrays=found, first=found, step=7, first_step=7, step_label="step", options=None)
    (said,) = births_observed(seen)
    assert said.text == (
        "Of 2 latents that 4 checkpoints share, step 0 to step 40, 1 are born after the first, 0 of them to be trusted "
        "by latent scaling; they come or go 1 times, 2 times were the checkpoints in any order."
    )


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return tables(sae=miscope_sae)


@pytest.mark.parametrize("analyzer", [BIRTHS, SOURCE_LEARNING], ids=lambda each: each.name)
def test_the_instruments_keep_their_contract(analyzer: Any, plugins: Plugins) -> None:
    assert check_analyzer(analyzer, CrosscoderFamily(), plugins=plugins, params=BUILT) == ()


@pytest.mark.parametrize("view", VIEWS, ids=lambda each: each.name)
def test_every_view_draws_a_crosscoder(view: Any, plugins: Plugins) -> None:
    check_view(view, CrosscoderFamily(), plugins=plugins, params=BUILT)


def test_an_autoencoder_of_one_checkpoint_has_no_births(plugins: Plugins) -> None:
    built = {"variant": BUILT["variant"], "step": 2, "site": BUILT["site"], "latents": "2x", "k": 3}
    with scene(TopKFamily(), plugins, {**built, "allow_out_of_range": True}) as place:
        told = {str(outcome.error) for outcome in place.variants[0].analyze("sae.births", "sae.source_learning")}
    assert told == {
        "does not apply: it is not built on several checkpoints of one site",
        "does not apply: it is not built on several checkpoints of one variant",
    }


def shown(found: dict[str, np.ndarray], **more: dict[str, np.ndarray]) -> ViewData:
    artifacts = {"sae.births": found, **({"sae.source_learning": more["learned"]} if more else {})}
    return ViewData(variant=toy_snapshot().variant, step=7, steps=np.array([0, 7]), artifacts=artifacts)


def test_the_raster_is_in_the_order_of_births_and_marks_those_not_to_be_trusted():
    found = births(by_hand(directions((0, 0, 2, 2), (0, 1, 2, 2), (3, 3, 0, 0), (1, 1, 1, 1)), hidden=0.8))
    figure = raster(shown(found), latents="all", events=True)
    heat, marks = figure.data
    assert heat.customdata[:, 0].tolist() == [3, 2, 1, 0]
    assert list(heat.x) == ["0", "10", "20", "40"]
    assert np.array_equal(heat.z, found["presence"][[3, 2, 1, 0]])
    assert (list(marks.x), list(marks.y)) == (["20"], [3])
    assert marks.text == ("latent 0: the error holds it where it is not written",)
    assert figure.layout.title.subtitle.text.endswith(
        "4 latents, 2 born later, 1 trusted; come or go 3 times, in any order 6"
    )
    only = raster(shown(found), latents="trusted", events=True).data[0]
    assert only.customdata[:, 0].tolist() == [3, 2, 1]


def test_what_the_source_answered_right_stands_below_over_the_same_checkpoints():
    found = births(by_hand(directions((0, 0, 2, 2), (1, 1, 1, 1))))
    learned = {f"source_{part}/accuracy": np.array([0.1, 0.9, 1, 1]) for part in ("train", "test")}
    figure = raster(shown(found, learned=learned), latents="all", events=True)
    below = [trace for trace in figure.data if trace.yaxis == "y2"]
    assert [(trace.name, list(trace.x)) for trace in below] == [
        ("source, trained on", ["0", "10", "20", "40"]),
        ("source, held out", ["0", "10", "20", "40"]),
    ]


def test_latents_are_counted_at_each_checkpoint_with_those_born_and_gone():
    found = births(by_hand(directions((0, 0, 2, 2), (0, 1, 2, 2), (3, 3, 0, 0), (1, 1, 1, 1)), hidden=0.8))
    traces = {trace.name: list(trace.y) for trace in alive(shown(found), events=True).data}
    assert traces == {
        "there": [2, 3, 3, 3],
        "there, trusted": [2, 3, 2, 2],
        "there, checkpoints in any order": [2.75] * 4,
        "born": [1, 1, 0],
        "gone": [0, -1, 0],
        # Of two latents there at two of four checkpoints one that is last there at the second: in one of six orders.
        "born or gone, in any order": pytest.approx([0, -2 / 6, -(2 * 2 / 6 + 1 / 4)]),
    }


def test_births_in_any_order_are_their_mean_over_all_orders() -> None:
    there = np.array([[0, 0, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], dtype=bool)
    orders = [there[:, list(order)] for order in permutations(range(4))]
    first = [[(row.argmax() == place) for place in range(4)] for order in orders for row in order if row.any()]
    assert born_in_any_order(there) == pytest.approx(np.sum(first, axis=0) / len(orders))


def test_below_births_stand_the_losses_and_events_of_the_source_at_their_steps() -> None:
    found = births(by_hand(directions((0, 0, 2, 2), (1, 1, 1, 1))))
    steps = np.array([0, 5, 20, 30, 50])
    losses = {name: Series(steps=steps, values=np.array([3, 2, 0, 0.5, 0.1])) for name in ("train_loss", "test_loss")}
    source = ViewData(
        variant=toy_snapshot().variant,
        step=None,
        steps=np.array([0, 40]),
        metrics={**losses, "other": losses["train_loss"]},
        events={"memorised": 15.0, "generalised": 45.0},
    )
    figure = alive(replace(shown(found), source=source), events=True)
    below = [trace for trace in figure.data if trace.yaxis == "y2"]
    assert [trace.name for trace in below] == ["source's train loss", "source's test loss"]
    # Checkpoints 0, 10, 20 and 40 at equal distances; what comes after the last is left out.
    assert list(below[0].x) == [0, 0.5, 2, 2.5]
    assert list(below[0].y) == pytest.approx([3, 2, np.nan, 0.5], nan_ok=True)
    assert list(below[0].customdata) == [0, 5, 20, 30]
    (mark,) = figure.layout.shapes
    assert (mark.x0, mark.x1, mark.label.text) == (1.5, 1.5, "memorised 15")
    assert not alive(replace(shown(found), source=source), events=False).layout.shapes
    dotted = raster(replace(shown(found), source=source), latents="all", events=True).layout.shapes
    # On colours a light line under a dark one, which has the label.
    assert [(line.x0, line.label.text) for line in dotted] == [(1.5, None), (1.5, "memorised 15")]
    late = replace(source, metrics={"train_loss": Series(steps=np.array([50]), values=np.array([1.0]))})
    for other in (late, None):
        assert not [t for t in alive(replace(shown(found), source=other), events=True).data if t.yaxis == "y2"]


def test_each_checkpoint_has_its_own_fvu_beside_principal_components():
    found = births(by_hand(directions((1, 1, 1, 1), (1, 1, 1, 1)), hidden=1.0))
    figure = by_checkpoint(shown(found), inputs="all")
    assert [trace.name for trace in figure.data] == ["crosscoder", "PCA of equal L0"]
    assert figure.data[0].y[0] > 0.1
    assert f"at most {found['all/fvu'][0]:.3g}, at 0; 1 for the mean" in figure.layout.title.subtitle.text


def test_latents_that_do_not_turn_stay_at_a_cosine_of_one():
    figure = turning(shown(births(by_hand(directions((0, 0, 2, 2), (1, 1, 1, 1))))))
    middle = figure.data[1]
    assert middle.name == "median"
    assert list(middle.y[:3]) == pytest.approx([1, 1, 1])
    assert "latents that are there again later: 1 to 2 a checkpoint" in figure.layout.title.subtitle.text


def test_below_a_title_stands_one_line_which_names_the_variant_where_there_is_room() -> None:
    plain = toy_snapshot().variant
    long = plain.labelled("x" * 40)
    for variant, letters, named in (
        (plain, 40, f"{plain.name} · "),
        (long, 40, f"{plain.family} · "),
        (long, 84, ""),
    ):
        shown = ViewData(variant=variant, step=1000, steps=np.array([1000]))
        below = title(shown, "A title", "n" * letters)["subtitle"]["text"]
        assert below == f"{named}step 1,000 · {'n' * letters}"
        assert lines_of(below, BELOW) == [below]
