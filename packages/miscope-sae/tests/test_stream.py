"""Autoencoders trained on inputs that their source draws anew for each update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import miscope_sae
from miscope import Probe, Task, Variant
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue
from miscope.sampling import seed_of_draw
from miscope.store.activation_cache import ActivationCache
from miscope.testing import check_family, tables
from miscope.testing.toy_sequences import ToySequences
from miscope_sae import autoencoders, remarks
from miscope_sae.autoencoder_model import AutoencoderModel

Few = Callable[..., BoundVariant]
SITE, VALUES, LENGTH = "blocks.0.mlp.hook_post", 5, 6
SHORT: dict[str, Any] = {"steps": 20, "k": 2, "latents": "16", "batch_size": 64, "allow_out_of_range": True}
USUAL: dict[str, Any] = {"steps": 1000, "batch_size": 2000, "latents": 250}
BIRTHS: dict[str, Any] = {"features": 12, "width": 8, "inputs": 200, "checkpoints": 4}


class DrawnSequences(ToySequences):  # pyright: ignore - final for those who build on it
    """The toy language, which draws a first token and a stride."""

    name = "toy.drawn-sequences"
    title = "Toy: sequences that are drawn"

    def sampled(self, variant: Variant, seed: int, step: int, count: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed_of_draw(seed, step))
        first, stride = torch.randint(VALUES, (2, count, 1), generator=generator)
        return (first + stride * torch.arange(LENGTH)) % VALUES


class Padded(DrawnSequences):
    """The first tokens of some of its sequences do not count."""

    name = "toy.padded-sequences"

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        (probe,) = super().probes(variant).values()
        counted = np.ones((len(probe.inputs), LENGTH), dtype=bool)
        counted[::3, :2] = False
        return {probe.name: replace(probe, counted=counted)}


class Begun(DrawnSequences):
    """The first two tokens, which say how to go on, count nowhere."""

    name = "toy.begun-sequences"

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        (probe,) = super().probes(variant).values()
        counted = np.tile(np.arange(LENGTH) > 1, (len(probe.inputs), 1))
        return {probe.name: replace(probe, counted=counted)}


def place_at(root: Path) -> BoundWorkspace:
    return open_bound(root, tables(ToySequences(), DrawnSequences(), Padded(), Begun(), sae=miscope_sae))


def sequences(root: Path, family: str = "toy.drawn-sequences") -> BoundVariant:
    """25 sequences of 6 tokens."""
    run = place_at(root).variant(family, values=VALUES, width=12)
    list(run.train(threads=1))
    return run


def births(root: Path) -> BoundVariant:
    source = place_at(root).variant("sae.known-births", **BIRTHS)
    source.workspace.value.keep_record(source.value)
    return source


def task_of(variant: BoundVariant) -> Task:
    """As a process that begins now has it."""
    again = open_bound(variant.workspace.root, variant.workspace.plugins)
    task = again.value.context(variant.value).task
    assert task is not None
    return task


def rows_at(variant: BoundVariant, step: int, count: int = 64) -> Tensor:
    stream = task_of(variant).stream
    assert stream is not None
    return stream.of_update(step, count).inputs


def sampled(source: BoundVariant, step: int, count: int = 64, seed: int = 0) -> Tensor:
    found = source.workspace.value.context(source.value).family.sampled(source.value, seed, step, count)
    assert found is not None
    return found


def test_the_batch_of_a_step_is_the_same_in_another_process_and_another_at_the_next_step(few: Few) -> None:
    variant = few("sae.topk", k=2, data="stream")
    assert torch.equal(rows_at(variant, 5), rows_at(variant, 5))
    assert not torch.equal(rows_at(variant, 5), rows_at(variant, 6))
    other = few("sae.topk", k=2, data="stream", seed=1)
    assert not torch.equal(rows_at(variant, 5), rows_at(other, 5))


def test_what_is_trained_on_are_activations_of_what_the_source_draws(few: Few) -> None:
    """Of a transcoder at both sites."""
    plain, across = few("sae.topk", k=2, data="stream"), few("sae.transcoder", target_site="hook_out", data="stream")
    source = plain.workspace.find(plain.value.params.variant)
    weights, features = source.at(0).checkpoint.weights, sampled(source, 5)
    read, written = features @ weights["W_E"], features @ weights["W_out"] + 0.3
    torch.testing.assert_close(rows_at(plain, 5), read)
    torch.testing.assert_close(rows_at(across, 5), torch.cat([read, written], dim=1))


def test_inputs_are_scaled_by_the_probes_number_and_measured_on_the_rows_held_out_of_it(few: Few) -> None:
    drawn, plain = few("sae.topk", k=2, data="stream"), few("sae.topk", k=2)
    assert torch.equal(task_of(drawn).test.inputs, task_of(plain).test.inputs)
    models = [each.workspace.value.context(each.value).model for each in (drawn, plain)]
    assert all(isinstance(model, AutoencoderModel) for model in models)
    assert models[0].scales == models[1].scales  # pyright: ignore
    list(drawn.train(threads=1))
    context = drawn.workspace.value.context(drawn.value)
    assert context.probe().train is None, "of the probe nothing is trained on"
    assert task_of(plain).stream is None


def test_it_reconstructs_what_is_held_out_and_instruments_know_of_no_part_that_it_was_trained_on(few: Few) -> None:
    variant = few("sae.topk", k=2, data="stream", steps=200, learning_rate=1e-2)
    list(variant.train(threads=1))
    fvu = variant.metric("test_fvu")[1]
    assert fvu[-1] < 0.5 * fvu[0]
    last = variant.steps[-1]
    assert [one.error for one in variant.analyze("sae.reconstruction", steps=[last]) if one.error] == []
    arrays = variant.arrays("sae.reconstruction", last)
    assert {name.partition("/")[0] for name in arrays if name.endswith("/fvu")} == {"all"}


def test_nothing_that_is_drawn_is_among_the_inputs_of_the_probe(tmp_path: Path) -> None:
    """The noise of each is its own."""
    source = births(tmp_path)
    (variant,) = autoencoders(source, "hook_embed", step=3, data="stream", **SHORT)
    there = {row.tobytes() for row in variant.workspace.value.context(variant.value).probe().inputs.numpy()}
    stream = task_of(variant).stream
    assert stream is not None
    drawn = [row.tobytes() for step in range(30) for row in stream.of_update(step, 64).inputs.numpy()]
    assert not there & set(drawn)
    assert len(set(drawn)) == len(drawn) == 30 * 64
    assert "data" not in {remark.field for remark in remarks(variant) if remark.severity == "warning"}


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_crosscoder_sees_one_and_the_same_inputs_at_all_checkpoints(shuffled: bool, tmp_path: Path) -> None:
    source = births(tmp_path)
    fields = {name: value for name, value in SHORT.items() if name != "k"}
    (variant,) = autoencoders(
        source, "hook_embed", step="all", architecture="crosscoder", data="stream", shuffled=shuffled, **fields
    )
    inputs, model = sampled(source, 7), source.workspace.value.context(source.value).model
    each = [
        model.answers(source.at(step).checkpoint.weights, inputs, ["hook_embed"])["hook_embed"] for step in range(4)
    ]
    expected, found = torch.stack(each, dim=1), rows_at(variant, 7).unflatten(1, (4, 8))
    # Which checkpoint each block of a row is of; any order where they are shuffled, and not the same in all rows.
    apart = (found[:, :, None] - expected[:, None]).norm(dim=3)
    order = apart.argmin(dim=2)
    assert float(apart.min(dim=2).values.max()) < 1e-5
    assert order.sort(dim=1).values.tolist() == [[0, 1, 2, 3]] * 64
    assert (len(order.unique(dim=0)) > 1) == shuffled
    assert (order.tolist() == [[0, 1, 2, 3]] * 64) != shuffled


def test_of_all_positions_a_batch_has_so_many_rows_of_as_few_whole_inputs(tmp_path: Path) -> None:
    source = sequences(tmp_path)
    (variant,) = autoencoders(source, SITE, positions="all", data="stream", **SHORT)
    context, weights = source.workspace.value.context(source.value), source.at("last").checkpoint.weights
    # 64 rows are of eleven inputs of six positions; two rows are left out, wherever they stand.
    everywhere = context.model.run(weights, sampled(source, 5, 11), [SITE])[SITE].flatten(0, 1)
    found, place = rows_at(variant, 5), 0
    assert len(found) == 64
    for row in found:
        place += int((everywhere[place:] == row).all(1).nonzero()[0]) + 1
    assert len(rows_at(variant, 5, 4)) == 4, "a part of one input"


def test_positions_that_never_count_are_no_rows_and_where_nobody_knows_it_is_refused(tmp_path: Path) -> None:
    begun = sequences(tmp_path / "begun", "toy.begun-sequences")
    (variant,) = autoencoders(begun, SITE, positions="all", data="stream", **SHORT)
    context, weights = begun.workspace.value.context(begun.value), begun.at("last").checkpoint.weights
    everywhere = context.model.run(weights, sampled(begun, 5, 16), [SITE])[SITE]
    assert torch.equal(rows_at(variant, 5), everywhere[:, 2:].flatten(0, 1))
    padded = sequences(tmp_path / "padded", "toy.padded-sequences")
    (variant,) = autoencoders(padded, SITE, positions="all", data="stream", **SHORT)
    with pytest.raises(BadValue) as refused:
        list(variant.train(threads=1))
    assert str(refused.value) == (
        "Which positions count is not the same at all inputs of the probe 'grid'.\n"
        "Of inputs that are drawn anew nobody knows.\nLeave data or positions out."
    )
    assert len(variant.steps) == 0


def test_a_source_that_draws_no_inputs_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    source = sequences(tmp_path, "toy.sequences")
    expected = (
        f"{source.name} draws no inputs anew, and data=stream asks for them.\n"
        "All that its family shows it are the 25 inputs of its probe 'grid'.\n"
        "Leave data out: an autoencoder is then trained on these."
    )
    with pytest.raises(BadValue) as refused:
        autoencoders(source, SITE, data="stream", **SHORT)
    assert (str(refused.value), refused.value.field) == (expected, "data")
    named = {"variant": source.name, "site": SITE, "step": 20}
    variant = source.workspace.variant("sae.topk", data="stream", **named, **SHORT)
    for asked in (lambda: list(variant.train(threads=1)), lambda: remarks(variant)):
        with pytest.raises(BadValue) as refused:
            asked()
        assert str(refused.value) == expected
    assert source.workspace.value.store.variants() == [source.name]


def test_the_default_changes_neither_name_nor_digest(few: Few) -> None:
    plain, said, drawn = few("sae.topk", k=2), few("sae.topk", k=2, data="probe"), few("sae.topk", k=2, data="stream")
    assert "data" not in plain.value.params.model_dump()
    assert (plain.name, plain.value.digest) == (said.name, said.value.digest)
    assert "data" not in plain.name
    assert drawn.name == plain.name.replace("-seed0-", "-seed0-datastream-", 1)
    assert drawn.value.digest != plain.value.digest


def test_there_are_latents_enough_for_inputs_without_end(tmp_path: Path) -> None:
    source = births(tmp_path)
    plain, drawn = (
        autoencoders(source, "hook_embed", step=3, data=data, steps=1000)[0].value.params.latents
        for data in ("probe", "stream")
    )
    assert (plain, drawn) == ("4x", "8x")


def test_what_is_drawn_is_not_kept_on_disk(few: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def of(self: ActivationCache, given: Any) -> Tensor:
        asked.append(len(given.inputs))
        return given.computed()

    monkeypatch.setattr(ActivationCache, "of", of)
    list(few("sae.topk", k=2, data="stream", steps=3, batch_size=77).train(threads=1))
    assert 500 in asked
    assert 77 not in asked


def test_what_is_said_beforehand_is_of_a_stream(few: Few) -> None:
    variant = few("sae.topk", k=2, data="stream", **USUAL)
    source = variant.workspace.find(variant.value.params.variant)
    there = {row.tobytes() for row in source.workspace.value.context(source.value).probe().inputs.numpy()}
    again = sum(row.tobytes() in there for row in sampled(source, 0, 1024).numpy())
    assert again == int((sampled(source, 0, 1024) == 0).all(1).sum()), "inputs without a feature"
    found = [(remark.severity, remark.field, remark.message) for remark in remarks(variant)]
    told = {field: message for severity, field, message in found if severity == "info"}
    # 12 features in 8 numbers, and in 6.
    assert told["data"] == (
        "each update runs the source, of 168 weights, on 2,000 inputs drawn anew: that is part of its time, "
        "and none of them is kept."
    )
    assert told["batch_size"] == (
        "2,000 drawn anew an update, 2,000,000 in 1,000 updates; measured are the 50 of 500 of the probe that are "
        "held out."
    )
    assert [each for each in found if each[0] == "warning"] == [
        (
            "warning",
            "data",
            f"{again} of 1,024 drawn inputs are among those of the probe, on which it is measured: "
            "these are not new to it.",
        )
    ]
    # With the probe alone there were too few inputs for as many latents.
    of_probe = remarks(few("sae.topk", k=2, **USUAL))
    assert {remark.field for remark in of_probe if remark.severity == "warning"} == {"latents"}


def test_fewer_latents_than_usual_are_told_where_inputs_have_no_end(few: Few) -> None:
    with pytest.raises(BadValue, match="refuses latents=15: it is outside 16 to 256"):
        few("sae.topk", k=2, data="stream", **{**USUAL, "latents": 15, "allow_out_of_range": False}).train()


@pytest.mark.parametrize("family", ["sae.topk", "sae.crosscoder"])
def test_an_autoencoder_on_a_stream_keeps_the_contract(family: str, tmp_path: Path) -> None:
    source = births(tmp_path)
    at: dict[str, Any] = {"step": 2} if family == "sae.topk" else {"source_steps": (0, 2)}
    params = {"variant": source.name, "site": "hook_embed", "latents": "2x", "data": "stream", **at}
    variant = source.workspace.value.variant(family, **params)
    check_family(source.workspace.value.context(variant).family, params)
