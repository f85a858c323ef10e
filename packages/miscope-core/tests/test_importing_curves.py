"""A curve without weights becomes a variant with metrics only, and what looks at metrics works on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from miscope import Grain, View
from miscope.bound import BoundVariant, BoundWorkspace
from miscope.errors import BadFile, BadValue, DoesNotApply, NoCheckpoint
from miscope.figures.render import render
from miscope.testing.toy import ToyFamily

Make = Callable[..., BoundWorkspace]
Run = Callable[..., tuple[int, str, str]]
NAME = "toy.sum/v5-seed0-width16"

_LAST_WEIGHTS = View(name="test.weights", title="Weights", grain=Grain.CHECKPOINT, draw=lambda shown: None)


@pytest.fixture
def place(workspace: Make) -> BoundWorkspace:
    return workspace()


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def curve(seed: int) -> list[tuple[int, float, float]]:
    """A run that memorises at step 20 and generalises at about 30 + seed."""
    steps = np.arange(60)
    train, test = np.exp(-steps / 4.0), 3 / (1 + np.exp((steps - 30 - seed) / 1.5)) + 1e-4
    return list(zip(steps.tolist(), train.tolist(), test.tolist(), strict=True))


def as_csv(path: Path, seeds: Sequence[int]) -> Path:
    rows = [f"{seed},{step},{train!r},{test!r}" for seed in seeds for step, train, test in curve(seed)]
    return written(path, "\n".join(["seed,step,train_loss,val/loss", *rows]))


def as_json(path: Path, seeds: Sequence[int]) -> Path:
    runs = []
    for seed in seeds:
        _, train, test = zip(*curve(seed), strict=True)
        runs.append({"config": {"seed": seed}, "train_losses": train, "test_losses": test})
    return written(path, json.dumps(runs))


def as_parquet(path: Path, seeds: Sequence[int]) -> Path:
    import pyarrow as pa
    from pyarrow import parquet as pq

    rows = [
        {"seed": seed, "epoch": step, "metric": metric, "value": value}
        for seed in seeds
        for step, train, test in curve(seed)
        for metric, value in (("train_loss", train), ("test_loss", test))
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def brought(place: BoundWorkspace, path: Path, **options: Any) -> list[BoundVariant]:
    return place.adopt(metrics=path, **{"family": "toy.sum", **options})


@pytest.mark.parametrize(("write", "name"), [(as_csv, "a.csv"), (as_json, "a.json"), (as_parquet, "a.parquet")])
def test_every_run_of_a_sweep_becomes_a_variant_with_its_curve(
    place: BoundWorkspace, tmp_path: Path, write: Any, name: str
):
    found = brought(place, write(tmp_path / name, [3, 4]))
    assert [one.name for one in found] == ["toy.sum/v5-seed3-width16", "toy.sum/v5-seed4-width16"]
    assert (found[1].steps, found[1].metric("train_loss")[0].tolist()) == ([], list(range(60)))
    assert found[1].metric("test_loss")[1].tolist() == [test for _, _, test in curve(4)]
    facts: Any = place.store.variant_record(found[1].name).facts
    assert (facts["origin"], facts["imported"][name]["steps"]) == ("metrics only", [])
    assert "seed" not in facts["assumed"]
    assert facts["assumed"]["train_fraction"] == 0.6


def test_events_and_cohorts_of_curves_are_computed_and_drawn(place: BoundWorkspace, tmp_path: Path):
    from miscope.analysis.analyze import analyze

    variants = brought(place, as_csv(tmp_path / "a.csv", range(5)))
    outcomes = list(analyze(place.value, [each.value for each in variants]))
    assert [one.error for one in outcomes if one.state not in ("saved", "skipped")] == []
    assert [float(one.arrays("events.grokking")["grokked"]) for one in variants] == [1] * 5
    assert variants[0].arrays("events.grokking")["memorised"] == 19
    skipped = {name: one.error for one in outcomes if one.state == "skipped" for name in one.analyzers}
    reason = "it looks at weights, and of this variant there are metrics only"
    assert skipped["parameters.norms"] == f"does not apply: {reason}"
    saved = {name for one in outcomes for name in one.scalars}
    assert {"events.grokking", "cohort.events", "cohort.losses", "provenance.settings"} <= saved
    assert place.ask("SELECT count(*) AS n FROM scalars WHERE name = 'grokked' AND value = 1").to_pylist() == [{"n": 5}]


def test_what_needs_weights_says_so_of_a_curve(place: BoundWorkspace, tmp_path: Path):
    (variant,) = brought(place, as_csv(tmp_path / "a.csv", [0]))
    with pytest.raises(DoesNotApply) as raised:
        variant.analyze("parameters.norms")
    assert str(raised.value).startswith(
        f"'parameters.norms' does not apply to {NAME}: it looks at weights, and of this variant there are metrics only."
    )
    with pytest.raises(NoCheckpoint):
        variant.analyze("events.grokking", steps=[10])


def test_of_a_curve_nobody_says_that_it_was_never_trained(place: BoundWorkspace, tmp_path: Path):
    (variant,) = brought(place, as_csv(tmp_path / "a.csv", [0]))
    for ask in (
        lambda: variant.at("last"),
        lambda: variant.at(10),
        lambda: place.store.load_checkpoint(NAME, 10),
        lambda: variant.analyze("parameters.norms", steps=[10]),
        lambda: render(place.value, _LAST_WEIGHTS, variant.value, step=10),
    ):
        with pytest.raises(NoCheckpoint) as raised:
            ask()
        assert str(raised.value) == (
            f"{NAME} has no checkpoints.\n"
            "It was imported as a curve: there are its metrics, and no weights.\n"
            f"To add weights of the same run:  miscope import FILE --workspace {place.root}"
        )
    assert "metrics only" in variant._repr_html_()


def test_weights_of_the_same_run_are_added_to_a_curve(place: BoundWorkspace, tmp_path: Path):
    (variant,) = brought(place, as_csv(tmp_path / "a.csv", [0]))
    weights = place.value.context(variant.value).task.initial_weights()  # pyright: ignore[reportOptionalMemberAccess]
    torch.save({"model": weights, "step": 59}, tmp_path / "step_59.pth")
    (again,) = place.adopt([tmp_path / "step_59.pth"], family="toy.sum")
    assert (again.name, again.steps) == (NAME, [59])


def test_variants_are_listed_with_where_they_come_from(
    command: Run, offer: Callable[[str, str], None], place: BoundWorkspace, tmp_path: Path
):
    offer("toy", "miscope.testing.toy")
    brought(place, as_csv(tmp_path / "a.csv", [0]))
    list(place.variant("toy.sum", seed=1).train(threads=1))
    weights = place.value.context(place.variant("toy.sum", seed=2).value).task.initial_weights()
    torch.save({"model": weights, "step": 7}, tmp_path / "step_7.pth")
    place.adopt([tmp_path / "step_7.pth"], family="toy.sum", params={"seed": 2})
    place.store.save_variant(place.variant("toy.sum", seed=3).value)
    assert command("-w", place.root, "variants") == (
        0,
        "variant                   origin        checkpoints  last step\n"
        "toy.sum/v5-seed0-width16  metrics only  0\n"
        "toy.sum/v5-seed1-width16  trained here  4            30\n"
        "toy.sum/v5-seed2-width16  imported      1            7\n"
        "toy.sum/v5-seed3-width16                0\n",
        "",
    )
    listed = json.loads(command("-w", place.root, "variants", "--json")[1])
    assert [row["origin"] for row in listed] == ["metrics only", "trained here", "imported", None]


def test_more_of_a_curve_makes_what_was_computed_of_less_stale(place: BoundWorkspace, tmp_path: Path):
    rows = [f"{step},{train!r},{test!r}" for step, train, test in curve(0)]
    head = "step,train_loss,test_loss"
    (variant,) = brought(place, written(tmp_path / "a.csv", "\n".join([head, *rows[:25]])))
    variant.analyze("events.grokking")
    assert float(variant.arrays("events.grokking")["last"]) == 24
    brought(place, written(tmp_path / "b.csv", "\n".join([head, *rows[20:]])))
    variant.analyze("events.grokking")
    assert float(variant.arrays("events.grokking")["last"]) == 59
    assert variant.workspace.find(NAME).value.training.steps == 59  # pyright: ignore[reportOptionalMemberAccess]


def test_a_training_does_not_begin_over_a_curve(place: BoundWorkspace, tmp_path: Path):
    (variant,) = brought(place, as_csv(tmp_path / "a.csv", [0]))
    with pytest.raises(BadValue) as raised:
        variant.train()
    assert str(raised.value) == (
        f"{NAME} was imported: a training would begin anew at step 0 and replace what was brought here.\n"
        "It has metrics only, up to step 59, and no optimizer state to go on with.\n"
        f"To train one beside it:  miscope train {NAME} --as NAME --workspace {place.root}"
    )


def test_weights_and_their_losses_come_together_or_not_at_all(place: BoundWorkspace, tmp_path: Path):
    roles = ToyFamily().model(ToyFamily.params()).roles
    torch.save({"model": {name: torch.ones(role.shape) for name, role in roles.items()}}, tmp_path / "step_59.pth")
    losses = as_csv(tmp_path / "a.csv", [0])
    (variant,) = place.adopt(tmp_path / "step_59.pth", family="toy.sum")
    with pytest.raises(BadValue) as raised:
        brought(place, losses)
    assert str(raised.value) == (
        f"{NAME} has 1 checkpoint, at step 59, and losses are added to checkpoints only together with them.\n"
        "What was computed over its training would not know of them.\n"
        "Import the checkpoint files and the losses in one call, under a name of their own (--as NAME)."
    )
    assert variant.metrics() == {}
    (both,) = place.adopt(tmp_path / "step_59.pth", metrics=losses, family="toy.sum", name="both")
    assert (both.steps, both.metric("test_loss")[0][-1]) == ([59], 59)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.csv", "loss,test_loss\n1,2\n", "It has no column of steps, but: loss, test_loss."),
        ("a.csv", "step,train_loss\n0,4.7\n0,4.6\n", "It has train_loss at step 0 twice: 4.7 and 4.6."),
        ("a.csv", "step,train_loss\nten,4.7\n", "The step of row 1 is 'ten', not a number of updates or epochs."),
        ("a.csv", "step,train_loss\n-1,4.7\n", "The step of row 1 is -1, and steps go from 0 to 999999999."),
        ("a.csv", "step,note\n1,good\n", "It holds no recorded numbers."),
        ("a.csv", "", "It holds no recorded numbers."),
        ("a.json", "[1, 2]", "It holds a list, not losses by name."),
        ("a.json", "{", "It is no complete JSON: Expecting property name enclosed in double quotes"),
        ("a.parquet", "PAR1", "It is no complete Parquet: "),
        ("a.txt", "step,train_loss", "Its name ends in none of .csv, .json, .parquet, .safetensors, "),
        ("a.csv", "step,train_loss,train_loss\n0,1,2\n", "Two of its columns are called 'train_loss'."),
        ("a.json", '{"step": [0, 100, 200], "train_loss": [1, 2]}', "Its 'step' has 3 values and its 'train_loss' 2."),
        ("a.json", '{"steps": [0, 100], "train_loss": [1, 2, 3]}', "Its 'steps' has 2 values and its 'train_loss' 3."),
    ],
)
def test_what_is_no_curve_is_refused_with_the_reason(
    place: BoundWorkspace, tmp_path: Path, name: str, text: str, problem: str
):
    with pytest.raises(BadFile) as raised:
        brought(place, written(tmp_path / name, text))
    assert str(raised.value).split("\n")[1].startswith(problem)
    assert place.names() == []


def test_a_curve_does_not_say_its_family(place: BoundWorkspace, tmp_path: Path):
    path = as_csv(tmp_path / "a.csv", [0])
    with pytest.raises(BadValue) as raised:
        place.adopt(metrics=path)
    assert str(raised.value) == (
        f"{path} holds losses, which do not say of which family they are.\n"
        "There are: toy.sum, toy.fourier.\n"
        "Name it:  --family NAME"
    )


def test_the_command_takes_losses_alone_and_says_what_was_assumed(
    command: Run, offer: Callable[[str, str], None], tmp_path: Path
):
    offer("toy", "miscope.testing.toy")
    path = written(tmp_path / "a.csv", "step,train_loss\n0,1.7\n10,0.1\n")
    words = ["-w", tmp_path / "ws", "import", "--metrics", path, "--family", "toy.sum"]
    code, out, err = command(*words, "-p", "train_fraction=0.5", "-p", "seed=2", "-p", "learning_rate=0.1")
    assert (code, out) == (0, "toy.sum/v5-seed2-width16-lr0.1-frac0.5: metrics only, up to step 10\n")
    assumed = 'values=5, width=16, optimizer="adamw", betas=[0.9, 0.98], eps=1e-08, weight_decay=1.0, batch_size=null'
    assert err.startswith(f"Assumed, since no file says: {assumed}, ")


def test_a_rate_that_changes_within_one_run_tells_no_runs_apart(place: BoundWorkspace, tmp_path: Path):
    (variant,) = brought(place, written(tmp_path / "a.csv", "step,lr,train_loss\n0,0.1,2\n1,0.05,1\n2,0.01,.5\n"))
    assert variant.metric("lr")[1].tolist() == [0.1, 0.05, 0.01]
    assert variant.metric("train_loss")[0].tolist() == [0, 1, 2]


def test_runs_are_told_apart_by_the_abbreviations_of_their_fields(place: BoundWorkspace, tmp_path: Path):
    rows = "lr,wd,step,train_loss\n0.1,1,0,2\n0.1,1,5,1\n0.2,3,0,2\n0.2,3,5,.5\n"
    names = [one.name for one in brought(place, written(tmp_path / "a.csv", rows))]
    assert names == ["toy.sum/v5-seed0-width16-lr0.1", "toy.sum/v5-seed0-width16-lr0.2-wd3"]


def test_what_is_no_number_is_left_out_and_said(place: BoundWorkspace, tmp_path: Path):
    rows = [{"step": step, "train_loss": loss} for step, loss in enumerate((2.0, "high", 10**400))]
    (variant,) = brought(place, written(tmp_path / "a.json", json.dumps(rows)))
    assert variant.metric("train_loss")[0].tolist() == [0]
    facts: Any = place.store.variant_record(variant.name).facts
    assert facts["imported"]["a.json"]["notes"] == ["'train_loss' is left out where it is no number: 'high' in row 2."]


def test_the_row_numbers_of_pandas_are_no_metric(place: BoundWorkspace, tmp_path: Path):
    (variant,) = brought(place, written(tmp_path / "a.csv", ",step,train_loss\n0,0,2\n1,10,1\n"))
    assert sorted(variant.metrics()) == ["train_loss"]


def test_losses_in_a_checkpoint_file_are_taken_alone(place: BoundWorkspace, tmp_path: Path):
    torch.save({"train_losses": torch.tensor([3.0, 2.0]), "config": {"seed": 4}}, tmp_path / "losses.pth")
    (variant,) = brought(place, tmp_path / "losses.pth")
    assert variant.name == "toy.sum/v5-seed4-width16"
    assert [values.tolist() for values in variant.metric("train_loss")] == [[0, 1], [3.0, 2.0]]


def test_one_step_with_two_losses_in_one_file_is_named(place: BoundWorkspace, tmp_path: Path):
    roles = ToyFamily().model(ToyFamily.params()).roles
    held = {name: torch.ones(role.shape) for name, role in roles.items()}
    torch.save({"model": held, "train_losses": [(1, 2.0), (1, 3.0)]}, tmp_path / "step_2.pth")
    with pytest.raises(BadValue) as raised:
        place.adopt(tmp_path / "step_2.pth", family="toy.sum")
    assert str(raised.value) == (
        "step_2.pth records train_loss at step 1 twice.\n"
        "It is 2, and 3.\n"
        "Keep one value for each step, or the runs in files of their own."
    )
