"""Modes of linear systems one knows, and why the clock must be even."""

import numpy as np
import pytest

from miscope.maths.dynamic_modes import bagged, hard_threshold, longest_even, modes

TURN = 0.99504


def system(steps, angle=0.1):
    """A decay by 0.9 a step and a turn by `angle` that loses half a per cent: the closed form of the calibration."""
    c, s = TURN * np.cos(angle), TURN * np.sin(angle)
    matrix = np.array([[0.9, 0, 0], [0, c, -s], [0, s, c]])
    mixed = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 3)))[0]
    return np.array([mixed @ np.linalg.matrix_power(matrix, int(t)) @ [1.0, 1.0, 0.5] for t in steps])


def test_a_linear_system_is_found_exactly():
    states = system(range(60))
    fitted = modes(states, 3)
    assert np.abs(fitted.eigenvalues) == pytest.approx([TURN, TURN, 0.9], abs=1e-9)
    assert np.sort(np.abs(np.angle(fitted.eigenvalues))) == pytest.approx([0, 0.1, 0.1], abs=1e-9)
    assert fitted.predicted == pytest.approx(states[1:], abs=1e-9)


def test_a_fixed_point_elsewhere_changes_no_eigenvalue():
    assert np.abs(modes(system(range(60)) + 7.0, 3).eigenvalues) == pytest.approx([TURN, TURN, 0.9], abs=1e-8)


def test_an_uneven_clock_gives_wrong_eigenvalues():
    steps = np.concatenate([np.arange(0, 40, 2), np.arange(40, 400, 25)])
    wrong = np.abs(modes(system(steps), 3).eigenvalues)
    assert wrong.max() < 0.95


def test_the_longest_even_stretch_is_chosen():
    steps = np.array([0, 1, 2, 10, 20, 30, 40, 45])
    chosen = longest_even(steps)
    assert steps[chosen].tolist() == [10, 20, 30, 40]
    assert longest_even(np.array([3])) == slice(0, 1)
    assert longest_even(np.arange(5)) == slice(0, 5)


def test_bags_of_an_exact_system_agree_and_of_a_noisy_one_spread():
    exact = bagged(system(range(60)), 3, draws=20, seed=0)
    assert np.ptp(np.abs(exact), axis=0).max() < 1e-6
    noise = 0.02 * np.random.default_rng(1).standard_normal((60, 5))
    assert np.ptp(np.abs(bagged(system(range(60)) + noise, 3, draws=20, seed=0)), axis=0).max() > 1e-3


def test_as_many_values_are_kept_as_stand_out_of_noise():
    random = np.random.default_rng(0)
    noisy = random.standard_normal((100, 50)) + 40 * sum(
        np.outer(*(v / np.linalg.norm(v) for v in (random.standard_normal(100), random.standard_normal(50))))
        for _ in range(4)
    )
    assert hard_threshold(np.linalg.svd(noisy, compute_uv=False), (100, 50)) == 4
    assert hard_threshold(np.ones(5), (5, 5)) == 2


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning", "ignore:Input data condition number")
def test_a_library_finds_the_same_modes_where_it_can():
    """pydmd has no free fixed point and takes an uneven clock for an even one: hence the few lines of our own."""
    import pydmd

    def theirs(states):
        fitted = pydmd.DMD(svd_rank=3, exact=True)
        fitted.fit(states.T)
        return np.sort(np.abs(fitted.eigs))

    states = system(range(60))
    assert theirs(states) == pytest.approx(np.sort(np.abs(modes(states, 3).eigenvalues)), abs=1e-9)
    assert theirs(states + 7.0).min() > 0.95, "the decay by 0.9 is lost beside the fixed point's own mode"
