"""Path PCA and its random-walk null, against closed forms and exact linear algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.maths.path_pca import centred_gram, components_of_gram, cosine_agreement, loop_area, shapes
from miscope.maths.random_walk import effective_dimension, leading_scores, walk, walk_null

THEORY = 6 / (np.pi * np.arange(1, 5)) ** 2


@pytest.fixture(scope="module")
def null():
    return walk_null(np.ones(199), 20_000, draws=200, seed=0, count=4)


def test_the_null_has_the_ratios_and_the_loop_of_the_closed_form(null):
    assert null.explained[1] == pytest.approx(THEORY, rel=0.01)
    assert null.area[1] == pytest.approx([0.664, 0.397], abs=0.01)
    assert (null.cosine[0, :2] > 0.9995).all()


def test_a_real_random_walk_lies_in_the_bands(null):
    points = np.cumsum(np.random.default_rng(1).standard_normal((200, 20_000)), axis=0)
    components = components_of_gram(centred_gram(points), 4)
    assert components.explained == pytest.approx([0.607, 0.153, 0.067, 0.038], abs=0.002)
    assert ((null.explained[0] <= components.explained) & (components.explained <= null.explained[2])).all()
    assert shapes(components.scores)[1] == pytest.approx(0.397, abs=0.01)
    assert (cosine_agreement(components.scores)[:2] > 0.9995).all()


def test_a_component_that_does_not_vary_is_like_no_cosine():
    t = np.pi * (np.arange(50) + 0.5) / 50
    still = np.stack([np.cos(t), np.zeros(50)], axis=1)
    assert cosine_agreement(still) == pytest.approx([1, np.nan], nan_ok=True)


def test_the_band_holds_nineteen_of_twenty_walks():
    random = np.random.default_rng(2)
    band = walk_null(np.ones(59), 300, draws=300, seed=0, count=2).explained[:, 0]
    inside = 0
    for _ in range(200):
        steps = random.standard_normal((59, 300))
        steps /= np.linalg.norm(steps, axis=1, keepdims=True)
        points = np.concatenate([np.zeros((1, 300)), np.cumsum(steps, axis=0)])
        inside += band[0] <= components_of_gram(centred_gram(points), 1).explained[0] <= band[2]
    assert 178 <= inside <= 199


def test_bartlett_draws_distances_like_walking_does():
    lengths, random = np.linspace(2, 0.5, 30), np.random.default_rng(0)
    short = [np.linalg.norm(walk(lengths, 40, random)[-1]) for _ in range(400)]
    steps = random.standard_normal((400, 30, 40))
    steps *= lengths[:, None] / np.linalg.norm(steps, axis=2, keepdims=True)
    long = np.linalg.norm(steps.sum(axis=1), axis=1)
    assert np.mean(short) == pytest.approx(np.mean(long), rel=0.02)
    assert np.std(short) == pytest.approx(np.std(long), rel=0.15)


@pytest.mark.parametrize("dimension", [3, 8, 9, 1000])
def test_every_step_of_a_walk_has_its_length(dimension):
    lengths = np.arange(1.0, 9.0)
    points = walk(lengths, dimension, np.random.default_rng(0))
    assert np.linalg.norm(np.diff(points, axis=0), axis=1) == pytest.approx(lengths)


@pytest.mark.parametrize("steps", [150, 30, 12])
def test_leading_components_agree_with_the_exact_ones(steps):
    points = walk(np.geomspace(1, 0.01, steps), 5000, np.random.default_rng(3))
    scores, explained = leading_scores(points, 4)
    exact = components_of_gram(centred_gram(points), 4)
    assert explained == pytest.approx(exact.explained, rel=1e-9)
    assert np.abs(scores) == pytest.approx(np.abs(exact.scores), abs=1e-6)


def test_scores_are_those_of_a_singular_value_decomposition():
    points = np.random.default_rng(0).normal(size=(12, 40_000))
    left, values, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    components = components_of_gram(centred_gram(points), 5)
    assert np.abs(components.scores) == pytest.approx(np.abs(left[:, :5] * values[:5]), rel=1e-6)
    assert components.explained == pytest.approx((values**2 / (values**2).sum())[:5])


@given(seed=st.integers(0, 2**31), shift=st.floats(-10, 10))
@settings(deadline=None, max_examples=25)
def test_turning_and_shifting_the_space_changes_nothing(seed, shift):
    random = np.random.default_rng(seed)
    points, turn = np.cumsum(random.normal(size=(15, 8)), axis=0), np.linalg.qr(random.normal(size=(8, 8)))[0]
    plain, moved = centred_gram(points), centred_gram(points @ turn + shift)
    assert moved == pytest.approx(plain, abs=1e-8)


def test_a_path_has_one_component_less_than_points():
    components = components_of_gram(centred_gram(np.random.default_rng(0).normal(size=(4, 50))), 10)
    assert components.scores.shape == (4, 3)
    assert components.explained.sum() == pytest.approx(1)


def test_a_path_that_stands_still_has_no_components():
    components = components_of_gram(centred_gram(np.ones((5, 7))), 3)
    assert components.explained.tolist() == [0, 0, 0]
    assert loop_area(*components.scores[:, :2].T) == 0


def test_the_area_of_a_circle_and_of_a_line():
    t = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    assert loop_area(np.cos(t), np.sin(t)) == pytest.approx(np.pi / 4, abs=1e-3)
    assert loop_area(t, 2 * t) == pytest.approx(0, abs=1e-9)


def test_several_paths_are_described_as_each_of_them_alone():
    paths = np.random.default_rng(0).normal(size=(3, 20, 4)).cumsum(axis=1)
    assert shapes(paths) == pytest.approx(np.array([shapes(path) for path in paths]))
    assert cosine_agreement(paths) == pytest.approx(np.array([cosine_agreement(path) for path in paths]))
    assert np.isnan(shapes(paths[..., :2])[:, 1]).all()


def test_the_effective_dimension_is_that_of_the_cosine_between_two_steps():
    assert effective_dimension([3.0, 1.0], [300, 100]) == 400
    assert effective_dimension([0.0, 0.0], [300, 100]) == 400
    scale = np.repeat([1.0, 0.1], [60, 4000])
    steps = np.random.default_rng(0).standard_normal((2, 4000, 4060)) * scale
    cosine = np.einsum("nd,nd->n", *steps) / np.linalg.norm(steps, axis=2).prod(axis=0)
    expected = effective_dimension([60.0, 40.0], [60, 4000])
    assert expected == 166
    assert 1 / np.mean(cosine**2) == pytest.approx(expected, rel=0.08)
