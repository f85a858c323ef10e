"""The summary of a variant: windows cut where they should be, every verdict, and cascades one knows."""

import numpy as np
import pytest

from miscope.analyzers.events import GrokkingOptions, grokking
from miscope.analyzers.summary import (
    ComponentOptions,
    WindowOptions,
    components,
    windows,
)
from miscope.errors import DoesNotApply
from miscope.maths.cascade import cascade, stays_above
from miscope.maths.verdict import Limits, verdict
from miscope.snapshot import Series, Trajectory
from miscope.testing import toy_snapshot

STEPS = np.array([0, 100, 200, 300, 400])
NAN = np.nan
HEALTHY = {"memorised": 100.0, "onset": 250.0, "generalised": 400.0, "first": 0.0, "last": 1000.0, "final_loss": 1e-6}
HEALTHY |= {"grokked": 1.0, "line/delay": 2.0}
LIMITS = Limits(good_loss=1e-5, rebound=0.2, late=12_000)


def windowed(ranks=None, steps=STEPS, ends=1.0, **events):
    loss = Series(steps=np.arange(0, 1001, 50), values=np.append(np.linspace(5, 1, 21)[:-1], ends))
    return windows(
        Trajectory(
            variant=toy_snapshot().variant,
            steps=steps,
            options=WindowOptions(),
            probe=None,
            artifacts={
                "events.grokking": {name: np.array(value) for name, value in (HEALTHY | events).items()},
                "ranks.weights": ranks or {},
            },
            metrics={"test_loss": loss},
        )
    )


def test_windows_are_cut_at_the_events_and_carry_the_losses_at_their_edges():
    outputs = windowed()
    assert outputs["start"].tolist() == [0, 100, 250, 400]
    assert outputs["end"].tolist() == [100, 250, 400, 1000]
    assert not outputs["open"].any()
    assert outputs["test_loss"][1] == pytest.approx([5 - 0.4, 5 - 1.0])
    assert "train_loss" not in outputs


@pytest.mark.parametrize("ends", [NAN, np.inf])
def test_a_variant_whose_test_loss_ends_as_no_number_is_not_healthy(ends):
    assert windowed()["verdict"].tolist() == ["healthy"]
    assert windowed(ends=ends)["verdict"].tolist() == ["lost again"]


def test_a_window_whose_end_never_came_is_open_and_none_follows():
    outputs = windowed(onset=NAN, generalised=NAN)
    np.testing.assert_array_equal(outputs["start"], [0, 100, NAN, NAN])
    np.testing.assert_array_equal(outputs["end"], [100, 1000, NAN, NAN])
    assert outputs["open"].tolist() == [False, True, False, False]


def test_generalisation_before_memorisation_leaves_no_plateau():
    outputs = windowed(memorised=300.0, onset=120.0, generalised=350.0)
    np.testing.assert_array_equal(outputs["start"], [0, NAN, 300, 350])
    np.testing.assert_array_equal(outputs["end"], [300, NAN, 350, 1000])


def test_ranks_cross_at_the_first_checkpoint_after_the_output_had_more():
    ranks = {
        "blocks.0.mlp.W_in/participation_sigma": np.array([10.0, 9, 8, 8, 8]),
        "blocks.0.mlp.W_out/participation_sigma": np.array([9.0, 10, 9, 7, 9]),
        "blocks.1.mlp.W_in/participation_sigma": np.full(5, 8.0),
        "blocks.1.mlp.W_out/participation_sigma": np.full(5, 7.0),
    }
    outputs = windowed(ranks)
    assert outputs["blocks.0.mlp/rank_crossing"] == 300
    assert outputs["blocks.0.mlp/rank_crossing_lead"] == 100
    assert np.isnan(outputs["blocks.1.mlp/rank_crossing"])


@pytest.mark.parametrize(
    ("events", "rise", "label"),
    [
        ({}, 0.0, "healthy"),
        ({"memorised": NAN, "generalised": NAN}, 0.0, "not memorised"),
        ({"generalised": NAN}, 9.0, "memorised only"),
        ({"final_loss": 0.5}, 0.5, "lost again"),
        ({"final_loss": 1e-3}, 0.001, "degraded"),
        ({"final_loss": 2.2e-5}, 0.0, "not converged"),
        ({"generalised": 150.0, "grokked": 0.0}, 0.0, "without delay"),
        ({"memorised": 400.0, "first": 400.0, "grokked": NAN}, 0.0, "learnt before the record"),
        ({"generalised": 15_000.0, "last": 20_000.0}, 0.0, "late"),
    ],
)
def test_the_first_test_that_is_not_met_names_the_variant(events, rise, label):
    judgement = verdict(HEALTHY | events, rise, LIMITS)
    assert judgement.label == label
    failed = [test for test in judgement.tests if not test.met]
    assert judgement.reasons == ((failed[0].reason,) if failed else judgement.reasons)
    assert len(judgement.tests) == 7


def test_the_reason_says_what_was_measured_and_where_the_line_is():
    judgement = verdict(HEALTHY | {"final_loss": 1e-3}, 0.001, LIMITS)
    assert judgement.reasons == ("its final test loss is 0.001, above 1e-05",)
    judgement = verdict(HEALTHY, np.inf, LIMITS)
    assert (judgement.label, judgement.reasons) == ("lost again", ("its test loss ended as no number",))
    judgement = verdict(HEALTHY | {"generalised": NAN}, 0.0, LIMITS)
    assert judgement.reasons == ("it memorised by step 100 and had not generalised by step 1,000",)
    judgement = verdict(HEALTHY | {"generalised": 150.0, "grokked": 0.0}, 0.0, LIMITS)
    assert judgement.reasons == ("it generalised 1.5 times as late as it memorised, less than 2",)
    judgement = verdict(HEALTHY | {"memorised": 400.0, "first": 400.0, "grokked": NAN}, 0.0, LIMITS)
    assert judgement.reasons == (
        "its record begins at step 400, when it had learnt already, so that its delay is not known",
    )


@pytest.mark.parametrize(("test", "label"), [(60.0, "without delay"), (6000.0, "healthy")])
def test_what_grokked_by_the_detector_is_not_without_delay_by_the_verdict(test, label):
    steps = np.arange(0, 10_000, 10)
    curves = {
        "train_loss": Series(steps=steps, values=5 * np.exp(-steps / 50) + 1e-7),
        "test_loss": Series(
            steps=steps, values=5 * np.exp(-steps / 60 if test < 100 else -((steps / test) ** 9)) + 1e-7
        ),
    }
    given = {"variant": toy_snapshot().variant, "steps": steps, "probe": None, "metrics": curves}
    artifacts = {"behaviour.metrics": {}}
    events = grokking(Trajectory(options=GrokkingOptions(draws=2), artifacts=artifacts, **given))
    summary = windows(
        Trajectory(options=WindowOptions(), artifacts={"events.grokking": events, "ranks.weights": {}}, **given)
    )
    assert summary["verdict"].tolist() == [label]
    assert events["grokked"] == (label == "healthy")


def test_the_windows_of_a_model_with_its_curves_and_only_its_last_checkpoint_begin_with_the_curves():
    outputs = windowed(steps=np.array([1000]))
    assert outputs["start"].tolist() == [0, 100, 250, 400]
    assert outputs["end"].tolist() == [100, 250, 400, 1000]


SHARE = np.array(
    [
        [0.0, 0.00, 0.0, 0.00, 0.00],
        [0.2, 0.00, 0.0, 0.00, 0.06],
        [0.3, 0.10, 0.2, 0.00, 0.06],
        [0.3, 0.30, 0.1, 0.03, 0.06],
        [0.3, 0.40, 0.0, 0.04, 0.07],
    ]
)


def test_components_are_told_by_what_became_of_their_clusters():
    course = cascade(SHARE, STEPS.astype(float), cluster=0.05, final=0.10)
    assert course.state.tolist() == ["committed", "committed", "transient", "never", "growing"]
    np.testing.assert_array_equal(course.arrived, [100, 200, 200, NAN, 100])
    np.testing.assert_array_equal(course.half, [100, 300, NAN, NAN, 100])
    np.testing.assert_array_equal(course.left, [NAN, NAN, 400, NAN, NAN])
    assert course.order.tolist() == [0, 4, 1]


def test_a_crossing_counts_only_when_it_is_for_good():
    values = np.array([0.1, 0.6, 0.4, 0.6, 0.7])
    assert stays_above(values, STEPS, 0.5) == 300
    assert np.isnan(stays_above(values[:3], STEPS[:3], 0.5))
    assert stays_above(values, STEPS, 0.0) == 0


def story(clusters, onset=250.0, since=0, embedding=None):
    labels = np.array(["3", "5", "7", "11", "13"])
    key = np.array([[0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 1, 0, 0], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]], dtype=bool)
    return components(
        Trajectory(
            variant=toy_snapshot().variant,
            steps=STEPS + since,
            options=ComponentOptions(),
            probe=None,
            artifacts={
                "events.grokking": {"onset": np.array(onset)},
                "keys.votes": {"label": np.tile(labels, (5, 1)), "key": key},
                "spectra.embedding": embedding
                or {
                    "W_E/label": np.tile(labels, (5, 1)),
                    "W_E/fraction": np.array([[0.2, 0.2, 0.2, 0.2, 0.2]] * 3 + [[0.3, 0.3, 0.2, 0.1, 0.1]] * 2),
                },
                "neurons.clusters": clusters,
            },
        )
    )


CLUSTERS = {
    "mlp/size": (SHARE * 100).round().astype(int),
    "mlp/label": np.array(["3", "5", "7", "11", "13"]),
    "mlp/final": np.array(["3"] * 30 + ["5"] * 40 + [""] * 30),
    "mlp/commitment": np.append(np.full(70, 200.0), np.full(30, NAN)),
    "mlp/homeless_count": np.array(12),
}


def test_of_a_record_that_begins_later_no_first_mover_is_told():
    size = CLUSTERS["mlp/size"].copy()
    size[0, 0] = 20
    outputs = story(CLUSTERS | {"mlp/size": size}, since=300, onset=400.0)
    assert outputs["mlp/already"].tolist() == [True, False, False, False, False]
    assert outputs["mlp/state"].tolist() == ["committed", "committed", "transient", "never", "growing"]
    assert outputs["mlp/arrived"][0] == 300
    assert len(outputs["mlp/first_mover"]) == 0
    assert np.isnan([outputs["mlp/first_mover_step"], outputs["mlp/first_mover_stayed"], outputs["mlp/spread"]]).all()
    assert outputs["mlp/at_onset"].tolist() == ["3", "13"]
    assert outputs["W_E/crossover"] == 600


def test_what_was_there_at_an_onset_before_the_record_is_not_told():
    outputs = story(CLUSTERS, since=300, onset=250.0)
    assert len(outputs["mlp/at_onset"]) == 0
    assert not outputs["mlp/already"].any()
    assert outputs["mlp/first_mover"].tolist() == ["3", "13"], "it came within the record"


def test_an_embedding_that_crossed_over_before_the_record_has_no_date():
    crossed = np.full((5, 5), 0.2)
    crossed[:, :2] = 0.35
    shown = {"W_E/label": np.tile(CLUSTERS["mlp/label"], (5, 1)), "W_E/fraction": crossed}
    assert np.isnan(story(CLUSTERS, since=300, embedding=shown)["W_E/crossover"])
    assert story(CLUSTERS, embedding=shown)["W_E/crossover"] == 0


def test_the_story_tells_the_first_movers_the_order_and_who_was_lost():
    outputs = story(CLUSTERS)
    assert outputs["mlp/first_mover"].tolist() == ["3", "13"]
    assert (outputs["mlp/first_mover_step"], outputs["mlp/first_mover_stayed"]) == (100, 1)
    assert outputs["mlp/order"].tolist() == ["3", "13", "5"]
    assert outputs["mlp/spread"] == 100
    assert outputs["mlp/at_onset"].tolist() == ["3", "5", "7", "13"]
    assert outputs["mlp/onset_stayed"] == 0.75
    assert outputs["mlp/homeless_share"] == 0.12
    assert outputs["mlp/commitment"].tolist() == [200, 200, 200]
    assert (outputs["key"].tolist(), outputs["key_lost"].tolist()) == (["3", "5"], ["7"])
    assert outputs["W_E/key_share"] == pytest.approx([0.4, 0.4, 0.4, 0.6, 0.6])
    assert outputs["W_E/crossover"] == 300


def test_a_model_without_hidden_neurons_has_no_story():
    with pytest.raises(DoesNotApply, match="no hidden layer has neurons that could settle on a component"):
        story({})


def test_nothing_is_told_of_components_that_never_come():
    clusters = {
        "mlp/size": np.zeros((5, 5), dtype=int),
        "mlp/label": np.array(["3", "5", "7", "11", "13"]),
        "mlp/final": np.array([""] * 10),
        "mlp/commitment": np.full(10, NAN),
        "mlp/homeless_count": np.array(0),
    }
    outputs = story(clusters, onset=NAN)
    assert set(outputs["mlp/state"]) == {"never"}
    assert np.isnan(outputs["mlp/first_mover_step"])
    assert len(outputs["mlp/first_mover"]) == len(outputs["mlp/at_onset"]) == 0
