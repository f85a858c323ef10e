"""A workspace that miscope-core 0.1.0 wrote, as it lies in data/: it opens, and nothing in it is lost."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from miscope.analysis.analyze import analyze
from miscope.bound import BoundWorkspace, open_bound
from miscope.outcome import Outcome
from miscope.testing import tables

FOURIER = "toy.fourier/v5-seed0-width16"
SGD = "toy.sum/v5-seed1-width16-optsgd-wd0.5-nodecayW_E-batch4"
PAIR = ("toy.sum/v5-seed1-width16", "toy.sum/v5-seed2-width16")
CURVE = "toy.sum/v5-seed7-width16@curve"
DIGESTS = {
    FOURIER: "16cb8b914cad79ee",
    SGD: "37cf50f088491e45",
    PAIR[0]: "d1896c661b98d413",
    PAIR[1]: "c57ee9ab9620ee0a",
    CURVE: "a014fc6e00f86f81",
}
SMALL = {"flatness.perturbation": {"directions": 2}}
RAISED = {
    "flatness.perturbation",
    "connectivity.barriers",
    "gradients.energy",
    "behaviour.metrics",
    "events.grokking",
}
"""Of those looked at here, instruments whose numbers or whose arrays' names are others now: their version is raised."""


@pytest.fixture
def place(tmp_path: Path) -> BoundWorkspace:
    with zipfile.ZipFile(Path(__file__).with_name("data") / "workspace-0.1.0.zip") as stored:
        stored.extractall(tmp_path)
    return open_bound(tmp_path, tables())


def by_state(outcomes: list[Outcome]) -> Mapping[str, set[str]]:
    analyzers: dict[str, set[str]] = {}
    for outcome in outcomes:
        analyzers.setdefault(str(outcome.state), set()).update(outcome.analyzers)
    return analyzers


def test_every_variant_opens_under_its_name_and_digest(place: BoundWorkspace) -> None:
    assert [one.problem for one in place.inventory()] == [""] * 5
    assert {one.name: one.value.digest for one in place.variants()} == DIGESTS
    assert place.variant("toy.fourier").name == FOURIER
    fields = {"weight_decay": 0.5, "optimizer": "sgd", "batch_size": 4, "no_decay": ("W_E",)}
    assert place.variant("toy.sum", seed=1, **fields).value.digest == DIGESTS[SGD]


def test_checkpoints_metrics_and_states_are_what_was_written(place: BoundWorkspace) -> None:
    variant = place.find(FOURIER)
    assert variant.steps == [0, 10, 20]
    assert variant.metric("train_loss")[0].tolist() == list(range(21))
    for step in variant.steps:
        checkpoint = variant.at(step).checkpoint
        assert checkpoint.metrics["train_loss"] == variant.metric("train_loss")[1][step]
        state = place.store.load_training_state(variant.name, step=step)
        assert state is not None
        assert (state.step, state.buffers) == (step, {})
    assert place.find(CURVE).metric("test_loss")[1].tolist() == [3.1, 2.9, 2.0]


def test_artifacts_are_found_and_only_those_of_raised_versions_are_computed_again(place: BoundWorkspace) -> None:
    names = ["parameters.norms", "spectra.embedding", "provenance.settings"]
    for name in (FOURIER, SGD):
        outcomes = list(analyze(place.value, place.find(name).value, [*names, *RAISED], options=SMALL))
        states = by_state(outcomes)
        assert states["present"] == set(names)
        assert states["saved"] == RAISED
        assert set(states) == {"present", "saved"}
        assert place.find(name).arrays("flatness.perturbation", options=SMALL)["loss"].shape == (3,)


def test_what_spans_variants_is_found_too(place: BoundWorkspace) -> None:
    pair = [place.find(name) for name in PAIR]
    states = by_state(
        list(
            analyze(
                place.value,
                [each.value for each in pair],
                ["parameters.joint", "cohort.learning", "connectivity.seeds"],
            )
        )
    )
    # What reads an instrument whose version is raised is computed again with it.
    assert states["saved"] == {"connectivity.seeds", "learning.order", "cohort.learning"}
    assert set(states) == {"saved"}


def test_a_training_goes_on_where_it_was(place: BoundWorkspace, tmp_path: Path) -> None:
    for name, steps in ((FOURIER, 30), (SGD, 24)):
        old = place.find(name)
        for _ in old.train(steps=steps, threads=1):
            pass
        fresh = open_bound(tmp_path / "fresh", tables())
        family, fields = old.value.family, old.value
        training = fields.training.model_dump() if fields.training else {}
        straight = fresh.variant(family, **{**fields.params.model_dump(), **training})
        for _ in straight.train(steps=steps, threads=1):
            pass
        assert straight.name == old.name
        for role, weight in straight.at(steps).checkpoint.weights.items():
            torch.testing.assert_close(old.at(steps).checkpoint.weights[role], weight, rtol=1e-3, atol=1e-4)


def test_the_index_is_built_from_its_files(place: BoundWorkspace) -> None:
    assert dict(place.index.rebuild()) == {}
    rows = place.ask("select variant, count(*) as n from checkpoints group by 1 order by 1").to_pylist()
    assert {row["variant"]: row["n"] for row in rows} == {FOURIER: 3, SGD: 3, PAIR[0]: 2, PAIR[1]: 2}
    loss = place.ask(f"select value from metrics where variant = '{FOURIER}' and name = 'train_loss' and step = 20")
    assert np.isfinite(loss.to_pylist()[0]["value"])
