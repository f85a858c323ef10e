"""The learning rate is a pure function of the step, and PyTorch's own where PyTorch has the schedule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.optim import lr_scheduler

from miscope.testing import roundings
from miscope.training_config import TrainingConfig


def pytorchs(make: Any, steps: int, rate: float = 0.2) -> list[float]:
    """The rates of the updates from steps 0, 1, ... under a scheduler of PyTorch."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def ours(steps: int, **fields: Any) -> list[float]:
    config = TrainingConfig(learning_rate=0.2, **fields)
    return [config.rate_at(step) for step in range(steps)]


def linear(n: int, end: float) -> Any:
    return lambda optimizer: lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=end, total_iters=n)


def cosine(n: int, end: float) -> Any:
    return lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, T_max=n, eta_min=end * 0.2)


@pytest.mark.parametrize("end", [0.0, 0.1])
@pytest.mark.parametrize(("name", "theirs"), [("linear", linear), ("cosine", cosine)])
def test_a_schedule_is_pytorchs_own(name: str, theirs: Any, end: float):
    rates = ours(51, lr_schedule=name, lr_schedule_steps=50, lr_min_ratio=end)
    # PyTorch multiplies its rate from step to step: each adds a rounding.
    assert roundings(np.array(rates), np.array(pytorchs(theirs(50, end), 51))) < 51


def test_with_a_warmup_and_a_final_decay_it_is_pytorchs_in_sequence():
    def sequence(optimizer: Any) -> Any:
        parts = [
            lr_scheduler.LambdaLR(optimizer, lambda step: step / 5),
            lr_scheduler.CosineAnnealingLR(optimizer, T_max=30, eta_min=0.25 * 0.2),
            lr_scheduler.LambdaLR(optimizer, lambda step: 0.25 * (1 - step / 15)),
        ]
        return lr_scheduler.SequentialLR(optimizer, parts, milestones=[5, 35])

    rates = ours(51, lr_schedule="cosine", warmup_steps=5, lr_schedule_steps=50, lr_min_ratio=0.25, lr_decay_steps=15)
    assert roundings(np.array(rates), np.array(pytorchs(sequence, 51))) < 51


def test_a_constant_rate_with_a_final_decay_is_a_trapezoid():
    rates = ours(12, warmup_steps=2, lr_schedule_steps=10, lr_decay_steps=4)
    assert rates == pytest.approx([0, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.15, 0.1, 0.05, 0, 0])


def test_once_its_schedule_is_over_the_rate_stays():
    assert ours(8, lr_schedule="linear", lr_schedule_steps=4, lr_min_ratio=0.5)[4:] == [0.1] * 4
    assert ours(8, lr_schedule="cosine", lr_schedule_steps=4)[4:] == pytest.approx([0.0] * 4)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"lr_schedule": "cosine"}, "the schedule 'cosine' needs lr_schedule_steps, the step at which it is over"),
        ({"lr_decay_steps": 5}, "a final decay needs lr_schedule_steps, the step at which it is over"),
        (
            {"lr_schedule": "linear", "lr_schedule_steps": 10, "warmup_steps": 4, "lr_decay_steps": 6},
            "lr_schedule_steps=10 leaves no step for the schedule: warmup and final decay take 10",
        ),
        (
            {"lr_schedule_steps": 10, "lr_decay_steps": 11},
            "lr_schedule_steps=10 leaves no step for the schedule: warmup and final decay take 11",
        ),
    ],
)
def test_a_schedule_without_room_is_refused(fields: dict[str, Any], reason: str):
    with pytest.raises(ValidationError) as raised:
        TrainingConfig(**fields)
    assert raised.value.errors()[0]["msg"] == f"Value error, {reason}"
