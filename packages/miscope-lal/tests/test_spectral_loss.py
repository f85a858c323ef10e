"""The spectral loss: the values of solved tasks, of a constant, and its slopes."""

from __future__ import annotations

import pytest
import torch

from miscope_lal.spectral_loss import low_frequencies, spectral_loss


def solved(p: int, operation: str) -> torch.Tensor:
    a, b = torch.meshgrid(torch.arange(p), torch.arange(p), indexing="ij")
    answer = (a + b) % p if operation == "add" else (a * b) % p
    return 60 * torch.nn.functional.one_hot(answer, p).double()


@pytest.mark.parametrize(
    ("p", "operation", "with_constant", "without"),
    [
        *((7, "add", 0.6923, 0.0), (7, "multiply", 0.6593, 0.1622), (17, "add", 0.9391, 0.7767)),
        *((17, "multiply", 0.7672, 0.2623), (53, "add", 0.9853, 0.9430), (53, "multiply", 0.7889, 0.2214)),
        *((113, "add", 0.9929, 0.9719), (113, "multiply", 0.7938, 0.2067)),
    ],
)
def test_a_solved_task_is_as_smooth_as_its_table(p, operation, with_constant, without):
    logits = solved(p, operation)
    assert 1 - float(spectral_loss(logits, cutoff=p // 4)) == pytest.approx(with_constant, abs=5e-5)
    plain = spectral_loss(logits, cutoff=p // 4, exclude_constant=True)
    assert 1 - float(plain) == pytest.approx(without, abs=5e-5)


def test_a_constant_prediction_is_smooth_until_the_constant_is_left_out():
    logits = torch.zeros(5, 5, 5, dtype=torch.float64)
    assert float(spectral_loss(logits, cutoff=1)) == pytest.approx(0, abs=1e-9)
    assert float(spectral_loss(logits, cutoff=1, exclude_constant=True)) == pytest.approx(1)


@pytest.mark.parametrize(("rows", "columns"), [(7, 7), (7, 6), (4, 9)])
def test_low_frequencies_lie_in_a_circle_around_the_constant(rows, columns):
    low, counted = low_frequencies(rows, columns, cutoff=2, exclude_constant=False)
    distance = torch.fft.fftfreq(rows)[:, None] ** 2 + torch.fft.fftfreq(columns) ** 2
    assert torch.equal(low, distance <= (2 / max(rows, columns)) ** 2 + 1e-6)
    assert counted.all()
    low, counted = low_frequencies(rows, columns, cutoff=2, exclude_constant=True)
    assert int(counted.sum()) == rows * columns - 1
    assert not low[0, 0]


def test_the_loss_of_several_grids_is_their_mean():
    both = torch.stack([solved(7, "add"), solved(7, "multiply")])
    alone = [float(spectral_loss(one, cutoff=1)) for one in both]
    assert float(spectral_loss(both, cutoff=1)) == pytest.approx(sum(alone) / 2)


def test_its_slopes_are_exact_and_have_slopes_too():
    logits = torch.randn(3, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: spectral_loss(z, cutoff=1), (logits,))
    assert torch.autograd.gradgradcheck(lambda z: spectral_loss(z, cutoff=1, exclude_constant=True), (logits,))
