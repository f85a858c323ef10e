"""Trainings of autoencoders, killed or stopped at random moments, end as if nobody had."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from miscope.bound import BoundVariant

SCRIPT = Path(__file__).with_name("killed_autoencoders.py")
TRAININGS = json.loads(SCRIPT.with_suffix(".json").read_text())["each"]


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """The workspace of the interrupted trainings, and the step at which each ended."""
    root = tmp_path_factory.mktemp("interrupted") / "killed"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(root)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout)


def history(variant: BoundVariant) -> dict[str, tuple[list[int], list[float]]]:
    return {name: (each.steps.tolist(), each.values.tolist()) for name, each in variant.metrics().items()}


def kept(variant: BoundVariant) -> Any:
    state = variant.workspace.store.load_training_state(variant.name)
    assert state is not None
    return state


@pytest.mark.parametrize("family", TRAININGS)
def test_an_interrupted_training_ends_in_the_same_bits(
    family: str, ends: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    """Weights, counters of dead latents, running thresholds, Adam's averages, metrics."""
    root, steps = ends
    variant = runpy.run_path(str(SCRIPT))["variant"]
    killed, straight = variant(root, family), variant(tmp_path, family)
    assert steps[family] > 60, "it was killed before it did anything"
    list(straight.train(threads=1, steps=steps[family]))
    expected = history(straight)
    # A gentle stop evaluates and keeps a checkpoint where it stops, which a training left alone has no reason to.
    assert set(straight.steps) <= set(killed.steps)
    for name, (at, values) in history(killed).items():
        found = dict(zip(at, values, strict=True))
        assert {step: found[step] for step in expected[name][0]} == dict(zip(*expected[name], strict=True)), name
    for step in straight.steps:
        one, other = killed.at(step).checkpoint.weights, straight.at(step).checkpoint.weights
        assert set(one) == set(other)
        assert all(torch.equal(one[role], other[role]) for role in other), step
    found, wanted = kept(killed), kept(straight)
    assert set(found.buffers) == set(wanted.buffers)
    assert "steps_since_fired" in wanted.buffers
    assert ("least_kept" in wanted.buffers) == (family.endswith("batchtopk") or family == "sae.matryoshka")
    assert all(torch.equal(found.buffers[name], tensor) for name, tensor in wanted.buffers.items())
    for role, tensors in wanted.optimizer_state.items():
        assert all(torch.equal(found.optimizer_state[role][name], tensor) for name, tensor in tensors.items()), role


def test_what_was_interrupted_had_dead_latents_to_count(ends: tuple[Path, dict[str, int]]) -> None:
    """So what is done about them was interrupted too: the auxiliary loss, drawing anew, pulling up. Gated has none."""
    root, _ = ends
    variant = runpy.run_path(str(SCRIPT))["variant"]
    most = {
        family: max(history(variant(root, family))["train_dead_neurons"][1])
        for family in TRAININGS
        if family != "sae.gated"
    }
    assert all(most.values()), most
