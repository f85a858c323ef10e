"""Variants that are built on others: what they are given, what their identity is, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue, UnknownName
from miscope.model import by_position
from miscope.testing import check_family, tables
from miscope.testing.toy_autoencoder import DEAD_AFTER, POST, RESAMPLED_EVERY, ToyAutoencoder
from miscope.testing.toy_sequences import ToySequences

PARENT = "toy.sum"


def place(root: Path) -> BoundWorkspace:
    return open_bound(root, tables(ToyAutoencoder()))


def trained(variant: BoundVariant, **session: Any) -> BoundVariant:
    for _ in variant.train(threads=1, **session):
        pass
    return variant


@pytest.fixture
def parent(tmp_path: Path) -> BoundVariant:
    return trained(place(tmp_path).variant(PARENT))


@pytest.fixture
def child(parent: BoundVariant) -> BoundVariant:
    return parent.workspace.variant("toy.autoencoder", variant=parent.name)


def test_an_autoencoder_keeps_the_contract_of_a_family(child: BoundVariant) -> None:
    family = child.workspace.value.context(child.value).family
    check_family(family, {"variant": child.value.params.model_dump()["variant"]})


def test_a_child_is_trained_on_the_activations_of_another_variant(parent: BoundVariant, child: BoundVariant) -> None:
    task = child.workspace.value.context(child.value).task
    assert task is not None
    context = parent.workspace.value.context(parent.value)
    site = "blocks.0.mlp.hook_post"
    weights = parent.at(30).checkpoint.weights
    seen = context.model.answers(weights, context.probe().inputs, [site])[site]
    known = {row.numpy().tobytes() for row in seen}
    assert task.train.labels is None
    shown = {row.numpy().tobytes() for part in (task.train, task.test) for row in part.inputs}
    assert shown == known


def test_its_reconstructions_become_better_and_its_decoder_keeps_its_shape(child: BoundVariant) -> None:
    trained(child, steps=200)
    values = child.metric("train_reconstruction")[1]
    assert values[-1] < 0.3 * values[0]
    assert set(child.metrics()) == {
        f"{part}_{name}" for part in ("train", "test") for name in ("loss", "total", "reconstruction", "sparsity", "l0")
    }
    for step in child.steps[1:]:
        weights = child.at(step).checkpoint.weights
        assert weights["W_dec"].norm(dim=1).numpy() == pytest.approx(1.0, abs=1e-5)
        assert float(weights["b_enc"].max()) <= 1.0


def test_dead_latents_are_drawn_anew_at_planned_steps_and_the_optimizer_forgets_them(child: BoundVariant) -> None:
    trained(child, steps=RESAMPLED_EVERY - 1)
    state = child.workspace.store.load_training_state(child.name)
    assert state is not None
    dead = state.buffers["idle"] >= DEAD_AFTER - 1
    assert dead.any()
    trained(child, steps=RESAMPLED_EVERY)
    after = child.workspace.store.load_training_state(child.name)
    assert after is not None
    drawn = after.buffers["idle"] == 0
    forgotten = (after.optimizer_state["W_dec"]["exp_avg"] == 0).all(1)
    assert forgotten.any()
    assert (drawn | ~forgotten).all()
    assert not (after.optimizer_state["W_dec"]["exp_avg"] == 0).all()
    assert after.buffers["idle"].dtype == torch.int64


def test_a_parents_identity_is_part_of_its_childs(parent: BoundVariant, child: BoundVariant) -> None:
    assert child.value.parents == (parent.value.digest,)
    other = trained(parent.workspace.variant(PARENT, seed=1))
    assert parent.workspace.variant("toy.autoencoder", variant=other.name).value.digest != child.value.digest
    trained(child)
    reopened = place(parent.workspace.root).find(child.name)
    assert reopened.value.digest == child.value.digest
    (recorded,) = child.workspace.store.variant_record(child.name).facts["sources"].items()  # type: ignore[attr-defined]
    assert recorded[0] == f"blocks.0.mlp.hook_post of {parent.name} at step 30"


def test_instruments_look_at_every_checkpoint_of_an_autoencoder(child: BoundVariant) -> None:
    trained(child)
    names = ("parameters.norms", "dimensions.activations", "gradients.energy", "flatness.perturbation")
    outcomes = [*child.analyze(*names)]
    assert {str(one.state) for one in outcomes} <= {"saved", "skipped"}, [one.error for one in outcomes]
    assert "W_dec/energy" in child.arrays("gradients.energy", 40)
    flat = child.arrays("flatness.perturbation", 40)
    assert "accuracy" not in flat
    series = dict(zip(*child.metric("train_total"), strict=True))
    assert float(flat["loss"]) == pytest.approx(series[40], rel=1e-4)


def refused(build: Any) -> str:
    with pytest.raises(BadValue) as error:
        build()
    return str(error.value)


def test_a_parent_that_is_not_there_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    workspace = place(tmp_path)
    told = refused(lambda: workspace.variant("toy.autoencoder", variant="toy.sum/v5-seed7-width16"))
    assert told == (
        "toy.autoencoder is built on toy.sum/v5-seed7-width16, which is not in this workspace.\n"
        f"{tmp_path} holds 0 variants.\n"
        "Train or import it first, or name another."
    )
    assert not any(tmp_path.iterdir())


def test_a_parent_that_went_is_told_by_its_child(parent: BoundVariant, child: BoundVariant) -> None:
    trained(child)
    shutil.rmtree(parent.workspace.store.layout.variant(parent.name))
    again = place(parent.workspace.root).find(child.name)
    assert again.steps == child.steps
    told = refused(lambda: trained(again, steps=50))
    assert told.splitlines()[0] == f"{child.name} is built on {parent.name}, which is not in this workspace."


def test_a_parent_that_is_another_now_is_told_by_its_child(parent: BoundVariant, child: BoundVariant) -> None:
    trained(child)
    folder = parent.workspace.store.layout.variant(parent.name)
    other = trained(parent.workspace.variant(PARENT, seed=1))
    record = parent.workspace.store.layout.record(other.name)
    (folder / "variant.json").write_bytes(record.read_bytes())
    told = refused(lambda: trained(place(parent.workspace.root).find(child.name), steps=50)).splitlines()
    assert told[0] == f"{child.name} is built on {parent.name}, which is another variant now."
    assert told[1] == f"It had digest {parent.value.digest}, and has {other.value.digest}."


def test_a_step_that_the_parent_has_not_reached_is_told_with_those_it_has(parent: BoundVariant) -> None:
    child = parent.workspace.variant("toy.autoencoder", variant=parent.name, step=31)
    assert refused(lambda: trained(child)) == (
        f"{child.name} is built on step 31 of {parent.name}, which has no checkpoint there.\n"
        "It has 0, 10, 20, 30.\n"
        "Name a step that is."
    )


def test_a_parent_that_is_still_being_trained_is_named_with_who_trains_it(parent: BoundVariant) -> None:
    import os

    child = parent.workspace.variant("toy.autoencoder", variant=parent.name, step=35)
    training = parent.train(threads=1, steps=10**6)
    next(training)
    told = refused(lambda: trained(child)).splitlines()
    assert told[1].startswith("It has 0, 10, 20, 30, ")
    assert told[1].endswith(f", and is still being trained by process {os.getpid()}.")
    assert told[2] == "Wait until it is there; or name a step that is."
    training.close()  # type: ignore[attr-defined]


def test_a_checkpoint_that_was_changed_since_is_told_by_its_child(parent: BoundVariant, child: BoundVariant) -> None:
    trained(child)
    store = parent.workspace.store
    checkpoint = parent.at(30).checkpoint
    checkpoint.weights["W_E"][0, 0] += 1
    store.save_checkpoint(parent.name, checkpoint)
    told = refused(lambda: trained(place(store.root).find(child.name), steps=50)).splitlines()
    assert told[0] == f"{child.name} is built on step 30 of {parent.name}, and that checkpoint was changed since."
    again = f"miscope train {child.name} --as NAME --workspace {store.root}"
    assert told[2] == f"Put back the file it was; or begin again under a name of its own:  {again}"


def test_a_site_that_the_parent_has_not_is_told_with_those_it_has(parent: BoundVariant) -> None:
    child = parent.workspace.variant("toy.autoencoder", variant=parent.name, site="blocks.0.mlp.hook_pots")
    with pytest.raises(UnknownName) as error:
        trained(child)
    assert str(error.value).splitlines()[:2] == [
        "There is no site named 'blocks.0.mlp.hook_pots'.",
        "Did you mean 'blocks.0.mlp.hook_post'?",
    ]


def test_a_model_without_logits_calls_its_output_by_its_own_name(child: BoundVariant) -> None:
    model = child.workspace.value.context(child.value).model
    assert "logits" not in model.sites
    assert {POST, "hook_sae_recons"} <= model.sites


def test_a_source_gives_every_position(tmp_path: Path) -> None:
    place = open_bound(tmp_path, tables(ToyAutoencoder(), ToySequences()))
    run = trained(place.variant("toy.sequences"))
    child = place.variant("toy.autoencoder", variant=run.name, step=20)
    (source,) = place.value.context(child.value).sources
    context = place.value.context(run.value)
    site = "blocks.0.mlp.hook_post"
    seen = context.model.run(run.at(20).checkpoint.weights, context.probe().inputs, [site])[site]
    assert seen.shape[:2] == context.probe().inputs.shape
    assert torch.equal(source.activations(positions="all"), seen)
    assert torch.equal(source.activations(), seen[:, -1])


def test_positions_of_attention_are_those_of_the_query() -> None:
    pattern = torch.arange(2 * 3 * 4 * 4).reshape(2, 3, 4, 4)
    assert torch.equal(by_position("blocks.0.attn.hook_pattern", pattern)[1, 3, 2], pattern[1, 2, 3])
