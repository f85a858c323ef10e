"""Stages where pace changes, and none in a random walk; the partition against brute force and ruptures."""

import itertools

import numpy as np
import pytest

from miscope.analyzers.stages import StageOptions, change_points
from miscope.errors import DoesNotApply
from miscope.maths.partition import Costs, gaussian_gram, optimal_partition
from miscope.maths.run_length import change_probability, run_lengths
from miscope.maths.stages import agreed, cut, limits, scores
from miscope.snapshot import Trajectory
from miscope.testing import toy_snapshot


def boundaries(values, clock=None, draws=60):
    """Where two methods agree in these series (T, m)."""
    points = scores(values, np.arange(len(values), dtype=float) if clock is None else clock)
    held = limits(points, least=4, level=0.05, draws=draws, seed=0)
    return [at for at, _ in agreed(cut(points, held, least=4).by, within=2, methods=2)]


def walk(seed, heavy=False):
    random = np.random.default_rng(seed)
    common = random.standard_normal((60, 1))
    steps = random.standard_cauchy((60, 5)) if heavy else random.standard_normal((60, 5)) + common
    return np.cumsum(steps, axis=0)


def test_a_random_walk_has_one_stage():
    assert sum(bool(boundaries(walk(seed, heavy=seed % 2 == 0), draws=30)) for seed in range(6)) <= 1


@pytest.mark.slow
def test_random_walks_have_one_stage_in_95_of_100_draws():
    cut = sum(bool(boundaries(walk(seed, heavy=seed % 4 == 0))) for seed in range(200))
    assert cut <= 10


def test_a_change_of_pace_is_found_where_it_is():
    random = np.random.default_rng(1)
    pace = np.repeat([1.0, -1.0, 0.2], [25, 30, 25])[:, None] + 0.5 * random.standard_normal((80, 5))
    places = boundaries(np.cumsum(pace, axis=0))
    assert len(places) == 2
    assert places == pytest.approx([25, 55], abs=2)


def test_uneven_checkpoints_are_no_change_of_pace():
    random = np.random.default_rng(2)
    clock = np.concatenate([np.arange(30) * 1.0, 30 + 20.0 * np.arange(30)])
    values = 0.1 * clock[:, None] + 1e-3 * random.standard_normal((60, 4))
    pace = np.diff(values, axis=0) / np.diff(clock)[:, None]
    assert pace == pytest.approx(0.1, abs=0.01)
    assert scores(values, clock).std() == pytest.approx(scores(walk(0), np.arange(60.0)).std(), rel=0.1)


def test_a_series_that_never_moves_says_nothing():
    assert not scores(np.ones((20, 3)), np.arange(20.0)).any()
    assert boundaries(np.ones((40, 3)), draws=10) == []


def test_the_partition_is_the_cheapest_of_all():
    random = np.random.default_rng(3)
    points = random.standard_normal((11, 2)) + np.repeat([0, 2, -1], [4, 3, 4])[:, None]
    costs, penalty = Costs(points @ points.T), 3.0

    def price(cuts):
        parts = [points[a:b] for a, b in itertools.pairwise([0, *cuts, 11])]
        return sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts) + penalty * len(cuts)

    every = [
        cuts
        for size in range(5)
        for cuts in itertools.combinations(range(1, 11), size)
        if all(b - a >= 2 for a, b in itertools.pairwise([0, *cuts, 11]))
    ]
    assert tuple(optimal_partition(costs, penalty, 2)) == min(every, key=price)
    assert costs.table[2, 7] == pytest.approx(((points[2:7] - points[2:7].mean(axis=0)) ** 2).sum())


def price_of(costs, cuts, penalty):
    return sum(costs.table[a, b] for a, b in itertools.pairwise([0, *cuts, costs.size])) + penalty * len(cuts)


def stepping(seed, count=90):
    random = np.random.default_rng(seed)
    level = np.cumsum(random.random(count) < 4 / count)
    return random.standard_normal((count, 3)) + 1.2 * random.standard_normal((count, 3))[level]


@pytest.mark.parametrize("seed", range(20))
def test_the_partition_by_the_mean_is_that_of_ruptures(seed):
    ruptures = pytest.importorskip("ruptures")
    points = stepping(seed)
    theirs = ruptures.KernelCPD(kernel="linear", min_size=4).fit(points).predict(pen=9.0)
    assert optimal_partition(Costs(points @ points.T), 9.0, 4) == theirs[:-1]


def test_the_partition_by_the_distribution_costs_no_more_than_that_of_ruptures_and_hardly_less():
    """Its kernel clips distances, so that now and then it stops short of the least cost; never the other way."""
    ruptures = pytest.importorskip("ruptures")
    same, gap = 0, []
    for seed in range(40):
        points = stepping(seed)
        gram = gaussian_gram(points)
        width = -np.log(gram[0, 1]) / ((points[0] - points[1]) ** 2).sum()
        algorithm = ruptures.KernelCPD(kernel="rbf", min_size=4, params={"gamma": width})
        theirs, ours = algorithm.fit(points).predict(pen=1.0)[:-1], optimal_partition(Costs(gram), 1.0, 4)
        same += ours == theirs
        gap.append(price_of(Costs(gram), theirs, 1.0) - price_of(Costs(gram), ours, 1.0))
    assert same >= 36
    assert min(gap) >= -1e-9
    assert max(gap) < 0.1


def test_too_few_points_cannot_be_cut():
    points = np.random.default_rng(0).standard_normal((6, 2))
    costs = Costs(points @ points.T)
    assert costs.best_cut(4) == 0
    assert optimal_partition(costs, 0.0, 4) == []


def test_run_lengths_are_the_exact_posterior():
    """Against every way to cut five points, weighed by its prior and its marginal likelihood."""
    points, hazard = np.array([0.3, -0.2, 2.5, 2.2, 2.9]), 0.2

    def evidence(part):
        covariance = np.eye(len(part)) + 1
        return np.exp(-0.5 * part @ np.linalg.solve(covariance, part)) / np.sqrt(np.linalg.det(2 * np.pi * covariance))

    weight = np.zeros(5)
    for size in range(5):
        for cuts in itertools.combinations(range(1, 5), size):
            edges = [0, *cuts, 5]
            likelihood = np.prod([evidence(points[a:b]) for a, b in itertools.pairwise(edges)])
            weight[edges[-2]] += likelihood * hazard**size * (1 - hazard) ** (4 - size)
    posterior = run_lengths(points[:, None], hazard=hazard)
    np.testing.assert_allclose(posterior[-1], weight / weight.sum(), rtol=1e-9)
    assert posterior.sum(axis=1) == pytest.approx(1)


def test_a_jump_is_certain_once_enough_has_followed():
    points = np.repeat([-1.5, 1.5], 15)[:, None] * np.ones(4)
    probability = change_probability(points, hazard=0.02)
    assert probability.argmax() == 15
    assert probability[15] > 0.99
    assert np.delete(probability, [14, 15, 16]).max() < 0.05


def test_methods_agree_within_their_tolerance_and_each_counts_once():
    by = {"mean": [10, 40], "distribution": [12, 60], "online": [11, 44]}
    assert agreed(by, within=2, methods=2) == [(11, 3)]
    assert agreed(by, within=4, methods=2) == [(11, 3), (42, 2)]
    assert agreed({"mean": [10, 11], "distribution": [], "online": []}, within=2, methods=2) == []


def trained(count, train=True):
    t = np.arange(count) * 10.0
    noise = 1e-3 * np.random.default_rng(0).standard_normal((4, count))
    fall = 5 - 4.9 * np.clip((t - 200) / 200, 0, 1)
    names, signs = ("loss", "entropy", "accuracy", "margin_mean"), (1, 1, -1, -1)
    parts = ("train", "test") if train else ("all",)
    kinds = {name: sign * fall + rough for name, sign, rough in zip(names, signs, noise, strict=True)}
    return Trajectory(
        variant=toy_snapshot().variant,
        steps=t.astype(int),
        options=StageOptions(draws=20),
        probe=None,
        artifacts={
            "behaviour.metrics": {f"{part}_{kind}": values for part in parts for kind, values in kinds.items()},
            "parameters.norms": {"total/squares": 10 + t, "total/l1": 5 + t},
        },
    )


def test_a_fall_is_a_stage_of_its_own_with_intervals_about_its_edges():
    outputs = change_points(trained(60))
    assert outputs["boundary_count"] == len(outputs["consensus"]) >= 2
    assert outputs["consensus"] == pytest.approx([200, 400], abs=20)
    assert (outputs["ci"][:, 0] <= outputs["consensus"]).all()
    assert (outputs["consensus"] <= outputs["ci"][:, 1]).all()
    assert outputs["boundary"].shape == (3, 60)


def test_three_checkpoints_are_one_stage_and_two_are_refused():
    outputs = change_points(trained(3, train=False))
    assert (outputs["stage_count"], outputs["ci"].shape) == (1, (0, 2))
    with pytest.raises(DoesNotApply, match="stages need 3 checkpoints, and it has 2"):
        change_points(trained(2))
