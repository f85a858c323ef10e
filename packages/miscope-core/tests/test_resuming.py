"""A training goes on from the newest state that is whole, says so where that is not the last, and loses no more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from miscope.bound import BoundVariant, open_bound
from miscope.checkpoint import Checkpoint
from miscope.errors import BadFile, BadValue, MiscopeError
from miscope.testing import tables
from miscope.training.train import Progress

Toy = Callable[..., BoundVariant]


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """toy("name", field=...): an untrained toy variant in a workspace of that name."""
    return lambda where="one", **fields: open_bound(tmp_path / where, tables()).variant(
        "toy.sum", checkpoints="every:10", **fields
    )


def trained(variant: BoundVariant, steps: int) -> list[Progress]:
    return list(variant.train(steps=steps, threads=1))


def file(variant: BoundVariant, step: int) -> Path:
    return variant.workspace.store.layout.checkpoint(variant.name, step)


def state(variant: BoundVariant) -> Path:
    return variant.workspace.store.layout.training_state(variant.name, None)


def flip(path: Path, place: float = 0.9) -> None:
    """Another bit at this part of the file's length."""
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 16
    path.write_bytes(content)


def same(one: BoundVariant, other: BoundVariant, steps: list[int]) -> bool:
    def weights(variant: BoundVariant, step: int) -> Any:
        return variant.at(step).checkpoint.weights

    return all(torch.equal(w, weights(other, step)[role]) for step in steps for role, w in weights(one, step).items())


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("damage", [flip, tear, Path.unlink], ids=["flipped", "torn", "gone"])
def test_without_its_last_checkpoint_a_training_goes_on_from_the_newest_whole_one(toy: Toy, damage: Any):
    variant = toy()
    trained(variant, 30)
    damage(file(variant, 30))
    seen = trained(variant, 40)
    assert (seen[0].step, seen[0].total) == (20, 40)
    assert seen[0].message.endswith(
        " Going on from step 20, the newest that is whole, with a fresh optimizer: "
        "the numbers are not those of an undisturbed training."
    )
    assert str(file(variant, 30)) in seen[0].message or "no checkpoint at step 30" in seen[0].message
    assert variant.steps == [0, 10, 20, 30, 40]
    assert [step for step in variant.steps if variant.at(step).checkpoint.step != step] == []
    assert variant.metric("train_loss")[0].tolist() == list(range(41))
    facts: Any = variant.workspace.store.variant_record(variant.name).facts
    assert facts["resumed"] == {"step": 20, "because": seen[0].message}


def test_where_the_optimizers_state_was_kept_the_numbers_are_those_of_an_undisturbed_training(toy: Toy):
    whole, variant = toy("whole", save_optimizer=True), toy("cut", save_optimizer=True)
    trained(whole, 40)
    trained(variant, 30)
    flip(file(variant, 30))
    flip(file(variant, 20))
    seen = trained(variant, 40)
    assert seen[0].message.endswith(
        " Going on from step 10, the newest that is whole, with the optimizer's state kept there: "
        "the numbers are those of an undisturbed training."
    )
    assert same(whole, variant, [0, 10, 20, 30, 40])


def test_a_damaged_or_lost_state_does_not_begin_again_at_step_0(toy: Toy):
    for damage in (flip, tear, Path.unlink):
        variant = toy(damage.__name__)
        trained(variant, 20)
        damage(state(variant))
        seen = trained(variant, 30)
        assert seen[0].step == 20
        assert "Going on from step 20" in seen[0].message
        assert variant.steps == [0, 10, 20, 30]


def test_a_damaged_step_that_no_schedule_would_keep_is_written_anew(toy: Toy):
    variant = toy()
    trained(variant, 25)
    flip(file(variant, 25))
    trained(variant, 30)
    assert variant.at(25).checkpoint.step == 25


def test_another_variants_checkpoint_or_state_is_not_gone_on_from(toy: Toy):
    variant, other = toy(seed=1), toy(seed=2)
    for each in (variant, other):
        trained(each, 20)
    shutil.copy(file(other, 20), file(variant, 20))
    digests = other.value.digest, variant.value.digest
    with pytest.raises(BadFile) as raised:
        variant.at(20).checkpoint  # noqa: B018
    assert str(raised.value) == (
        f"{file(variant, 20)} cannot be read.\n"
        f"It was saved by another variant: that has digest {digests[0]}, this one {digests[1]}.\n"
        "Move it to the variant that it is of, or delete it."
    )
    assert trained(variant, 20)[0].message.startswith(f"{file(variant, 20)} cannot be read. It was saved by another")
    shutil.copy(state(other), state(variant))
    assert "It was saved by another variant" in trained(variant, 30)[0].message


def test_with_nothing_whole_it_is_refused_and_not_begun_again_unasked(toy: Toy):
    variant = toy()
    trained(variant, 10)
    for step in variant.steps:
        flip(file(variant, step))
    with pytest.raises(BadFile, match="It was damaged since it was written"):
        trained(variant, 20)


def test_a_training_killed_before_its_first_state_begins_again_without_a_word(toy: Toy):
    whole, variant = toy("whole"), toy()
    trained(whole, 10)
    trained(variant, 0)
    state(variant).unlink()
    assert trained(variant, 10)[0].message == ""
    assert same(whole, variant, [0, 10])


def test_a_deleted_record_is_written_again_by_training_and_the_checkpoints_stay(toy: Toy):
    variant = toy()
    trained(variant, 20)
    variant.workspace.store.layout.record(variant.name).unlink()
    again = toy()
    assert trained(again, 30)[-1].step == 30
    assert again.steps == [0, 10, 20, 30]
    assert toy().workspace.find(variant.name).value == again.value


def test_other_interventions_are_refused_where_the_last_checkpoint_is_damaged_too(toy: Toy):
    variant = toy()
    trained(variant, 20)
    record = variant.workspace.store.variant_record(variant.name)
    variant.workspace.store.save_variant(variant.value, **{**record.facts, "interventions": ["gain"]})
    flip(file(variant, 20))
    with pytest.raises(BadValue, match="was trained under other interventions"):
        trained(variant, 30)


def without_checksums(path: Path) -> None:
    """The file as it was written before there were checksums in it."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(path, "pt") as held:
        header = json.loads(held.metadata()["miscope"])
        tensors = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118
    for key in ("checksum", "checksums"):
        del header[key]
    if header["digest"] is None:
        del header["digest"]
    save_file(tensors, path, {"miscope": json.dumps(header, sort_keys=True)})


def test_files_from_before_there_were_checksums_are_gone_on_from(toy: Toy):
    whole, variant = toy("whole"), toy()
    trained(whole, 20)
    trained(variant, 10)
    for path in (file(variant, 0), file(variant, 10), state(variant)):
        without_checksums(path)
    assert trained(variant, 20)[0].message == ""
    assert same(whole, variant, [0, 10, 20])


def test_every_flipped_bit_of_a_checkpoint_or_a_state_is_seen(toy: Toy):
    variant = toy()
    trained(variant, 10)
    store, truth = variant.workspace.store, variant.at(10).checkpoint
    for path, load in (
        (file(variant, 10), lambda: store.load_checkpoint(variant.name, 10)),
        (state(variant), lambda: store.load_training_state(variant.name)),
    ):
        content = path.read_bytes()
        for place in range(0, len(content), max(1, len(content) // 150)):
            flipped = bytearray(content)
            flipped[place] ^= 1 << place % 8
            path.write_bytes(flipped)
            try:
                loaded = load()
            except MiscopeError:
                continue
            # A space between two words of the header may change and mean the same.
            assert isinstance(loaded, Checkpoint), place
            assert loaded.metrics == truth.metrics
            assert all(torch.equal(w, truth.weights[role]) for role, w in loaded.weights.items())
        path.write_bytes(content)
