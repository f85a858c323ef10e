"""The order of learning: by hand, on orders one knows, and on the paper's models."""

import numpy as np
import pytest
import torch

from miscope.analyzers.learning import CORRECTNESS, OrderOptions, order
from miscope.errors import DoesNotApply
from miscope.maths.graduation import agreement, forgotten, graduation
from miscope.maths.kaplan_meier import kaplan_meier
from miscope.snapshot import Snapshot, Trajectory
from miscope.testing import toy_snapshot

STEPS = np.array([0, 10, 20, 30, 40, 50])
N = 25


def computed(nll, right, steps=STEPS, **options):
    stored = {"nll": np.asarray(nll, np.float16), "correct": np.packbits(right, axis=1)}
    snapshot = toy_snapshot()
    return order(
        Trajectory(
            variant=snapshot.variant,
            steps=steps,
            options=OrderOptions(**options),
            probe=snapshot.probe,
            artifacts={"learning.correctness": stored},
        )
    )


def from_steps(at):
    """Answers that are right from row at[i] on, for good."""
    right = np.arange(len(STEPS))[:, None] >= np.asarray(at)[None, :]
    return np.where(right, 0.01, 3.0), right


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_every_answer_of_the_papers_models(calibration, name):
    model = calibration(name)
    outputs = CORRECTNESS.compute(Snapshot(options=None, **model.shown))
    right = np.unpackbits(outputs["correct"], count=113 * 113)
    assert right.mean() == pytest.approx({"wd_1": 1.0, "low_": 0.99945}[name[:4]], abs=5e-6)
    assert outputs["right_count"] == right.sum()
    if name.startswith("low"):
        # fp16 keeps three digits of each loss, so their mean is good to as much.
        theirs = 3.0452e-4 * 0.3 + 3.9950e-3 * 0.7
        assert outputs["nll"].astype(float).mean() == pytest.approx(theirs, rel=2e-3)
    assert outputs["correct"].nbytes + outputs["nll"].nbytes < 40_000


def test_a_tie_is_not_right_and_chance_is_the_log_of_the_number_of_answers():
    outputs = CORRECTNESS.compute(toy_snapshot(activations={"logits": torch.zeros(N, 5)}))
    assert outputs["right_count"] == 0
    assert outputs["nll"] == pytest.approx(np.log(5), rel=1e-3)


def test_an_input_graduates_when_it_is_right_so_many_times_in_a_row():
    right = np.array([[1, 0, 1, 1, 1, 1], [1, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1]], dtype=bool).T
    assert graduation(right, STEPS, 1).tolist() == [0, 0, 50]
    np.testing.assert_array_equal(graduation(right, STEPS, 2), [20, 0, np.nan])
    np.testing.assert_array_equal(graduation(right, STEPS, 3), [20, np.nan, np.nan])
    assert np.isnan(graduation(right, STEPS, 7)).all()
    assert forgotten(right).sum(axis=0).tolist() == [1, 2, 0]


def test_without_censoring_survival_is_what_is_left_with_the_binomials_variance():
    time = np.array([1.0, 2, 2, 3, 5, 5, 5, 8])
    curve = kaplan_meier(time, np.ones(8, dtype=bool), np.arange(9.0))
    np.testing.assert_allclose(curve.share, [np.mean(time > t) for t in range(9)])
    assert curve.median == 3
    share = curve.share[3]
    spread = np.exp(1.959963984540054 * np.sqrt((1 - share) / (share * 8)) / abs(np.log(share)))
    assert curve.low[3] == pytest.approx(share**spread)
    assert curve.high[3] == pytest.approx(share ** (1 / spread))
    assert np.isnan(curve.low[[0, 8]]).all()


def test_survival_of_the_remission_times_of_freireich():
    """6-MP arm of Freireich et al. 1963, the textbook example: S(6), S(10), S(23) and Greenwood's error of S(10)."""
    time = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35], dtype=float)
    seen = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    curve = kaplan_meier(time, seen, np.arange(36.0))
    assert curve.share[[6, 7, 10, 13, 16, 22, 23]] == pytest.approx(
        [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5
    )
    assert (curve.low[10], curve.high[10]) == pytest.approx((0.5032, 0.8894), abs=5e-5)
    assert curve.median == 23


@pytest.mark.parametrize("n", [4, 24, 38, 44])
def test_half_of_an_even_number_is_a_half_however_the_product_of_shares_is_rounded(n: int):
    curve = kaplan_meier(np.arange(float(n)), np.ones(n, dtype=bool), np.arange(float(n)))
    assert curve.median == n / 2 - 1


def test_train_and_test_are_told_apart_and_those_never_learnt_are_censored():
    train = toy_snapshot().probe.train
    at = np.where(train, 1, 3)
    at[np.flatnonzero(~train)[0]] = 99
    outputs = computed(*from_steps(at))
    assert outputs["unlearnt/train/median"] == 10
    assert outputs["unlearnt/test/median"] == 30
    assert (outputs["unlearnt/train/censored"], outputs["unlearnt/test/censored"]) == (0, 1)
    np.testing.assert_allclose(outputs["unlearnt/train/share"][:4], [1, 0, 0, 0])
    assert outputs["unlearnt/test/share"][3] == pytest.approx(1 / (~train).sum())
    assert np.isnan(outputs["unlearnt/test/share"][4:]).all()
    assert int(outputs["unlearnt/leaked/count"] + outputs["unlearnt/clean/count"]) == (~train).sum()
    assert np.isnan(outputs["graduation/3"]).sum() == 1


def test_deciles_of_a_known_order_and_the_share_that_is_never_learnt():
    train = toy_snapshot().probe.train
    test = np.flatnonzero(~train)
    at = np.zeros(N, dtype=int)
    # Of ten test inputs two are learnt at 10, four at 20, two at 30, and two never.
    at[test] = [1, 1, 2, 2, 2, 2, 3, 3, 99, 99]
    outputs = computed(*from_steps(at))
    assert [outputs[f"learnt/train/p{q}"] for q in (10, 50, 90)] == [0, 0, 0]
    assert [outputs[f"learnt/test/p{q}"] for q in (10, 50)] == [10, 20]
    assert np.isnan(outputs["learnt/test/p90"])
    assert (outputs["learnt/train/never"], outputs["learnt/test/never"]) == (0, 0.2)
    assert outputs["learnt/test/p50"] == outputs["unlearnt/test/median"]
    assert all(array.ndim == 0 for name, array in outputs.items() if name.startswith("learnt/"))


def test_pairs_and_their_images_learnt_together_are_told_in_one_number():
    probe = toy_snapshot().probe
    a, b = np.divmod(np.arange(N), 5)
    (name,) = probe.symmetries
    outputs = computed(*from_steps(np.minimum(a, b)), window=1)
    assert outputs[f"symmetry/{name}/all/pearson"] == pytest.approx(1)
    assert outputs[f"symmetry/{name}/all/pearson"].ndim == 0
    noise = computed(*from_steps(np.random.default_rng(0).integers(0, 5, size=N)), window=1)
    assert abs(noise[f"symmetry/{name}/all/pearson"]) < 0.6


def test_forgetting_and_cartography_by_hand():
    at = np.ones(N, dtype=int)
    nll, right = from_steps(at)
    right[3, :] = False
    outputs = computed(nll, right)
    assert set(outputs["forgotten"]) == {1}
    lost = outputs["forgetting/train/lost"] + outputs["forgetting/test/lost"]
    assert lost.tolist() == [0, 0, N, 0, 0]
    assert outputs["forgetting/test/unforgettable"] == 0
    assert outputs["correctness"] == pytest.approx(4 / 6)
    probability = np.exp(-np.where(np.arange(6) >= 1, 0.01, 3.0))
    assert outputs["confidence"] == pytest.approx(probability.mean(), rel=1e-3)
    assert outputs["variability"] == pytest.approx(probability.std(), rel=1e-3)


def test_a_symmetric_order_agrees_with_its_image_and_a_random_one_with_nothing():
    random = np.random.default_rng(0)
    a, b = np.divmod(np.arange(900), 30)
    swap = b * 30 + a
    everything = np.ones(900, dtype=bool)
    same = agreement((a + b).astype(float), swap, everything, draws=100, seed=0)
    assert (same.pearson, same.spearman) == pytest.approx((1, 1))
    assert same.p == pytest.approx(1 / 101)
    assert same.pairs == 900 - 30
    noise = [agreement(random.normal(size=900), swap, everything, draws=100, seed=0) for _ in range(40)]
    inside = np.mean([each.null[0] <= each.spearman <= each.null[1] for each in noise])
    assert 0.85 <= inside <= 1
    assert np.mean([each.p <= 0.05 for each in noise]) <= 0.15


def test_half_shared_order_correlates_by_a_half():
    random = np.random.default_rng(1)
    a, b = np.divmod(np.arange(10_000), 100)
    shared = random.normal(size=(100, 100))
    values = ((shared + shared.T) / np.sqrt(2)).ravel() + random.normal(size=10_000)
    agreed = agreement(values, b * 100 + a, np.ones(10_000, dtype=bool), draws=20, seed=0)
    assert agreed.pearson == pytest.approx(0.5, abs=0.03)


def test_nothing_is_said_of_a_symmetry_where_all_are_learnt_at_once():
    outputs = computed(*from_steps(np.ones(N, dtype=int)))
    assert not [name for name in outputs if name.startswith("symmetry")]


def test_a_class_is_dated_by_its_median_and_undated_where_half_are_never_learnt():
    probe = toy_snapshot().probe
    labels = probe.labels.numpy()
    outputs = computed(*from_steps(np.where(labels == 2, 99, labels)), window=1)
    assert outputs["class"].tolist() == list("01234")
    middle = outputs["class/train/quartile"][:, 1]
    np.testing.assert_array_equal(middle, [0, 10, np.nan, 30, 40])


def test_few_checkpoints_shorten_the_window_and_one_is_too_few():
    nll, right = from_steps(np.ones(N, dtype=int))
    outputs = computed(nll[:2], right[:2], steps=STEPS[:2])
    assert outputs["window"] == 2
    assert np.isnan(outputs["graduation/2"]).all()
    with pytest.raises(DoesNotApply) as raised:
        computed(nll[:1], right[:1], steps=STEPS[:1])
    assert raised.value.reason == "an order needs 2 checkpoints, and it has 1"
