"""Several variants together, by hand and against chance."""

import numpy as np
import pytest
import torch

from miscope.analyzers.cohort import CLUSTERS, EVENTS_OF_ALL, LOSSES, SPECTRA, WEIGHTS
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.moment import Cohort, Series, Trajectory
from miscope.testing import check_analyzer
from miscope.testing.toy import ToyFourierFamily

SITE = "blocks.0.mlp.hook_post"
STEPS = np.array([0, 10])


@pytest.mark.parametrize("analyzer", [LOSSES, EVENTS_OF_ALL, SPECTRA, WEIGHTS, CLUSTERS], ids=lambda a: a.name)
def test_it_keeps_the_contract(analyzer):
    check_analyzer(analyzer, ToyFourierFamily(), params={"values": 5})


def member(seed, artifacts=None, metrics=None, weights=None):
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
    found = cohort(LOSSES, [falling(1, 20), falling(2, 40), falling(3, 90)], points=101)

    least, lower, median, upper, greatest = found["step/test_loss/band"]
    assert [int((band > 0.5).sum()) for band in (least, median, greatest)] == [20, 40, 90]
    assert ((least <= lower) & (lower <= median) & (median <= upper) & (upper <= greatest)).all()
    assert found["step/test_loss/count"].tolist() == [3] * 101


def test_aligned_by_an_event_courses_that_differ_in_their_delay_alone_are_one():
    found = cohort(LOSSES, [falling(1, 20, 20), falling(2, 40, 40), falling(3, 60, 60)], points=101)

    band = found["generalised/test_loss/band"]
    assert np.array_equal(band[0], band[4])
    assert "memorised/test_loss/band" not in found


def test_variants_without_metrics_have_no_course():
    with pytest.raises(DoesNotApply, match="none of them has recorded a loss or an accuracy"):
        cohort(LOSSES, [member(1, {"events.grokking": {}}), member(2, {"events.grokking": {}})])


def test_a_variant_that_ended_before_is_watched_until_then():
    found = cohort(EVENTS_OF_ALL, [falling(1, 20, 20), falling(2, 40, 40), falling(3, 101)])

    column = found["event"].tolist().index("generalised")
    assert found["at"][:, column].tolist()[:2] == [20, 40]
    assert np.isnan(found["at"][2, column])
    assert found["generalised/survival"] == pytest.approx([2 / 3, 1 / 3])
    assert found["generalised/median"] == 40
    assert found["generalised/count"] == 2
    assert np.isnan(found["generalised/median_interval"]).all(), "three variants are too few for an interval"
    assert found["memorised/median"] == np.inf


def test_enough_variants_have_an_interval_around_the_median():
    found = cohort(EVENTS_OF_ALL, [falling(seed, 50, 10.0 * seed) for seed in range(1, 8)])

    low, high = found["generalised/median_interval"]
    assert 10 <= low < found["generalised/median"] == 40 < high <= 70


def ended(seed, keys, labels=("1", "2", "3", "4")):
    key = np.isin(labels, keys)
    share = key / max(key.sum(), 1)
    label = np.array([labels] * 2)
    arrays = {
        "keys.votes": {"label": label, "key": np.stack([~key, key])},
        "spectra.embedding": {"W_E/label": label, "W_E/fraction": np.stack([share * 0, share])},
    }
    return member(seed, arrays)


def test_the_same_key_components_in_all_are_more_than_chance():
    found = cohort(SPECTRA, [ended(seed, ("1", "3")) for seed in range(6)], draws=500)

    assert found["mean_overlap"] == 2
    assert found["mean_overlap_null"][0] == pytest.approx(1, abs=0.1)
    assert found["overlap_p_value"] == pytest.approx(1 / 501)
    assert found["often"].tolist() == [6, 0, 6, 0]
    assert found["W_E/mean"].tolist() == [0.5, 0, 0.5, 0]
    assert found["W_E/low"].tolist() == found["W_E/high"].tolist() == [0.5, 0, 0.5, 0]


def test_of_few_variants_the_mean_spectrum_has_no_interval():
    assert "W_E/low" not in cohort(SPECTRA, [ended(1, ("1",)), ended(2, ("2",))])


def test_spectra_of_different_components_are_not_averaged():
    with pytest.raises(DoesNotApply, match="different components, so there is no spectrum they could share"):
        cohort(SPECTRA, [ended(1, ("1",)), ended(2, ("1",), ("1", "2", "3", "5"))])


def weighing(seed, last, role="W_E"):
    return member(seed, weights={role: lambda: torch.stack([torch.zeros_like(last), last])})


def test_weights_are_as_far_apart_as_they_are_at_the_last_checkpoint():
    found = cohort(WEIGHTS, [weighing(seed, torch.tensor(w)) for seed, w in enumerate(([1.0, 0], [0, 1.0], [2.0, 0]))])

    assert found["all/distance"][0] == pytest.approx([0, 1, 1 / np.sqrt(5)])
    assert found["W_E/distance"].tolist() == found["all/distance"].tolist()


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
    found = cohort(CLUSTERS, [clustered(1, first), clustered(2, first), clustered(3, second)])

    assert found[f"{SITE}/rand"][0] == pytest.approx([1, 1, 0], abs=0.05)
    assert found[f"{SITE}/profile"][0] == pytest.approx([1, 1, 1])
    low, high = found[f"{SITE}/rand_null"]
    assert low <= 0 <= high < 1


def test_layers_of_different_width_are_not_compared_neuron_by_neuron():
    with pytest.raises(DoesNotApply, match="different numbers of neurons"):
        cohort(CLUSTERS, [clustered(1, ["1"]), clustered(2, ["1", "2"])])
