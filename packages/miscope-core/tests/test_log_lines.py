"""The lines of a training's log: at every so many steps, in the words of the family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from miscope.analyzer import Analyzer, Grain
from miscope.bound import open_bound
from miscope.errors import BadValue
from miscope.needs import Needs
from miscope.testing import tables
from miscope.testing.toy import ToyVariation
from miscope.train_options import TrainOptions
from miscope.training.log_lines import watched_and_logged
from miscope.training_command import training_command

NORM = Analyzer(
    name="t.norm",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=lambda m: {"norm": np.array(float(m.weights["W_E"].norm()))},
    needs=Needs(weights=("W_E",)),
)


class Spoken(ToyVariation):
    """The toy, which has a line of its own."""

    name = "toy.spoken"
    title = "Toy: (a + b) mod n, with a line of its own"
    logged = ("t.norm",)

    def bases(self, params: Any) -> Mapping[str, Any]:
        return {}

    def log_line(self, step: int, metrics: Mapping[str, float]) -> str:
        return f"{step}: {metrics['t.norm/norm']:.3f}"


def test_every_nth_step_and_the_last_have_a_line_in_the_familys_words(tmp_path: Path) -> None:
    variant = open_bound(tmp_path, tables(Spoken(), NORM)).variant("toy.spoken", steps=12, checkpoints="every:100")
    seen = list(variant.train(log_every=5, threads=1))
    lines = {progress.step: progress.log for progress in seen if progress.log}
    steps, norms = variant.metric("t.norm/norm")
    assert steps.tolist() == [0, 5, 10, 12]
    assert lines == {int(step): f"{step}: {norm:.3f}" for step, norm in zip(steps, norms, strict=True)}


def test_lines_change_no_weight_and_tell_of_steps_that_are_not_evaluated_otherwise(tmp_path: Path) -> None:
    weights = []
    for place, every in (("without", None), ("with", 5)):
        workspace = open_bound(tmp_path / place, tables(Spoken(), NORM))
        variant = workspace.variant("toy.spoken", steps=12, evaluate_every=6)
        list(variant.train(log_every=every, threads=1))
        *_, last = variant.checkpoints
        weights.append({role: tensor.numpy() for role, tensor in last.weights.items()})
    assert all(np.array_equal(weights[0][role], weights[1][role]) for role in weights[0])
    assert variant.metric("test_loss")[0].tolist() == [0, 5, 6, 10, 12]


def test_a_family_without_a_line_of_its_own_tells_the_metrics(tmp_path: Path) -> None:
    variant = open_bound(tmp_path, tables()).variant("toy.sum", steps=4)
    (first, last) = [progress.log for progress in variant.train(log_every=100, threads=1) if progress.log]
    numbers = {name: variant.metric(name)[1] for name in ("train_loss", "test_loss")}
    assert first.startswith(f"epoch       0 | train_loss {numbers['train_loss'][0]:.4g} | ")
    assert f" | test_loss {numbers['test_loss'][-1]:.4g}" in last


@pytest.mark.parametrize(
    ("watch", "told"),
    [
        ((), ("t.norm:100",)),
        (("ranks.weights",), ("ranks.weights", "t.norm:100")),
        (("t.norm:30", "ranks.weights:7"), ("t.norm:10", "ranks.weights:7")),
        (("t.norm",), ("t.norm:50",)),
        (("t.norm:often",), ("t.norm:often",)),
    ],
)
def test_what_is_watched_too_is_computed_as_often_as_both_need(watch: tuple[str, ...], told: tuple[str, ...]) -> None:
    assert watched_and_logged(TrainOptions(watch=watch, log_every=100), ("t.norm",), 50) == told
    assert watched_and_logged(TrainOptions(watch=watch), ("t.norm",), 50) == watch


def test_no_line_is_had_at_every_noughth_step(tmp_path: Path) -> None:
    with pytest.raises(BadValue) as refused:
        open_bound(tmp_path, tables()).variant("toy.sum").train(log_every=0)
    assert str(refused.value) == (
        "A training does not take log_every=0.\nIt is a whole number, 1 or more.\nGive one, or leave `log_every` out."
    )


def test_the_command_line_prints_them_and_a_request_keeps_them(command: Any, offer: Any, tmp_path: Path) -> None:
    offer("toy", "miscope.testing.toy")
    words = ("train", "toy.sum", "--steps", 4, "--threads", 1, "--log-every", 2, "-w", tmp_path / "ws")
    _, _, err = command(*words)
    assert [line.split("|")[0] for line in err.splitlines() if "|" in line] == [f"epoch {n:7d} " for n in (0, 2, 4)]
    request = open_bound(tmp_path / "ws", tables()).variant("toy.sum").value
    from miscope.train_request import train_request

    assert training_command(train_request(request, TrainOptions(log_every=2))).endswith(" --log-every 2")
