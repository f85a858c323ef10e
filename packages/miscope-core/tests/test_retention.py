"""Checkpoints are removed by a rule one sees first: the ends stay, what others are built on stays, artifacts stay."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue, Busy, NoCheckpoint
from miscope.testing import tables
from miscope.testing.toy_autoencoder import ToyAutoencoder
from miscope.training.retention import kept_steps, prune, pruning, pruning_of_step

Run = Callable[..., tuple[int, str, str]]
NAME = "toy.sum/v5-seed0-width16"
ascending = st.sets(st.integers(0, 10**6), min_size=1, max_size=60).map(sorted)


def trained(variant: BoundVariant, **options: object) -> BoundVariant:
    for _ in variant.train(threads=1, **options):
        pass
    return variant


@pytest.fixture
def ws(tmp_path: Path) -> BoundWorkspace:
    return open_bound(tmp_path / "ws", tables(ToyAutoencoder()))


@given(steps=ascending, last=st.integers(0, 10), spread=st.integers(0, 10))
def test_the_ends_and_the_last_ones_stay_and_no_more_than_was_asked_for(
    steps: list[int], last: int, spread: int
) -> None:
    kept = kept_steps(steps, last=last, spread=spread)
    assert {steps[0], steps[-1], *(steps[-last:] if last else [])} <= kept <= set(steps)
    assert len(kept) <= 2 + last + spread


def test_what_is_spread_is_even_in_the_logarithm_of_the_step() -> None:
    assert sorted(kept_steps(range(1001), last=0, spread=4)) == [0, 9, 99, 1000]
    assert kept_steps([], last=3, spread=3) == set()


def test_a_pruned_training_keeps_its_artifacts_and_goes_on_bit_for_bit(ws: BoundWorkspace, tmp_path: Path) -> None:
    variant = trained(ws.variant("toy.sum"))
    variant.analyze("parameters.norms")
    plan = pruning(ws.value, variant.value, last=1, spread=0)
    assert (plan.kept, plan.removed, plan.needed) == ((0, 30), (10, 20), {})
    sizes = [ws.store.layout.checkpoint(NAME, step).stat().st_size for step in plan.removed]
    assert plan.size == sum(sizes)
    assert variant.steps == [0, 10, 20, 30]
    prune(ws.value, plan)
    assert variant.steps == [0, 30]
    assert list(variant.arrays("parameters.norms")["step"]) == [0, 10, 20, 30]
    trained(variant, steps=50)
    whole = trained(open_bound(tmp_path / "whole", tables()).variant("toy.sum"), steps=50)
    mine, theirs = (v.at(50).checkpoint.weights for v in (variant, whole))
    assert all(mine[role].equal(theirs[role]) for role in theirs)


def test_a_step_that_another_is_built_on_stays(ws: BoundWorkspace) -> None:
    variant = trained(ws.variant("toy.sum"))
    child = trained(ws.variant("toy.autoencoder", variant=NAME, step=20))
    plan = pruning(ws.value, variant.value, last=1, spread=0)
    assert (plan.removed, plan.needed) == ((10,), {20: (child.name,)})


def test_where_a_child_cannot_be_opened_nothing_is_removed(ws: BoundWorkspace, tmp_path: Path) -> None:
    variant = trained(ws.variant("toy.sum"))
    child = trained(ws.variant("toy.autoencoder", variant=NAME))
    without = open_bound(tmp_path / "ws", tables())
    with pytest.raises(BadValue) as refusal:
        pruning(without.value, variant.value, last=1, spread=0)
    assert str(refusal.value) == (
        f"No checkpoint of {NAME} can be removed.\n"
        f"{child.name} is built on it, and cannot be opened to see on which step.\n"
        f"Install the family toy.autoencoder, or delete {child.name} first."
    )


def test_nothing_is_removed_under_a_training(ws: BoundWorkspace) -> None:
    variant = trained(ws.variant("toy.sum"))
    plan = pruning(ws.value, variant.value, last=1, spread=0)
    training = variant.train(threads=1, steps=60)
    next(training)
    with pytest.raises(Busy):
        prune(ws.value, plan)
    assert {0, 10, 20, 30} <= set(variant.steps)


def test_the_command_says_first_what_would_go(
    command: Run, offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    command("train", "toy.sum", "--threads", 1)
    code, out, err = command("prune", NAME)
    lines = out.splitlines()
    assert (code, lines[1], err) == (
        0,
        "  kept: 0, 30",
        "Nothing was removed yet; the same command with --yes does it.\n",
    )
    assert lines[0].startswith(f"{NAME}: 2 of 4 checkpoints would be removed, ")
    (facts,) = json.loads(command("prune", "toy.sum", "--last", 2, "--yes", "--json")[1])
    assert (facts["kept"], facts["removed"], facts["done"]) == ([0, 20, 30], [10], True)
    assert json.loads(command("variants", "--json")[1])[0]["checkpoints"] == 3


def test_one_checkpoint_goes_unless_it_is_an_end_or_others_are_built_on_it(ws: BoundWorkspace) -> None:
    parent = trained(ws.variant("toy.sum"))
    trained(ws.variant("toy.autoencoder", variant=NAME, step=20), steps=1)
    assert pruning_of_step(ws.value, parent.value, 10).removed == (10,)
    for step, reason in ((0, "It is the first, or the last"), (30, "It is the first, or the last"), (20, "These are")):
        with pytest.raises(BadValue, match=reason):
            pruning_of_step(ws.value, parent.value, step)
    with pytest.raises(NoCheckpoint):
        pruning_of_step(ws.value, parent.value, 15)
