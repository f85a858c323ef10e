"""A crosscoder is tried on births that are known, and what it finds of them is counted."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import miscope_sae
from miscope import Probe, Snapshot, ViewData
from miscope.bound import BoundVariant, open_bound
from miscope.errors import BadValue, DoesNotApply
from miscope.observation import ObservedArtifact
from miscope.outcome import Outcome
from miscope.testing import check_analyzer, check_view, tables
from miscope_sae.analyzers.births_found import BIRTHS_FOUND, _near_by_chance, births_found, births_found_observed
from miscope_sae.architectures.crosscoder import CrosscoderFamily
from miscope_sae.known.certifying import is_trial, trial
from miscope_sae.known.trial_sizes import TrialSizes
from miscope_sae.views.births_found import VIEWS
from miscope_sae.views.births_found import births_found as draw_births_found

Command = Callable[..., tuple[int, str, str]]
SHORT = {"steps": 20, "latents": 16, "allow_out_of_range": True, "checkpoints": "every:20", "evaluate_every": 20}


@pytest.fixture
def source(tmp_path: Path) -> BoundVariant:
    """Twelve features in eight dimensions at four checkpoints."""
    place = open_bound(tmp_path / "workspace", tables(sae=miscope_sae))
    variant = place.variant("sae.known-births", features=12, width=8, checkpoints=4, present=3, inputs=300)
    place.value.keep_record(variant.value)
    return variant


def crosscoder(source: BoundVariant, **fields: Any) -> BoundVariant:
    chosen = {"site": "hook_embed", "step": "all", "architecture": "crosscoder", **SHORT, **fields}
    (run,) = miscope_sae.autoencoders(source, **chosen)
    return run


def test_a_trial_is_the_same_crosscoder_on_activations_as_wide_as_sparse_and_as_noisy(source: BoundVariant) -> None:
    run = crosscoder(source, seed=3)
    list(run.train(threads=1))
    tried = trial(run)
    assert tried.value.training == run.value.training
    named = ("variant", "site", "source_steps")
    same = {name: value for name, value in run.value.params.model_dump().items() if name not in named}
    assert {name: value for name, value in tried.value.params.model_dump().items() if name not in named} == same
    assert tried.value.params.source_steps == (0, 1, 2, 3)  # pyright: ignore
    drawn: Any = tried.workspace.find(tried.value.params.variant).value.params  # pyright: ignore
    assert (drawn.width, drawn.checkpoints, drawn.inputs, drawn.seed) == (8, 4, 300, 3)
    assert (drawn.features, drawn.present) == (12, 3)
    found = {name: each.values[-1] for name, each in run.metrics().items()}
    active = min(found["test_l0"], 12 / 8)
    assert drawn.probability == pytest.approx(active / 12, rel=5e-3)
    unexplained = min(found["test_fvu"], 0.5)
    # Of a sum of features with sizes between 0.5 and 1.5, as many of which are on, in each of eight dimensions.
    variance = active * 13 / 12 / 8
    assert drawn.noise**2 / (variance + drawn.noise**2) == pytest.approx(unexplained, rel=2e-2)


def test_a_trial_of_what_was_trained_on_a_drawn_order_is_of_the_right_one(source: BoundVariant) -> None:
    run = crosscoder(source, shuffled=True)
    list(run.train(threads=1))
    assert (run.value.params.shuffled, trial(run).value.params.shuffled) == (True, False)  # pyright: ignore


def test_a_trial_that_finds_nothing_says_so(source: BoundVariant) -> None:
    truth, births, deaths = known(source)
    missed = births_found(by_hand(source, truth, births, deaths)) | {"matched": np.array(0.0)}
    arrays = {name: np.asarray(value)[None] for name, value in missed.items()} | {"step": np.array([20])}
    shown = ViewData(
        variant=crosscoder(source).value, step=None, steps=np.array([20]), artifacts={"sae.births_found": arrays}
    )
    assert draw_births_found(shown).layout.title.subtitle.text.endswith("at the end none is found")


def test_a_trial_is_of_a_trained_crosscoder_of_three_checkpoints(source: BoundVariant) -> None:
    run = crosscoder(source)
    with pytest.raises(BadValue) as told:
        trial(run)
    assert str(told.value) == (
        f"{run.name} is trained for 0 of 20 steps.\n"
        "How sparse and how noisy a trial should be is read off what it found in the end.\n"
        f"Train it:  miscope train {run.name}"
    )
    two = crosscoder(source, step=[0, 2])
    with pytest.raises(BadValue) as told:
        trial(two)
    assert str(told.value) == (
        f"{two.name} is built on 2 checkpoints.\n"
        "A birth among fewer than 3 cannot be told from one that is there throughout.\n"
        "Train one of more:  --step every:100"
    )
    with pytest.raises(BadValue) as told:
        trial(source)
    assert str(told.value) == (
        f"{source.name} is no crosscoder.\n"
        "Births are known, and so can be looked for, of several checkpoints together.\n"
        "Name one:  miscope sae train VARIANT --site SITE --step every:100 --architecture crosscoder"
    )


def test_one_that_was_stopped_half_way_is_not_tried(source: BoundVariant, command: Command) -> None:
    run = crosscoder(source, evaluate_every=1)
    list(run.train(threads=1, should_stop=lambda: True))
    code, out, err = command("sae", "certify", run.name, "-w", source.workspace.root)
    assert (code, out) == (1, "")
    assert err == (
        f"{run.name} is trained for 1 of 20 steps.\n"
        "How sparse and how noisy a trial should be is read off what it found in the end.\n"
        f"Train it:  miscope train {run.name}\n"
    )


@pytest.mark.parametrize(("l0", "fvu"), [(0.0, 1.0), (3.0, float("nan"))])
def test_one_that_found_nothing_is_not_tried(source: BoundVariant, l0: float, fvu: float) -> None:
    run = crosscoder(source)
    store = source.workspace.value.store
    store.save_variant(run.value)
    store.append_metrics(run.name, [(20, "test_l0", l0), (20, "test_fvu", fvu)])
    with pytest.raises(BadValue) as told:
        trial(run)
    assert str(told.value) == (
        f"{run.name} found nothing.\n"
        f"In the end {l0:g} latents are active at an input held out, and {fvu:g} of its variance is unexplained.\n"
        "Train another, with a weaker penalty or a lower learning rate."
    )


def test_what_a_trial_has_less_of_is_said(source: BoundVariant, command: Command) -> None:
    run = crosscoder(source)
    store = source.workspace.value.store
    store.save_variant(run.value)
    store.append_metrics(run.name, [(20, "test_l0", 4.25), (20, "test_fvu", 0.75)])
    code, _, err = command("sae", "certify", run.name, "--dry-run", "-w", source.workspace.root)
    assert code == 0, err
    assert err.splitlines()[:2] == [
        "The trial has 1.5 of 12 features on at an input, an eighth; the crosscoder has 4.25 latents active.",
        "The trial has half of its variance as noise; the crosscoder leaves 75% unexplained.",
    ]
    sizes = TrialSizes(width=8, latents=16, inputs=50_000, l0=1.5, fvu=0.5)
    assert list(sizes.cut()) == ["The trial has 20,000 inputs, the most that are drawn; the crosscoder has 50,000."]
    assert list(replace(sizes, inputs=20_000).cut()) == []


def test_one_line_says_how_many_births_a_crosscoder_finds(source: BoundVariant, command: Command) -> None:
    run, place = crosscoder(source), source.workspace.root
    list(run.train(threads=1))
    code, out, err = command("sae", "certify", run.name, "--dry-run", "-w", place)
    assert code == 0, err
    tried = trial(run)
    assert tried.name in out
    assert tried.name not in open_bound(place).names()
    code, out, err = command("sae", "certify", run.name, "--threads", "1", "-w", place)
    assert code == 0, err
    arrays = tried.arrays("sae.births_found", step=20)
    assert is_trial(tried.value)
    assert not is_trial(source.value)
    rows = [
        ("12 known features", "found", "by chance"),
        (
            "known features that are found (cosine > 0.9)",
            f"{float(arrays['matched']):.3g}",
            f"{float(arrays['matched_by_chance']):.3g}",
        ),
    ]
    for row in rows:
        (line,) = [each for each in out.splitlines() if each.startswith(row[0])]
        assert line.removeprefix(row[0]).split() == " ".join(row[1:]).split()


def by_hand(source: BoundVariant, decoder: np.ndarray, births: np.ndarray, deaths: np.ndarray) -> Snapshot:
    """A crosscoder of (m, T, d) directions whose latents are born and die so."""
    run = crosscoder(source)
    context = run.workspace.value.context(run.value)
    count = decoder.shape[1]
    artifact = {
        "at": np.arange(count),
        "presence": np.ones(decoder.shape[:2]),
        "birth": births,
        "death": deaths,
        "to_last": np.ones(decoder.shape[:2]),
    }
    return Snapshot(
        variant=run.value,
        step=20,
        options=BIRTHS_FOUND.options(),
        probe=Probe(name="none", inputs=torch.zeros(0, 1)),
        weights={"W_dec": torch.from_numpy(decoder).float().flatten(1)},
        artifacts={"sae.births": artifact},
        sources=context.sources,
    )


def known(source: BoundVariant) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(F, T, d) what each feature writes, with births and deaths."""
    truth = np.stack([source.at(step).checkpoint.weights["W_E"].double().numpy() for step in source.steps], axis=1)
    there = np.linalg.norm(truth, axis=2) > 0
    gone = 4 - there[:, ::-1].argmax(axis=1)
    return truth, there.argmax(axis=1).astype(float), np.where(gone < 4, gone, np.nan)


def test_the_features_themselves_are_found_with_their_births(source: BoundVariant) -> None:
    truth, births, deaths = known(source)
    order = np.random.default_rng(0).permutation(12)
    found = births_found(by_hand(source, truth[order], births[order], deaths[order]))
    assert float(found["matched"]) == float(found["births"]) == float(found["deaths"]) == 1
    assert order[found["latent"]].tolist() == list(range(12))
    assert found["birth"].tolist() == found["found_birth"].tolist() == births.tolist()
    # Handed out in any order a birth is right as often as two features drawn at random have the same.
    assert float(found["births_in_any_order"]) == pytest.approx(np.mean(births[:, None] == births))


def test_births_of_others_are_no_more_than_chance(source: BoundVariant) -> None:
    truth, births, deaths = known(source)
    at_once = births_found(by_hand(source, truth, np.zeros(12), np.full(12, np.nan)))
    assert float(at_once["births"]) == float(at_once["births_in_any_order"]) == np.mean(births == 0)
    assert float(at_once["deaths"]) == float(at_once["deaths_in_any_order"]) == np.mean(np.isnan(deaths))
    # Latents that do not turn, which here is said of all, are off by as much as features do.
    assert float(at_once["turning_error"]) == pytest.approx(float(at_once["turning_error_of_none"]))


def test_random_directions_are_no_features(source: BoundVariant) -> None:
    drawn = np.random.default_rng(0).standard_normal((5, 4, 8))
    found = births_found(by_hand(source, drawn, np.zeros(5), np.full(5, np.nan)))
    assert float(found["matched"]) == np.mean(found["cosine"] > 0.9)
    assert float(found["matched"]) < 0.5
    # In three dimensions the share of a sphere within an angle is (1 - cos) / 2.
    assert _near_by_chance(1, 3) == pytest.approx(0.05)
    assert _near_by_chance(4, 3) == pytest.approx(1 - 0.95**4)
    assert _near_by_chance(1, 1) == 0.5
    assert float(found["matched_by_chance"]) == pytest.approx(_near_by_chance(5, 8))
    assert (found["latent"][found["cosine"] <= 0.9] == -1).all()
    assert np.isnan(found["found_birth"][found["latent"] < 0]).all()


def test_it_says_how_many_are_found(source: BoundVariant) -> None:
    truth, births, deaths = known(source)
    found = births_found(by_hand(source, truth, births, deaths)) | {"turning_error": np.array(0.25)}
    seen = ObservedArtifact(arrays=found, first=found, step=20, first_step=20, step_label="step", options=None)
    chance = np.mean(births[:, None] == births)
    (said,) = births_found_observed(seen)
    assert said.text == (
        f"Of 12 known features it finds 100%, of these 100% with their birth ({chance:.0%} by chance) and 100% with "
        "their death; the cosine by which they turn is off by 0.25."
    )
    assert said.value == 1
    none = ObservedArtifact(
        arrays=found | {"matched": np.array(0.0)},
        first=found,
        step=20,
        first_step=20,
        step_label="step",
        options=None,
    )
    assert [each.text for each in births_found_observed(none)] == ["Of 12 known features it finds none."]


BUILT = {
    "variant": "sae.known-births/features48-d24-checkpoints6-present12-turn0.25-die0.15-noise0.02-p0.04-inputs20000"
    "-seed0",
    **{"source_steps": (0, 2, 4), "site": "hook_embed", "latents": "2x", "allow_out_of_range": True},
}


def test_the_instrument_keeps_the_contract_and_its_view_draws() -> None:
    plugins = tables(sae=miscope_sae)
    assert check_analyzer(BIRTHS_FOUND, CrosscoderFamily(), plugins=plugins, params=BUILT) == ()
    for view in VIEWS:
        check_view(view, CrosscoderFamily(), plugins=plugins, params=BUILT)


def test_where_no_features_are_known_it_says_so(tmp_path: Path) -> None:
    place = open_bound(tmp_path / "there", tables(sae=miscope_sae))
    features = place.variant("sae.known-births", features=12, width=8, inputs=300)
    place.value.keep_record(features.value)
    inner = crosscoder(features, step=[0, 1, 2])
    list(inner.train(threads=1))
    outer = crosscoder(inner, site="hook_sae_acts_post")
    context = place.value.context(outer.value)
    with pytest.raises(DoesNotApply, match="has no weight whose rows are known features"):
        births_found(
            Snapshot(
                variant=outer.value,
                step=0,
                options=BIRTHS_FOUND.options(),
                probe=Probe(name="none", inputs=torch.zeros(0, 1)),
                artifacts={"sae.births": {"at": np.array([0, 20])}},
                sources=context.sources,
            )
        )


def interrupted(looked_at: Callable[..., list[Outcome]], *given: Any, **more: Any) -> list[Outcome]:
    """What is done, after Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)
    return looked_at(*given, **more)


def test_a_trial_is_not_meant_where_its_crosscoder_is_named_by_its_family(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = open_bound(tmp_path / "workspace", tables(sae=miscope_sae))
    inner = place.variant("sae.known-features", features=12, width=8, inputs=300)
    place.value.keep_record(inner.value)
    (first,) = miscope_sae.autoencoders(inner, "hook_embed", **{**SHORT, "checkpoints": "every:5"})
    list(first.train(threads=1))
    (shared,) = miscope_sae.autoencoders(first, "hook_sae_acts_pre", step="all", architecture="crosscoder", **SHORT)
    list(shared.train(threads=1))
    words = ("sae", "certify", "sae.crosscoder", "--threads", "1", "-w", place.root)
    with monkeypatch.context() as meanwhile:
        # While it is looked at: the training before has an end of its own.
        looked_at = BoundVariant.analyze
        meanwhile.setattr(BoundVariant, "analyze", lambda *given, **more: interrupted(looked_at, *given, **more))
        code, out, err = command(*words)
    assert (code, out.count("known features")) == (130, 0)
    assert err.splitlines()[-1] == "Stopped; the same command goes on from here."
    for _ in range(2):
        code, out, err = command(*words)
        assert code == 0, err
    assert "known features" in out
    assert len(place.names("sae.crosscoder")) == 2
