"""Autoencoders of every position of sequences: which rows there are, what is held out, and what instruments say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import miscope_sae
from miscope import Probe
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue
from miscope.testing import tables, toy_modules
from miscope.testing.toy_sequences import ToySequences
from miscope_sae import autoencoders, imported, remarks
from miscope_sae.exchange.plain_autoencoder import PlainAutoencoder
from miscope_sae.exchange.saelens import save_saelens

SITE, VALUES, LENGTH = "blocks.0.mlp.hook_post", 5, 6
SHORT = {"steps": 20, "k": 2, "latents": "16", "allow_out_of_range": True}


@pytest.fixture
def place(tmp_path: Path) -> BoundWorkspace:
    return open_bound(tmp_path / "workspace", tables(ToySequences(), sae=miscope_sae))


@pytest.fixture
def source(place: BoundWorkspace) -> BoundVariant:
    """25 sequences of 6 tokens."""
    run = place.variant("toy.sequences", values=VALUES, width=12)
    list(run.train(threads=1))
    return run


def probe_of(variant: BoundVariant) -> Probe:
    return variant.workspace.value.context(variant.value).probe()


def trained(variant: BoundVariant) -> BoundVariant:
    list(variant.train(threads=1))
    return variant


def test_there_is_a_row_for_every_position_with_the_columns_of_its_input(source):
    (variant,) = autoencoders(source, SITE, positions="all", **SHORT)
    assert "-positionsall-" in variant.name
    context, shown, weights = (
        source.workspace.value.context(source.value),
        probe_of(source),
        source.at(20).checkpoint.weights,
    )
    everywhere = context.model.run(weights, shown.inputs, [SITE])[SITE]
    found = probe_of(variant)
    assert torch.equal(found.inputs.reshape(everywhere.shape), everywhere)
    assert found.name == "grid-by-position"
    assert (found.grid, dict(found.symmetries)) == ((), {})
    assert found.columns["position"].tolist() == list(range(LENGTH)) * VALUES**2
    assert found.columns["source_input"].tolist() == np.repeat(np.arange(VALUES**2), LENGTH).tolist()
    for name in ("first", "stride", "next"):
        assert found.columns[name].tolist() == np.repeat(shown.columns[name], LENGTH).tolist()
    assert shown.train is not None
    assert found.columns["source_train"].tolist() == np.repeat(shown.train, LENGTH).astype(int).tolist()


def test_inputs_are_held_out_with_all_their_positions_and_they_are_those_of_answers(source):
    (everywhere,), (answers,) = (autoencoders(source, SITE, positions=p, **SHORT) for p in ("all", "answer"))
    by_input, by_answer = probe_of(everywhere).train, probe_of(answers).train
    assert by_input is not None
    assert by_answer is not None
    assert by_input.reshape(-1, LENGTH).tolist() == np.repeat(by_answer[:, None], LENGTH, axis=1).tolist()
    assert 0 < by_answer.sum() < VALUES**2
    task = source.workspace.value.context(everywhere.value).task
    assert task is not None
    assert len(task.train.inputs) == LENGTH * by_answer.sum()
    # Each position sees its token and the one before, as others of an input of the same stride do.
    held, seen = probe_of(everywhere).inputs[~torch.from_numpy(by_input)], task.train.inputs
    apart = (held.double()[:, None] - seen.double()).norm(dim=-1)
    copies = int((apart < 1e-5).any(1).sum())
    assert copies > 0
    assert [remark.message for remark in remarks(everywhere) if remark.field == "positions"] == [
        f"{copies} of {len(held)} rows held out are the same as rows trained on, of other inputs: "
        "these do not tell how new rows fare."
    ]
    assert not [remark for remark in remarks(answers) if remark.field == "positions"]


def test_positions_that_do_not_count_are_left_out_where_the_probe_says_so(place, tmp_path):
    counted = np.ones((25, 2), dtype=bool)
    counted[::3, 0] = False
    model = toy_modules.seeded(0, toy_modules.Recurrent)
    with place.record("own", model, probe=toy_modules.pairs(counted=counted)) as recorder:
        recorder.checkpoint(0, model)
    again = probe_of(open_bound(place.root, place.plugins).find("own")).counted
    assert again is not None
    assert again.tolist() == counted.tolist()
    (variant,) = autoencoders(place.find("own"), "embed", positions="all", **SHORT)
    found = probe_of(variant)
    where = list(zip(found.columns["source_input"].tolist(), found.columns["position"].tolist(), strict=True))
    assert where == [(row, at) for row in range(25) for at in range(2) if counted[row, at]]
    embedded = model.embed(toy_modules.PAIRS).detach()
    assert torch.equal(found.inputs, embedded[torch.from_numpy(counted)])
    with pytest.raises(BadValue) as refused, place.record("other", model, probe=toy_modules.pairs(counted=counted[:9])):
        pass
    assert str(refused.value) == (
        "The counted of the probe 'pairs' does not fit.\n"
        "It is of the shape (9, 2); for 25 inputs it has a row of positions each.\n"
        "Change it and give it again; nothing was written."
    )


def test_what_has_one_position_is_refused(place):
    known = place.variant("sae.known-features", features=12, width=8, inputs=120)
    place.value.keep_record(known.value)
    (variant,) = autoencoders(known, "hook_embed", positions="all", **SHORT)
    with pytest.raises(BadValue) as refused:
        list(variant.train(threads=1))
    assert str(refused.value) == (
        f"hook_embed of {known.name} at step 0 has one position.\n"
        "All positions of an input are then that of its answer.\nLeave positions out."
    )


def test_instruments_look_at_all_rows_or_say_why_not(source):
    variant = trained(autoencoders(source, SITE, positions="all", **SHORT)[0])
    names = ("sae.reconstruction", "sae.latents", "sae.spliced", "sae.effects", "sae.purity")
    errors = {
        name: one.error
        for one in variant.analyze(*names, steps=variant.steps[-1:])
        for name in one.analyzers
        if one.error
    }
    one_replaced = "it is of all positions of an input, and the activation of one is replaced, the answer's"
    assert {name: error.partition(": ")[2] for name, error in errors.items()} == {
        "sae.spliced": one_replaced,
        "sae.effects": one_replaced,
        "sae.purity": "it needs a probe that enumerates 2 factors, and 'grid-by-position' has 0",
    }
    context, shown = source.workspace.value.context(variant.value), probe_of(variant)
    active = context.model.answers(variant.at("last").checkpoint.weights, shown.inputs, ["hook_sae_acts_post"])
    fires = (active["hook_sae_acts_post"] > 0).numpy()
    arrays = variant.arrays("sae.latents", variant.steps[-1])
    assert arrays["density"] == pytest.approx(fires.mean(0))
    by_input = fires.reshape(VALUES**2, LENGTH, -1).any(1)
    assert shown.train is not None
    inside = by_input[shown.train.reshape(-1, LENGTH)[:, 0]].sum(0)
    there = by_input.any(0)
    assert arrays["train_share"][there] == pytest.approx((inside / np.maximum(by_input.sum(0), 1))[there])


def test_a_latent_is_named_by_the_inputs_and_the_places_where_it_is_most_active(source):
    variant = trained(autoencoders(source, SITE, positions="all", **SHORT)[0])
    list(variant.analyze("sae.latents", steps=variant.steps[-1:]))
    top = variant.arrays("sae.latents", variant.steps[-1])["top"]
    strongest = next(rows for rows in top if rows[0] >= 0)[0]
    drawn = str(variant.view("sae.ranked").figure().to_plotly_json())
    assert f"inputs {strongest // LENGTH} at {strongest % LENGTH}" in drawn


def test_rows_as_many_as_inputs_are_no_answers(place):
    counted = np.zeros((25, 2), dtype=bool)
    counted[:, 0] = True
    model = toy_modules.seeded(0, toy_modules.Recurrent)
    with place.record("own", model, probe=toy_modules.pairs(counted=counted)) as recorder:
        recorder.checkpoint(0, model)
    variant = trained(autoencoders(place.find("own"), "embed", positions="all", **SHORT)[0])
    assert len(probe_of(variant).inputs) == 25
    (spliced,) = variant.analyze("sae.spliced", steps=variant.steps[-1:])
    assert "it is of all positions of an input" in spliced.error
    # One that is built on its latents has a row for each of its rows.
    (upon,) = autoencoders(variant, "hook_sae_acts_post", **SHORT)
    columns = probe_of(upon).columns
    assert "source_input" not in columns
    assert columns["source_source_input"].tolist() == list(range(25))


def test_a_crosscoder_of_all_positions_is_told_what_its_source_could_do_by_inputs(source):
    fields = {name: value for name, value in SHORT.items() if name != "k"}
    everywhere, answers = (
        trained(autoencoders(source, SITE, step=[0, 20], architecture="crosscoder", positions=p, **fields)[0])
        for p in ("all", "answer")
    )
    for one in (everywhere, answers):
        assert not [each.error for each in one.analyze("sae.source_learning", "sae.births") if each.error]
    told, expected = (one.arrays("sae.source_learning") for one in (everywhere, answers))
    assert {name: values.tolist() for name, values in told.items()} == {n: v.tolist() for n, v in expected.items()}


def test_an_autoencoder_from_elsewhere_is_looked_at_at_every_position(source, tmp_path):
    drawn = torch.randn(12, 16, generator=torch.Generator().manual_seed(1))
    tensors = {"W_enc": drawn, "b_enc": torch.zeros(16), "W_dec": drawn.T, "b_dec": torch.zeros(12)}
    coder = PlainAutoencoder(architecture="standard", tensors=tensors, apply_b_dec_to_input=True)
    save_saelens(coder, tmp_path / "files", rows=torch.eye(12))
    variant = imported(source, tmp_path / "files", site=SITE, positions="all")
    assert len(probe_of(variant).inputs) == VALUES**2 * LENGTH
