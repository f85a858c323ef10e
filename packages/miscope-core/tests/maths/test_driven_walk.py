"""Driven walks: how strongly a path is driven is found again, and its components are the published ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.maths.driven_walk import Drive, drift_of, drifting, pull_of, pulled
from miscope.maths.path_pca import centred_gram, components_of_gram
from miscope.maths.random_walk import null_of, walk


def relaxing(pull, reach, points=200, dimension=5000, seed=0):
    random = np.random.default_rng(seed)
    place = np.full(dimension, reach / np.sqrt(dimension))
    path = [np.zeros(dimension)]
    for _ in range(points - 1):
        path.append(path[-1] + pull * (place - path[-1]) + random.standard_normal(dimension))
    return np.array(path)


def test_a_walk_with_half_a_sigma_of_drift_has_the_published_components():
    """From `analytic_calibration.json`: 200 points in 20,000 dimensions, each step N(1/2, 1) in every one."""
    steps, dimension = 199, 20_000
    lengths = np.full(steps, np.sqrt(1.25 * dimension))
    drift = drift_of(lengths, np.sqrt(dimension * (steps + 0.25 * steps**2)))
    assert drift**2 == pytest.approx(0.2)
    null = null_of(lambda random: drifting(lengths, dimension, drift, random), draws=100, seed=0, count=4)
    published = np.array([0.984516841, 0.005866624, 0.002886452, 0.001472984])
    assert ((null.explained[0] <= published) & (published <= null.explained[2])).all()


@pytest.mark.parametrize(("pull", "reach"), [(0.05, 500.0), (0.3, 0.0), (0.02, 1000.0)])
def test_pull_and_place_are_found_again(pull, reach):
    drive = pull_of(centred_gram(relaxing(pull, reach)))
    assert drive.pull == pytest.approx(pull, rel=0.03)
    assert drive.reach == pytest.approx(reach, rel=0.03, abs=10)


def test_an_aimless_walk_is_neither_pulled_nor_drifting():
    pulls = [pull_of(centred_gram(relaxing(0.0, 0.0, seed=seed))).pull for seed in range(5)]
    assert max(pulls) < 3e-3, "least squares alone finds 3 / T = 0.015"
    lengths = np.ones(50)
    assert drift_of(lengths, 5.0) == 0
    assert drift_of(lengths, 50.0) == pytest.approx(1)
    assert drift_of(np.ones(1), 1.0) == 0


def test_a_noiseless_approach_is_pulled_by_what_it_goes():
    path = (1 - 0.9 ** np.arange(30))[:, None] * np.array([[3.0, 4.0]])
    drive = pull_of(centred_gram(path))
    assert drive.pull == pytest.approx(0.1, rel=1e-6)
    assert drive.reach == pytest.approx(5, rel=1e-6)


def test_weights_that_stand_still_are_not_pulled():
    assert pull_of(np.zeros((5, 5))) == Drive(pull=0.0, reach=0.0)


@given(seed=st.integers(0, 2**20), drift=st.floats(0, 1), pull=st.floats(0, 1), reach=st.floats(0, 20))
@settings(max_examples=30, deadline=None)
def test_every_step_has_its_length(seed, drift, pull, reach):
    lengths, random = np.linspace(1, 3, 9), np.random.default_rng(seed)
    for points in (
        drifting(lengths, 500, drift, random),
        pulled(lengths, 500, Drive(pull=pull, reach=reach), random),
        pulled(lengths, 4, Drive(pull=pull, reach=reach), random),
    ):
        assert np.linalg.norm(np.diff(points, axis=0), axis=1) == pytest.approx(lengths)


def test_without_drift_or_pull_they_are_random_walks():
    lengths = np.ones(99)
    drawn = (
        lambda random: walk(lengths, 3000, random),
        lambda random: drifting(lengths, 3000, 0.0, random),
        lambda random: pulled(lengths, 3000, Drive(pull=0.0, reach=0.0), random),
    )
    bands = [null_of(draw, draws=60, seed=0, count=2).explained[1] for draw in drawn]
    assert bands[1] == pytest.approx(bands[0], rel=0.01)
    assert bands[2] == pytest.approx(bands[0], rel=0.01)


def test_a_strong_pull_leaves_no_leading_component():
    """In a stationary process all directions are alike; a walk's first component holds six tenths."""
    points = pulled(np.ones(199), 20_000, Drive(pull=0.5, reach=0.0), np.random.default_rng(0))
    assert components_of_gram(centred_gram(points), 1).explained[0] < 0.03
