"""Deleted variants: out of every listing, whole, back at one word; what others are built on stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue, Busy, UnknownName
from miscope.runs.deleting import delete_variants
from miscope.runs.run_queue import RunQueue
from miscope.store.trash import delete, deleted, empty_trash, restore
from miscope.testing import tables
from miscope.testing.toy_autoencoder import ToyAutoencoder

Run = Callable[..., tuple[int, str, str]]
NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def ws(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoundWorkspace:
    """A workspace in force for the commands, with the toy families installed."""
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    return open_bound(tmp_path / "ws", tables(ToyAutoencoder()))


def trained(variant: BoundVariant) -> BoundVariant:
    for _ in variant.train(threads=1):
        pass
    return variant


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_deleted_variant_is_nowhere_and_comes_back_as_it_was(ws: BoundWorkspace) -> None:
    variant = trained(ws.variant("toy.sum"))
    variant.analyze("parameters.norms")
    folder = ws.store.layout.variant(NAME)
    before, counted = files(folder), ws.ask("SELECT count(*) AS n FROM checkpoints").to_pylist()
    gone = delete(ws.store, NAME)
    assert (ws.names(), folder.exists(), gone.size) == ([], False, sum(map(len, before.values())))
    assert ws.ask("SELECT count(*) AS n FROM checkpoints").to_pylist() == [{"n": 0}]
    assert [each.name for each in deleted(ws.store)] == [NAME]
    restore(ws.store, NAME)
    assert files(folder) == before
    assert ws.ask("SELECT count(*) AS n FROM checkpoints").to_pylist() == counted
    assert (deleted(ws.store), list(ws.store.layout.trash.iterdir())) == ([], [])
    assert {outcome.state for outcome in variant.analyze("parameters.norms")} == {"present"}


def test_what_others_are_built_on_is_not_deleted_before_them(ws: BoundWorkspace) -> None:
    trained(ws.variant("toy.sum"))
    child = trained(ws.variant("toy.autoencoder", variant=NAME))
    with pytest.raises(BadValue) as refusal:
        delete(ws.store, NAME)
    assert str(refusal.value) == (
        f"{NAME} cannot be deleted.\nThese are built on it: {child.name}.\nDelete them first, or keep it."
    )
    delete(ws.store, child.name)
    delete(ws.store, NAME)
    assert ws.names() == []


def test_of_several_those_that_are_built_on_others_go_first_and_one_that_is_refused_keeps_none_back(
    ws: BoundWorkspace,
) -> None:
    for seed in (0, 1):
        trained(ws.variant("toy.sum", seed=seed))
    child = trained(ws.variant("toy.autoencoder", variant=NAME)).name
    other = "toy.sum/v5-seed1-width16"
    with closing(RunQueue(ws.root)) as queue:
        queue.submit(AnalyzeRequest(variants=(other,)), what=other)
    found = list(delete_variants(ws.value, [NAME, other, "toy.sum/none", child, NAME]))
    assert [(each.name, each.deleted is None) for each in found] == [
        *((other, True), ("toy.sum/none", True), (child, False), (NAME, False))
    ]
    assert found[0].refused.splitlines()[:2] == [f"{other} cannot be deleted.", "These runs are to work on it: 1."]
    assert found[1].refused.startswith("There is no variant named 'toy.sum/none'")
    assert ws.names() == [other]


def test_a_variant_that_is_being_trained_is_not_deleted(ws: BoundWorkspace) -> None:
    training = ws.variant("toy.sum").train(threads=1)
    next(training)
    with pytest.raises(Busy):
        delete(ws.store, NAME)
    assert ws.names() == [NAME]


def test_one_that_was_made_anew_is_not_overwritten_by_the_deleted_one(ws: BoundWorkspace) -> None:
    trained(ws.variant("toy.sum"))
    delete(ws.store, NAME)
    trained(ws.variant("toy.sum"))
    with pytest.raises(BadValue) as refusal:
        restore(ws.store, NAME)
    assert str(refusal.value).splitlines()[:2] == [
        f"{NAME} cannot be put back.",
        "There is a variant of that name again.",
    ]
    with pytest.raises(UnknownName, match=r"There is no deleted variant named 'toy\.sum/none'"):
        restore(ws.store, "toy.sum/none")


def test_of_two_deleted_under_one_name_the_last_comes_back_and_the_trash_can_be_emptied(ws: BoundWorkspace) -> None:
    for steps in (10, 30):
        for _ in ws.variant("toy.sum").train(threads=1, steps=steps):
            pass
        delete(ws.store, NAME)
    assert len(deleted(ws.store)) == 2
    restore(ws.store, NAME)
    assert ws.store.steps(NAME)[-1] == 30
    assert len(empty_trash(ws.store)) == 1
    assert (deleted(ws.store), ws.names()) == ([], [NAME])


def test_commands_delete_list_restore_and_empty(command: Run, ws: BoundWorkspace) -> None:
    for seed in (1, 2):
        command("train", "toy.sum", f"seed={seed}", "--steps", 3)
    first, second = ("toy.sum/v5-seed1-width16", "toy.sum/v5-seed2-width16")
    code, out, _ = command("delete", "toy.sum", "seed=1")
    assert (code, out) == (0, f"{first}: in the trash, 0.0 MB.  To bring it back:  miscope restore {first}\n")
    assert [row["name"] for row in json.loads(command("trash", "--json")[1])] == [first]
    assert command("restore", first)[:2] == (0, f"{first}: back, with 2 checkpoints\n")
    code, out, _ = command("delete", first, second, "--json")
    assert (code, [row["name"] for row in json.loads(out)]) == (0, [first, second])
    assert command("trash", "--empty")[:2] == (0, "2 removed for good, 0.0 MB\n")
    assert command("trash")[:2] == (0, "The trash is empty.\n")


def test_a_variant_that_a_run_is_to_work_on_is_not_deleted(
    command: Run, ws: BoundWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miscope.runs.supervisor.start_supervisor", lambda root: 0)
    command("train", "toy.sum", "--steps", 3)
    command("train", "toy.sum", "--steps", 9, "--queue", "--then", "analyze")
    code, out, err = command("delete", NAME)
    assert (code, out) == (1, "")
    assert err.splitlines()[:2] == [f"{NAME} cannot be deleted.", "These runs are to work on it: 1, 2."]
    assert len(RunQueue(ws.root).unfinished_on(NAME)) == 2
    command("runs", "cancel", "1", "2")
    assert command("delete", NAME)[0] == 0
