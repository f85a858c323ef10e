"""Variants taken from one workspace to another in one archive: whole, resumable, nothing computed twice."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue, Busy
from miscope.importing.bundle import read_bundle
from miscope.outcome import State
from miscope.testing import tables
from miscope.testing import toy_modules as own
from miscope.testing.toy_autoencoder import ToyAutoencoder

Run = Callable[..., tuple[int, str, str]]
NORMS = "parameters.norms"


def place(root: Path) -> BoundWorkspace:
    return open_bound(root, tables(ToyAutoencoder()))


def trained(variant: BoundVariant, steps: int) -> BoundVariant:
    for _ in variant.train(threads=1, steps=steps):
        pass
    return variant


@pytest.fixture
def variant(tmp_path: Path) -> BoundVariant:
    """A toy trained over 20 steps, with an artifact at each checkpoint."""
    made = trained(place(tmp_path / "here").variant("toy.sum"), 20)
    made.analyze(NORMS)
    return made


@pytest.fixture
def archive(variant: BoundVariant, tmp_path: Path) -> Path:
    variant.workspace.bundle([variant], tmp_path / "runs.zip")
    return tmp_path / "runs.zip"


def test_what_was_bundled_trains_on_bit_for_bit(variant: BoundVariant, archive: Path, tmp_path: Path) -> None:
    (there,) = place(tmp_path / "there").adopt(archive)
    assert there.name == variant.name
    for one in (variant, there):
        trained(one, 40)
    assert there.steps == variant.steps == [0, 10, 20, 30, 40]
    for step in there.steps:
        mine, theirs = (one.at(step).checkpoint.weights for one in (variant, there))
        assert all(torch.equal(mine[role], theirs[role]) for role in mine)
    assert {n: s.values.tolist() for n, s in there.metrics().items()} == {
        n: s.values.tolist() for n, s in variant.metrics().items()
    }


def test_what_was_computed_is_found_and_not_computed_again(archive: Path, tmp_path: Path) -> None:
    (there,) = place(tmp_path / "there").adopt(archive)
    assert {outcome.state for outcome in there.analyze(NORMS)} == {State.PRESENT}
    assert there.arrays(NORMS)["step"].tolist() == [0, 10, 20]


def test_its_runs_are_known_there(variant: BoundVariant, archive: Path, tmp_path: Path) -> None:
    there = place(tmp_path / "there")
    there.adopt(archive)
    question = "SELECT run, kind, state, variant FROM runs ORDER BY run"
    assert there.ask(question).to_pylist() == variant.workspace.ask(question).to_pylist()
    numbers = "SELECT * FROM scalars ORDER BY ALL"
    assert there.ask(numbers).to_pylist() == variant.workspace.ask(numbers).to_pylist()


def test_a_run_without_an_end_is_a_stopped_one_elsewhere(variant: BoundVariant, tmp_path: Path) -> None:
    """Only on its own machine it can be seen whether its process still lives."""
    with variant.workspace.ledger.run("analyze", variant.name) as log:
        variant.workspace.bundle([variant], tmp_path / "runs.zip")
    there = place(tmp_path / "there")
    there.adopt(tmp_path / "runs.zip")
    assert there.ask(f"SELECT state FROM runs WHERE run = '{log.name}'").to_pylist() == [{"state": "stopped"}]


def test_the_manifest_says_what_each_file_is(variant: BoundVariant, archive: Path) -> None:
    with zipfile.ZipFile(archive) as held:
        manifest = json.loads(held.read("manifest.json"))
        files = {name: held.read(name) for name in held.namelist() if name != "manifest.json"}
        stored = {info.filename for info in held.infolist() if info.compress_type == zipfile.ZIP_STORED}
    assert manifest["files"] == {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
    }
    named = {"name": variant.name, "family": "toy.sum", "digest": variant.value.digest, "built_on": []}
    assert manifest["variants"] == [named]
    assert (manifest["format"], manifest["version"], manifest["artifacts"]) == ("miscope bundle", 1, True)
    assert {name for name in files if name.endswith((".safetensors", ".npz", ".parquet"))} == stored
    folder = f"variants/{variant.name}"
    assert {f"{folder}/variant.json", f"{folder}/training_state.safetensors"} <= files.keys()
    assert not any("lock" in name or "stack" in name for name in files)


def test_the_same_files_make_the_same_archive(variant: BoundVariant, archive: Path, tmp_path: Path) -> None:
    variant.workspace.bundle([variant], tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_artifacts_may_be_left_out(variant: BoundVariant, tmp_path: Path) -> None:
    variant.workspace.bundle([variant], tmp_path / "runs.zip", artifacts=False)
    (there,) = place(tmp_path / "there").adopt(tmp_path / "runs.zip")
    assert [outcome.state for outcome in there.analyze(NORMS)] == [State.SAVED] * 3


def test_taken_in_twice_is_taken_in_once(archive: Path, tmp_path: Path) -> None:
    there = place(tmp_path / "there")
    there.adopt(archive)
    before = {path: path.stat().st_mtime_ns for path in there.root.rglob("*") if path.is_file()}
    (again,) = there.adopt(archive)
    assert again.steps == [0, 10, 20]
    assert {path: path.stat().st_mtime_ns for path in there.root.rglob("*") if path.is_file()} == before


def test_what_was_computed_there_meanwhile_stays(archive: Path, tmp_path: Path) -> None:
    there = place(tmp_path / "there")
    (one,) = there.adopt(archive)
    one.analyze("ranks.weights")
    there.adopt(archive)
    assert {outcome.state for outcome in one.analyze("ranks.weights")} == {State.PRESENT}


def test_a_variant_that_is_there_with_other_content_is_refused(archive: Path, tmp_path: Path) -> None:
    there = place(tmp_path / "there")
    trained(there.variant("toy.sum"), 10)
    kept = {path: path.read_bytes() for path in there.root.rglob("*") if path.is_file()}
    with pytest.raises(BadValue) as error:
        there.adopt(archive)
    name, files = "toy.sum/v5-seed0-width16", len(read_bundle(archive).manifest.files) - 2
    folder = there.root / "variants" / name
    assert str(error.value).splitlines()[0] == f"{name} is in {there.root} already, with other content."
    assert str(error.value).splitlines()[1].startswith(f"Of {files} files in runs.zip ")
    assert str(error.value).splitlines()[2] == (
        f"Move {folder} away, or take the bundle into another workspace:  miscope import {archive} -w OTHER"
    )
    assert {path: path.read_bytes() for path in there.root.rglob("*") if path.is_file()} == kept


@pytest.fixture
def child(variant: BoundVariant) -> BoundVariant:
    return trained(variant.workspace.variant("toy.autoencoder", variant=variant.name, step=20), 10)


def test_what_a_variant_is_built_on_comes_along(child: BoundVariant, variant: BoundVariant, tmp_path: Path) -> None:
    child.workspace.bundle([child], tmp_path / "runs.zip")
    there = place(tmp_path / "there")
    parent, taken = there.adopt(tmp_path / "runs.zip")
    assert (parent.name, taken.name) == (variant.name, child.name)
    for one in (child, taken):
        trained(one, 20)
    mine, theirs = (one.at("last").checkpoint.weights for one in (child, taken))
    assert all(torch.equal(mine[role], theirs[role]) for role in mine)


def test_what_it_is_built_on_is_named_where_it_is_gone(child: BoundVariant, variant: BoundVariant, tmp_path: Path):
    folder = child.workspace.root / "variants" / variant.name
    folder.rename(tmp_path / "away")
    with pytest.raises(BadValue, match=f"is built on {variant.name}, which is not in this workspace"):
        child.workspace.bundle([child], tmp_path / "runs.zip")
    assert not (tmp_path / "runs.zip").exists()


def test_a_recorded_run_of_a_module_of_ones_own_is_the_same_elsewhere(tmp_path: Path) -> None:
    here = place(tmp_path / "here")
    model = own.seeded()
    built = {"build": "miscope.testing.toy_modules:adder", "options": {"width": 12}}
    with here.record("one", model, probe=own.pairs(), **built) as recorder:
        for step in range(3):
            recorder.checkpoint(step, model, metrics={"train_loss": 0.5})
            own.learn(model, torch.optim.SGD(model.parameters(), lr=0.1))
    one = here.find("one")
    assert State.SAVED in {outcome.state for outcome in one.analyze()}
    here.bundle([one], tmp_path / "runs.zip")
    (there,) = place(tmp_path / "there").adopt(tmp_path / "runs.zip")
    mine, theirs = (each.at(2).checkpoint.weights for each in (one, there))
    assert all(torch.equal(mine[role], theirs[role]) for role in mine)
    states = {outcome.state for outcome in there.analyze()}
    assert states == {State.PRESENT, State.SKIPPED}


def test_a_curve_alone_is_a_variant_there_too(tmp_path: Path) -> None:
    here = place(tmp_path / "here")
    (tmp_path / "curve.csv").write_text("step,train_loss\n0,2.5\n10,0.5\n")
    (curve,) = here.adopt(metrics=tmp_path / "curve.csv", family="toy.sum")
    here.bundle([curve], tmp_path / "runs.zip")
    (there,) = place(tmp_path / "there").adopt(tmp_path / "runs.zip")
    assert (there.steps, there.metric("train_loss")[1].tolist()) == ([], [2.5, 0.5])


def test_what_is_being_trained_waits(variant: BoundVariant, tmp_path: Path) -> None:
    with variant.workspace.store.writing(variant.name), pytest.raises(Busy):
        variant.workspace.bundle([variant], tmp_path / "runs.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_an_archive_of_another_ending_is_refused(variant: BoundVariant, tmp_path: Path) -> None:
    with pytest.raises(BadValue) as error:
        variant.workspace.bundle([variant], tmp_path / "runs.tar")
    assert str(error.value) == (
        "A bundle cannot be written as 'runs.tar'.\n"
        "It is a zip archive, and `miscope import` knows it by that ending.\n"
        "Name it runs.zip."
    )


def test_the_commands_take_it_from_one_workspace_to_another(
    command: Run, offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    offer("toy", "miscope.testing.toy")
    here, there, out = tmp_path / "here", tmp_path / "there", tmp_path / "runs.zip"
    command("train", "toy.sum", "--threads", 1, "-w", here)
    code, printed, _ = command("bundle", "toy.sum", "--out", out, "--json", "-w", here)
    assert (code, json.loads(printed)["variants"]) == (0, ["toy.sum/v5-seed0-width16"])
    assert command("bundle", "v5", "--out", out, "-w", here)[1].startswith(f"{out}: 1 variant, ")
    held = "toy.sum/v5-seed0-width16: 4 checkpoints"
    assert command("import", out, "-w", there)[:2] == (0, f"{held}\n")
    assert command("import", out, "-w", there)[:2] == (0, f"{held}, here already\n")
    code, _, err = command("import", out, "--family", "toy.sum", "-w", there)
    assert (code, err) == (
        1,
        "runs.zip is imported by itself.\n"
        "A bundle says of its variants what there is to say; other files and options have no place in it.\n"
        f"Give it alone:  miscope import {out}\n",
    )
