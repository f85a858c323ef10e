"""One bad folder is listed with its reason and disables nothing else; none shows another variant's numbers."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.checkpoint import Checkpoint
from miscope.errors import BadFile, BadValue, MiscopeError, Misplaced
from miscope.store.record_file import sealed
from miscope.testing import tables


@pytest.fixture
def place(tmp_path: Path) -> BoundWorkspace:
    return open_bound(tmp_path / "workspace", tables())


def stored(place: BoundWorkspace, **fields: object) -> BoundVariant:
    variant = place.variant("toy.sum", **fields)
    place.store.save_variant(variant.value)
    place.store.save_checkpoint(variant.name, Checkpoint(step=1, weights={"W_E": torch.zeros(1)}))
    return variant


def folder(variant: BoundVariant) -> Path:
    return variant.workspace.store.layout.variant(variant.name)


def problem(place: BoundWorkspace, name: str) -> str:
    (entry,) = (one for one in place.inventory() if one.name == name)
    assert entry.variant is None
    return entry.problem


def break_text(good: Path, slug: str) -> None:
    (good.with_name(slug)).mkdir()
    (good.with_name(slug) / "variant.json").write_text("{")


def break_params(good: Path, slug: str) -> None:
    record = json.loads((good / "variant.json").read_text())
    (good.with_name(slug)).mkdir()
    (good.with_name(slug) / "variant.json").write_text(json.dumps({**record, "params": [1, 2]}))


def lose_record(good: Path, slug: str) -> None:
    shutil.copytree(good, good.with_name(slug))
    (good.with_name(slug) / "variant.json").unlink()


def copy(good: Path, slug: str) -> None:
    shutil.copytree(good, good.with_name(slug))


def make_a_pipe(good: Path, slug: str) -> None:
    (good.with_name(slug)).mkdir()
    os.mkfifo(good.with_name(slug) / "variant.json")


REASONS = [
    (copy, "v5-seed9 (copy)", "A slug cannot be called 'v5-seed9 (copy)'. It becomes part of a path: "),
    (copy, "v5-seed9\n\x1b[31m", "A slug cannot be called 'v5-seed9\\\\n\\\\x1b[31m'. It becomes part of a path: "),
    (copy, os.fsdecode(b"v5-\xff"), "A slug cannot be called 'v5-\\\\udcff'. It becomes part of a path: "),
    (copy, "v5-seed9-width16", "toy.sum/v5-seed9-width16 is not the variant that lies in its folder: that is toy.sum/"),
    (break_text, "v5-seed9-width16", "{} cannot be read. It is no variant record: JSONDecodeError: "),
    (break_params, "v5-seed9-width16", "{} cannot be read. It is no variant record: 'params' is a list. "),
    (make_a_pipe, "v5-seed9-width16", "{} cannot be read. It is no ordinary file. "),
    (lose_record, "v5-seed9-width16", "{} cannot be read. It is not there, though checkpoints are. Restore it from"),
]


@pytest.mark.parametrize(("damage", "slug", "reason"), REASONS)
def test_a_bad_folder_is_listed_with_its_reason_and_disables_nothing(
    place: BoundWorkspace, command, damage: Callable[[Path, str], None], slug: str, reason: str
):
    good = stored(place)
    damage(folder(good), slug)
    (name,) = set(place.names()) - {good.name}
    expected = reason.format(place.store.layout.variants / "toy.sum" / slug / "variant.json")
    assert problem(place, name).startswith(expected)
    assert [variant.name for variant in place.variants()] == [good.name]
    with pytest.raises(MiscopeError):
        place.find(name)
    code, out, err = command("variants", "-w", place.root, "--json")
    assert (code, err) == (0, "")
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows[good.name]["checkpoints"] == 1
    assert rows[name]["checkpoints"] == int(damage is lose_record)
    assert set(rows) == {good.name, name}


def test_the_table_of_variants_ends_with_those_that_cannot_be_opened(place: BoundWorkspace, command):
    good = stored(place)
    break_params(folder(good), "v5-seed9-width16")
    code, out, _ = command("variants", "-w", place.root)
    assert code == 0
    where = place.store.layout.record("toy.sum/v5-seed9-width16")
    assert out.endswith(
        "\nCannot be opened: toy.sum/v5-seed9-width16\n"
        f"  {where} cannot be read. It is no variant record: 'params' is a list. "
        "Restore it from a copy; or delete it and train the variant again: its checkpoints stay.\n"
    )


def test_a_variant_of_a_family_not_installed_is_listed_with_its_parameters(place: BoundWorkspace, command):
    good = stored(place)
    record = json.loads((folder(good) / "variant.json").read_text())
    alien = place.store.layout.variants / "alien.net" / "a1"
    alien.mkdir(parents=True)
    (alien / "variant.json").write_bytes(sealed({**record, "name": "alien.net/a1", "family": "alien.net"}))
    code, out, _ = command("variants", "alien.net", "-w", place.root, "--json")
    (row,) = json.loads(out)
    assert (code, row["name"], row["params"]) == (0, "alien.net/a1", {"values": 5, "seed": 0, "width": 16})
    assert row["problem"].startswith("alien.net/a1 belongs to the family 'alien.net', which is not installed.")


def test_a_copied_folder_says_whose_it_is_and_is_not_written_to(place: BoundWorkspace):
    good = stored(place)
    other = place.variant("toy.sum", seed=9)
    shutil.copytree(folder(good), folder(other))
    with pytest.raises(Misplaced) as raised:
        place.find(other.name)
    assert str(raised.value) == (
        f"{other.name} is not the variant that lies in its folder: that is {good.name}.\n"
        f"{folder(other)} was copied or renamed, and what is in it was computed for {good.name}.\n"
        f"Move it back to variants/{good.name}; or delete it, where that variant is there too."
    )
    before = (folder(other) / "variant.json").read_bytes()
    with pytest.raises(BadValue, match="holds another variant"):
        list(other.train())
    with pytest.raises(BadValue, match="holds another variant"):
        place.store.save_variant(other.value)
    assert (folder(other) / "variant.json").read_bytes() == before


def as_before(variant: BoundVariant) -> Path:
    """The variant's record as it was written when there were neither names nor checksums in it."""
    path = folder(variant) / "variant.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in record.items() if k not in ("name", "checksum")}, indent=2) + "\n")
    return path


def test_a_record_without_name_and_checksum_is_read_and_gets_both_when_it_is_next_written(place: BoundWorkspace):
    variant = stored(place, seed=3)
    path = as_before(variant)
    assert place.find(variant.name).value == variant.value
    place.store.save_variant(variant.value)
    assert {"name", "checksum"} <= set(json.loads(path.read_text()))
    assert place.find(variant.name).value == variant.value


def test_an_old_record_under_another_name_is_noticed_by_its_parameters(place: BoundWorkspace):
    variant = stored(place, seed=3)
    as_before(variant)
    moved = folder(variant).with_name("v5-seed4-width16")
    folder(variant).rename(moved)
    assert problem(place, "toy.sum/v5-seed4-width16").startswith(
        "toy.sum/v5-seed4-width16 is not the variant that lies in its folder: that is toy.sum/v5-seed3-width16."
    )


@pytest.mark.parametrize("old", [False, True], ids=["with checksum", "as before"])
def test_a_record_with_a_flipped_bit_is_refused_or_says_the_same(place: BoundWorkspace, old: bool):
    variant = stored(place, seed=3)
    path = as_before(variant) if old else folder(variant) / "variant.json"
    content, truth = path.read_bytes(), place.store.variant_record(variant.name)
    chance = random.Random(1)
    outcomes = {"refused": 0, "same": 0}
    for _ in range(200):
        bit = chance.randrange(8 * len(content))
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            record = place.store.variant_record(variant.name)
        except BadFile:
            outcomes["refused"] += 1
            continue
        # Facts of a record without a checksum are only told, never computed with.
        assert (record.params, record.digest, record.label) == (truth.params, truth.digest, truth.label)
        assert old or record == truth
        outcomes["same"] += 1
    assert outcomes["refused"] > 100


def test_a_changed_record_says_so(place: BoundWorkspace):
    variant = stored(place, seed=3)
    path = folder(variant) / "variant.json"
    path.write_text(path.read_text().replace('"python"', '"pyth0n"'))
    with pytest.raises(BadFile) as raised:
        place.find(variant.name)
    assert str(raised.value) == (
        f"{path} cannot be read.\n"
        "It was changed or damaged since it was written: its content does not fit its checksum.\n"
        "Restore it from a copy; or delete it and train the variant again: its checkpoints stay."
    )


def test_a_name_that_is_none_says_what_to_do(place: BoundWorkspace):
    with pytest.raises(BadValue) as raised:
        place.store.steps("toy.sum/a (copy)")
    assert str(raised.value) == (
        "A slug cannot be called 'a (copy)'.\n"
        "It becomes part of a path: 'a (copy)' cannot be used in a path; use letters, digits and . _ + , = @ -.\n"
        "Choose another name; a folder that has this one is to be renamed."
    )


def test_a_file_named_for_a_step_beyond_all_numbers_is_no_checkpoint(place: BoundWorkspace):
    variant = stored(place)
    whole = place.store.layout.checkpoint(variant.name, 1)
    for name in ("step_" + "9" * 30, "step_5", "step_0000000007"):
        shutil.copy(whole, whole.with_name(f"{name}.safetensors"))
    assert variant.steps == [1]
    with pytest.raises(BadValue, match="is not a step"):
        place.store.layout.checkpoint(variant.name, 10**29)
