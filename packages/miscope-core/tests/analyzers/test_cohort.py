"""Several variants together, by hand and against nulls."""

import dataclasses

import numpy as np
import pytest
import torch

from miscope.analyzers.cohort import CLUSTERS, EVENTS_OF_ALL, LEARNING, LOSSES, ORDER, SPECTRA, WEIGHTS
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.probe import Probe
from miscope.snapshot import Cohort, Series, Trajectory
from miscope.testing.toy import ToyFourierFamily, cosines

SITE = "blocks.0.mlp.hook_post"
STEPS = np.array([0, 10])


ALL = (LOSSES, EVENTS_OF_ALL, SPECTRA, WEIGHTS, CLUSTERS, LEARNING, ORDER)


def member(seed, artifacts=None, metrics=None, weights=None, bases=None):
    family = ToyFourierFamily()
    variant = make_variant(family, {"seed": seed})
    return Trajectory(
        variant=variant,
        steps=STEPS,
        options=None,
        probe=next(iter(family.probes(variant).values())),
        artifacts=artifacts or {},
        metrics=metrics or {},
        weights=weights or {},
        bases=bases or {},
    )


def cohort(analyzer, members, **options):
    return analyzer.compute(Cohort(members=tuple(members), options=analyzer.options(**options)))


def curve(values, every=1):
    return Series(steps=np.arange(len(values)) * every, values=np.array(values, dtype=np.float64))


def falling(seed, start, generalised=np.nan):
    """A loss that is 1 until `start` and 1e-6 from there on."""
    loss = np.where(np.arange(101) < start, 1.0, 1e-6)
    return member(seed, {"events.grokking": {"generalised": np.array(generalised)}}, {"test_loss": curve(loss)})


def test_the_median_course_is_that_of_the_middle_variant():
    outputs = cohort(LOSSES, [falling(1, 20), falling(2, 40), falling(3, 90)], points=101)

    least, lower, median, upper, greatest = outputs["step/test_loss/band"]
    assert [int((band > 0.5).sum()) for band in (least, median, greatest)] == [20, 40, 90]
    assert ((least <= lower) & (lower <= median) & (median <= upper) & (upper <= greatest)).all()
    assert outputs["step/test_loss/count"].tolist() == [3] * 101


def test_aligned_by_an_event_courses_that_differ_in_their_delay_alone_are_one():
    outputs = cohort(LOSSES, [falling(1, 20, 20), falling(2, 40, 40), falling(3, 60, 60)], points=101)

    band = outputs["generalised/test_loss/band"]
    assert np.array_equal(band[0], band[4])
    assert "memorised/test_loss/band" not in outputs


def test_variants_without_metrics_have_no_course():
    with pytest.raises(DoesNotApply, match="none of them has recorded a loss or an accuracy"):
        cohort(LOSSES, [member(1, {"events.grokking": {}}), member(2, {"events.grokking": {}})])


def test_a_variant_that_ended_before_is_watched_until_then():
    outputs = cohort(EVENTS_OF_ALL, [falling(1, 20, 20), falling(2, 40, 40), falling(3, 101)])

    column = outputs["event"].tolist().index("generalised")
    assert outputs["at"][:, column].tolist()[:2] == [20, 40]
    assert np.isnan(outputs["at"][2, column])
    assert outputs["generalised/survival"] == pytest.approx([2 / 3, 1 / 3])
    assert outputs["generalised/median"] == 40
    assert outputs["generalised/count"] == 2
    assert np.isnan(outputs["generalised/median_interval"]).all(), "three variants are too few for an interval"
    assert outputs["memorised/median"] == np.inf


def test_enough_variants_have_an_interval_around_the_median():
    outputs = cohort(EVENTS_OF_ALL, [falling(seed, 50, 10.0 * seed) for seed in range(1, 8)])

    low, high = outputs["generalised/median_interval"]
    assert 10 <= low < outputs["generalised/median"] == 40 < high <= 70
    assert outputs["generalised/median_method"].tolist() == ["BCa"]
    assert outputs["generalised/quartile"].tolist() == [20, 60]
    assert outputs["memorised/median_method"].tolist() == ["percentile"], "nobody memorised, so all are censored"


def test_a_variant_far_from_the_rest_stands_out_and_of_few_none_does():
    near = [falling(seed, 50, 100.0 + seed) for seed in range(6)]
    outputs = cohort(EVENTS_OF_ALL, [*near, falling(9, 50, 400.0)])

    column = outputs["event"].tolist().index("generalised")
    assert outputs["outlier"][:, column].tolist() == [False] * 6 + [True]
    # Seven values, their median 103, distances 3 2 1 0 1 2 297: the middle one is 2.
    assert outputs["z"][6, column] == pytest.approx(0.6744897501960817 * 297 / 2)
    few = cohort(EVENTS_OF_ALL, [near[0], near[1], falling(9, 50, 400.0)])
    assert np.isnan(few["z"]).all()
    assert not few["outlier"].any()


def test_of_few_variants_the_median_course_has_no_band_and_of_five_it_has_two():
    few = cohort(LOSSES, [falling(seed, 10 * seed) for seed in (1, 2, 3, 4)], points=51)
    assert "step/test_loss/median_pointwise" not in few

    random = np.random.default_rng(0)
    noisy = [member(i, {"events.grokking": {}}, {"test_loss": curve(np.exp(random.normal(size=60)))}) for i in range(9)]
    outputs = cohort(LOSSES, noisy, points=60)
    median = outputs["step/test_loss/band"][2]
    low, high = outputs["step/test_loss/median_pointwise"]
    lower, upper = outputs["step/test_loss/median_simultaneous"]
    assert ((low <= median) & (median <= high)).all()
    assert ((lower < median) & (median < upper)).all()
    assert (upper / lower).mean() > (high / low).mean(), "to hold everywhere at once it must be wider"


def test_the_band_of_an_accuracy_stays_within_what_one_can_be():
    random = np.random.default_rng(0)
    near = [np.clip(0.97 + 0.06 * random.normal(size=40), 0, 1) for _ in range(6)]
    members = [member(i, {"events.grokking": {}}, {"test_accuracy": curve(one)}) for i, one in enumerate(near)]
    band = cohort(LOSSES, members, points=40)["step/test_accuracy/median_simultaneous"]
    assert band.max() == 1
    assert (band >= 0).all()


def ended(seed, keys, labels=("1", "2", "3", "4")):
    key = np.isin(labels, keys)
    share = key / max(key.sum(), 1)
    label = np.array([labels] * 2)
    arrays = {
        "keys.votes": {"label": label, "key": np.stack([~key, key])},
        "spectra.embedding": {"W_E/label": label, "W_E/fraction": np.stack([share * 0, share])},
    }
    return member(seed, arrays)


def test_the_same_key_components_in_all_are_more_than_the_null():
    outputs = cohort(SPECTRA, [ended(seed, ("1", "3")) for seed in range(6)], draws=500)

    assert outputs["mean_overlap"] == 2
    assert outputs["mean_overlap_null"][0] == pytest.approx(1, abs=0.1)
    assert outputs["overlap_p_value"] == pytest.approx(1 / 501)
    assert outputs["often"].tolist() == [6, 0, 6, 0]
    assert outputs["W_E/mean"].tolist() == [0.5, 0, 0.5, 0]
    assert outputs["W_E/low"].tolist() == outputs["W_E/high"].tolist() == [0.5, 0, 0.5, 0]


def test_sets_of_the_same_kind_on_other_frequencies_are_the_same_after_relabelling():
    """{1, 3} times 2 is {2, 6}, times 5 {5, 2}, all mod 13; {1, 5} is no multiple of them."""
    labels = tuple(str(k) for k in range(1, 7))
    basis = {"sum": cosines(13)}
    variants = [ended(seed, keys, labels) for seed, keys in enumerate((("1", "3"), ("2", "6"), ("2", "5"), ("1", "5")))]
    family = ToyFourierFamily()
    variant = make_variant(family, {"values": 13})
    probe = next(iter(family.probes(variant).values()))
    outputs = cohort(SPECTRA, [dataclasses.replace(each, probe=probe, bases=basis) for each in variants])

    assert outputs["relabelling_count"] == 6
    assert outputs["orbit"].tolist() == [0] * 6
    assert outputs["overlap"][0].tolist() == [2, 0, 0, 1]
    assert outputs["relabelled_overlap"][0].tolist() == [2, 2, 2, 1]
    low, high = outputs["mean_relabelled_overlap_null"][1:]
    assert 1 <= low <= outputs["mean_relabelled_overlap"] <= high <= 2


def test_without_a_known_symmetry_only_plain_overlaps_are_beside_a_null():
    outputs = cohort(SPECTRA, [ended(1, ("1",)), ended(2, ("2",))])
    assert outputs["relabelling_count"] == 1
    assert "mean_relabelled_overlap_null" not in outputs
    assert outputs["relabelled_overlap"].tolist() == outputs["overlap"].tolist()


def staged(seed, crossing=np.nan, **events):
    dated = {name: np.array(np.nan) for name in ("memorised", "peak", "half", "generalised")}
    dated |= {name: np.array(float(step)) for name, step in events.items()}
    windows = {"blocks.0.mlp/rank_crossing": np.array(crossing)}
    return member(seed, {"events.grokking": dated, "summary.windows": windows})


def test_the_same_order_in_every_variant_is_full_concordance_and_more_than_the_null():
    outputs = cohort(ORDER, [staged(s, 70, memorised=s, peak=20 + s, half=60, generalised=80 + s) for s in range(6)])

    assert outputs["milestone"].tolist() == ["memorised", "peak", "half", "generalised", "blocks.0.mlp ranks cross"]
    assert outputs["concordance"] == pytest.approx(1)
    assert outputs["p_value"] == pytest.approx(1 / 1001)
    # W of shuffled orders is 1/m in the mean.
    assert outputs["concordance_null"][0] == pytest.approx(1 / 6, abs=0.02)
    assert outputs["before"][0].tolist() == [0.5, 1, 1, 1, 1]


def test_what_a_variant_did_not_reach_comes_last_and_what_none_did_has_no_place():
    outputs = cohort(ORDER, [staged(1, memorised=5, generalised=9), staged(2, memorised=5)])

    assert outputs["milestone"].tolist()[:4] == ["memorised", "peak", "half", "generalised"]
    assert np.isnan(outputs["at"][1, 3])
    assert outputs["before"][0, 3] == 1
    assert np.isnan(outputs["before"][:, 1:3]).all()
    assert outputs["concordance"] == pytest.approx(1), "of the two that were reached"


def test_one_milestone_has_no_order():
    outputs = cohort(ORDER, [staged(1, memorised=5), staged(2, memorised=6)])
    assert np.isnan([outputs["concordance"], outputs["p_value"]]).all()
    assert np.isnan(outputs["at"][:, 1:]).all()


def learning(seed, steps, train=None):
    arrays = {"graduation/3": np.asarray(steps, dtype=np.float32), "window": np.array(3)}
    made = member(seed, {"learning.order": arrays})
    count = len(steps)
    probe = Probe(name="n", inputs=torch.zeros(count, 1), train=np.zeros(count, bool) if train is None else train)
    return dataclasses.replace(made, probe=probe)


def test_orders_of_learning_agree_by_kendalls_tau():
    first, second = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [4, 7, 2, 10, 3, 6, 8, 1, 5, 9]
    concordant = sum(second[i] < second[j] for i in range(10) for j in range(i + 1, 10))
    outputs = cohort(LEARNING, [learning(1, first), learning(2, second)])

    assert outputs["test/tau"][0, 1] == pytest.approx((2 * concordant - 45) / 45)
    low, high = outputs["test/interval"][0, 1]
    assert low < outputs["test/tau"][0, 1] < high
    assert np.isnan(outputs["train/tau"][0, 1]), "no input is in both training sets"


def test_inputs_never_learnt_are_tied_at_the_end():
    steps = np.array([1.0, 2, 3, np.nan, np.nan])
    outputs = cohort(LEARNING, [learning(1, steps), learning(2, [1, 2, 3, 9, 9])])
    assert outputs["test/tau"][0, 1] == pytest.approx(1)
    alike = cohort(LEARNING, [learning(1, np.ones(5)), learning(2, [1, 2, 3, 9, 9])])
    assert np.isnan(alike["test/tau"][0, 1])


def test_what_a_symmetry_gives_away_is_no_agreement_of_the_clean_inputs():
    """Both learn at once what has an image in training, and in opposite orders what has none."""
    count = 40
    train = np.arange(count) < 10
    image = np.arange(count)
    image[:10], image[10:20] = np.arange(10, 20), np.arange(10)
    late = np.arange(20.0)
    variants = []
    for seed, order in enumerate((late, late[::-1])):
        made = learning(seed, np.concatenate([np.zeros(10), np.arange(10), 100 + order]), train)
        probe = dataclasses.replace(made.probe, symmetries={"swap": image})
        variants.append(dataclasses.replace(made, probe=probe))
    outputs = cohort(LEARNING, variants)

    assert outputs["clean/tau"][0, 1] == pytest.approx(-1)
    # 45 pairs of the ten given away and their 200 with the rest agree, 190 of the rest do not.
    assert outputs["test/tau"][0, 1] == pytest.approx((45 + 200 - 190) / 435)
    assert np.isnan(outputs["train/tau"][0, 1])


def test_orders_drawn_at_random_have_nothing_in_common_by_their_intervals():
    random = np.random.default_rng(0)
    inside = []
    for _ in range(20):
        outputs = cohort(LEARNING, [learning(i, random.permutation(200)) for i in range(2)])
        low, high = outputs["test/interval"][0, 1]
        inside.append(low <= 0 <= high)
    assert np.mean(inside) >= 0.8


def test_of_few_variants_the_mean_spectrum_has_no_interval():
    assert "W_E/low" not in cohort(SPECTRA, [ended(1, ("1",)), ended(2, ("2",))])


def test_spectra_of_different_components_are_not_averaged():
    with pytest.raises(DoesNotApply, match="different components, so there is no spectrum they could share"):
        cohort(SPECTRA, [ended(1, ("1",)), ended(2, ("1",), ("1", "2", "3", "5"))])


def weighing(seed, last, role="W_E"):
    return member(seed, weights={role: lambda: torch.stack([torch.zeros_like(last), last])})


def test_weights_are_as_far_apart_as_they_are_at_the_last_checkpoint():
    outputs = cohort(
        WEIGHTS, [weighing(seed, torch.tensor(w)) for seed, w in enumerate(([1.0, 0], [0, 1.0], [2.0, 0]))]
    )

    assert outputs["all/distance"][0] == pytest.approx([0, 1, 1 / np.sqrt(5)])
    assert outputs["W_E/distance"].tolist() == outputs["all/distance"].tolist()


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (weighing(2, torch.zeros(3)), "their weights 'W_E' differ in shape"),
        (weighing(2, torch.zeros(2), "W_U"), "their models have different weight tensors"),
    ],
)
def test_weights_of_other_models_are_not_compared(other, reason):
    with pytest.raises(DoesNotApply, match=reason):
        cohort(WEIGHTS, [weighing(1, torch.zeros(2)), other])


def clustered(seed, final):
    label = np.array(["1", "2"])
    size = np.array([[(np.array(final) == name).sum() for name in label]] * 2)
    arrays = {f"{SITE}/final": np.array(final), f"{SITE}/size": size, f"{SITE}/label": label}
    return member(seed, {"neurons.clusters": arrays})


def test_clusters_that_are_as_large_need_not_hold_the_same_neurons():
    first, second = ["1"] * 20 + ["2"] * 20, ["1", "2"] * 20
    outputs = cohort(CLUSTERS, [clustered(1, first), clustered(2, first), clustered(3, second)])

    assert outputs[f"{SITE}/rand"][0] == pytest.approx([1, 1, 0], abs=0.05)
    assert outputs[f"{SITE}/profile"][0] == pytest.approx([1, 1, 1])
    low, high = outputs[f"{SITE}/rand_null"]
    assert low <= 0 <= high < 1


def test_layers_of_different_width_are_not_compared_neuron_by_neuron():
    with pytest.raises(DoesNotApply, match="different numbers of neurons"):
        cohort(CLUSTERS, [clustered(1, ["1"]), clustered(2, ["1", "2"])])
