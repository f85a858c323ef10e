"""Trainings of every kind of objective, killed at random moments, end as if nobody had killed them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from miscope.bound import BoundVariant, open_bound
from miscope.testing import tables
from miscope.testing.toy_autoencoder import ToyAutoencoder
from miscope.testing.toy_gated import ToyGated
from miscope.testing.toy_sequences import ToySequences

FIELDS: dict[str, dict[str, Any]] = {
    "toy.gated": {},
    "toy.sequences": {},
    "toy.autoencoder": {"variant": "toy.sum/v5-seed0-width16"},
}


def opened(root: Path, family: str) -> BoundVariant:
    place = open_bound(root, tables(ToyAutoencoder(), ToyGated(), ToySequences()))
    if "variant" in FIELDS[family]:
        list(place.variant("toy.sum").train(threads=1))
    return place.variant(family, checkpoints="adaptive:3-20", batch_size=4, **FIELDS[family])


def history(variant: BoundVariant) -> dict[str, tuple[list[int], list[float]]]:
    return {name: (each.steps.tolist(), each.values.tolist()) for name, each in variant.metrics().items()}


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """The workspace of the killed trainings, and the step at which the last of each family ended."""
    root = tmp_path_factory.mktemp("resumed") / "killed"
    asked = json.dumps([{"family": family, **fields} for family, fields in FIELDS.items()])
    words = [sys.executable, str(Path(__file__).with_name("killed_trainings.py")), str(root), "5", asked]
    done = subprocess.run(
        words, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return root, dict(zip(FIELDS, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("family", FIELDS)
def test_a_killed_training_ends_in_the_same_weights_optimizer_and_buffers(
    family: str, ends: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    root, steps = ends[0], ends[1][family]
    assert steps > 25, "the trainings were killed before they did anything"
    killed, straight = opened(root, family), opened(tmp_path / "straight", family)
    list(straight.train(threads=1, steps=steps))
    assert killed.steps == straight.steps
    assert history(killed) == history(straight)
    for step in straight.steps:
        one, other = killed.at(step).checkpoint.weights, straight.at(step).checkpoint.weights
        assert all(torch.equal(one[role], other[role]) for role in other), step
    kept, expected = (each.workspace.store.load_training_state(each.name) for each in (killed, straight))
    assert kept is not None
    assert expected is not None
    assert set(kept.buffers) == set(expected.buffers)
    assert bool(kept.buffers) == (family == "toy.autoencoder")
    assert all(torch.equal(kept.buffers[name], tensor) for name, tensor in expected.buffers.items())
    for role, tensors in expected.optimizer_state.items():
        assert all(torch.equal(kept.optimizer_state[role][name], tensor) for name, tensor in tensors.items()), role
