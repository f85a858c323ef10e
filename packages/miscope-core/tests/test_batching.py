"""Which examples an update sees."""

import torch

from miscope.batching import rows_of_batch


def batch(step: int) -> torch.Tensor:
    return rows_of_batch(step, count=10, size=4, seed=7)


def test_a_pass_sees_every_example_once() -> None:
    assert sorted(torch.cat([batch(step) for step in range(3)]).tolist()) == list(range(10))


def test_passes_differ_in_their_order() -> None:
    first, second = (torch.cat([batch(step) for step in steps]) for steps in (range(3), range(3, 6)))
    assert not torch.equal(first, second)


def test_a_batch_is_a_function_of_the_step() -> None:
    assert torch.equal(batch(17), batch(17))
