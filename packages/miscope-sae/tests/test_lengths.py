"""However short a training is, its length is all that has to be said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from miscope.bound import BoundVariant, open_bound
from miscope_sae import autoencoders

SITE = "hook_embed"


@pytest.fixture
def source(tmp_path: Path) -> BoundVariant:
    variant = open_bound(tmp_path / "workspace").variant("sae.known-features", features=12, width=8, inputs=300)
    variant.workspace.value.keep_record(variant.value)
    return variant


@pytest.mark.parametrize("architecture", ["topk", "jumprelu"])
def test_a_training_of_any_length_has_a_rate_that_falls_and_a_schedule_that_ends_with_it(
    source: BoundVariant, architecture: str
) -> None:
    for steps in range(1, 12):
        (one,) = autoencoders(source, SITE, architecture=architecture, steps=steps, allow_out_of_range=True)
        training = one.value.training
        assert training is not None
        assert (training.steps, training.lr_schedule_steps) == (steps, steps)
        assert training.lr_decay_steps == max(1, steps // 5)


@pytest.mark.parametrize("steps", [3, 1500, 2000])
def test_a_rate_that_shall_not_fall_needs_no_schedule(source: BoundVariant, steps: int) -> None:
    (one,) = autoencoders(source, SITE, steps=steps, lr_decay_steps=0, allow_out_of_range=True)
    training = one.value.training
    assert training is not None
    assert (training.lr_schedule_steps, training.lr_decay_steps) == (None, 0)
    assert training.rate_at(steps - 1) == training.learning_rate


def test_one_update_is_made(source: BoundVariant) -> None:
    (one,) = autoencoders(source, SITE, steps=1, allow_out_of_range=True)
    list(one.train(threads=1))
    assert one.steps == [0, 1]
    fvu = one.metrics()["test_fvu"].values
    assert fvu[0] != fvu[1]
