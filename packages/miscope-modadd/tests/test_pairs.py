"""All pairs, and which are trained on."""

import random

import numpy as np
import pytest
import torch

from miscope_modadd.pairs import grid_probe, pairs, paper_split, random_split


@pytest.mark.parametrize(
    ("prime", "seed", "first", "count"),
    [
        (113, 598, [2404, 3488, 5321, 9739, 11270], 3830),
        (113, 999, [2592, 4637, 8095, 1140, 9712], 3830),
        (109, 598, [3812, 4928, 2250, 11595, 59], 3564),
        (101, 598, [2838, 7688, 9145, 8445, 8237], 3060),
        (59, 598, [2846, 1448, 3188, 947, 437], 1044),
    ],
)
def test_the_split_is_the_original_one(prime: int, seed: int, first: list[int], count: int) -> None:
    chosen = random_split(prime, 0.3, seed)
    assert (chosen[:5].tolist(), len(chosen)) == (first, count)


def test_the_papers_split_is_pythons_shuffle_of_the_list_of_pairs() -> None:
    state = random.getstate()
    random.seed(1)
    listed = [(i, j, 113) for i in range(113) for j in range(113)]
    random.shuffle(listed)
    random.setstate(state)
    chosen = pairs(113, equals=True)[paper_split(113, 0.3, 1)]
    assert chosen.tolist() == [list(row) for row in listed[: int(0.3 * len(listed))]]


def test_drawing_a_split_leaves_global_generators_alone() -> None:
    before = torch.get_rng_state(), random.getstate()
    random_split(7, 0.3, 1)
    paper_split(7, 0.3, 1)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]


def test_the_probe_knows_its_factors_its_answers_and_its_symmetry() -> None:
    probe = grid_probe(pairs(5, equals=True), torch.tensor([3, 7]))
    a, b = np.divmod(np.arange(25), 5)
    assert probe.shape == (5, 5)
    assert np.array_equal(probe.columns["a"], a)
    assert np.array_equal(probe.columns["b"], b)
    assert np.array_equal(probe.columns["sum"], (a + b) % 5)
    assert probe.labels is not None
    assert np.array_equal(probe.labels.numpy(), (a + b) % 5)
    assert probe.train is not None
    assert np.flatnonzero(probe.train).tolist() == [3, 7]
    swapped = probe.inputs.numpy()[probe.symmetries["swap"]]
    assert np.array_equal(swapped[:, :2], probe.inputs.numpy()[:, 1::-1])
