"""The event detector against the paper's curves, and against curves with a trap in them."""

import numpy as np
import pytest
from scipy.special import erf

from miscope.analyzers.events import GrokkingOptions, grokking
from miscope.errors import DoesNotApply
from miscope.maths.block_bootstrap import course, redrawn, thinned
from miscope.maths.grokking import descent, first_below, settled_below, steepest, upward
from miscope.maths.jump import jump
from miscope.snapshot import Series, Trajectory
from miscope.testing import toy_snapshot

STEPS = np.arange(0, 10_000, 10)


def series(values, steps=STEPS):
    return Series(steps=np.asarray(steps), values=np.asarray(values, dtype=np.float64))


def logistic(middle, width=200.0):
    return 1 / (1 + np.exp(-(STEPS - middle) / width))


def events(metrics, **options):
    shown = Trajectory(
        variant=toy_snapshot().variant,
        steps=STEPS,
        options=GrokkingOptions(**{"draws": 20, **options}),
        probe=None,
        metrics=metrics,
        artifacts={"behaviour.metrics": {}},
    )
    return grokking(shown)


def grokked():
    return {
        "train_loss": series(5 * np.exp(-STEPS / 50) + 1e-7),
        "test_loss": series(5 + 20 * (1 - np.exp(-STEPS / 300)) * (1 - logistic(6000)) - 5 * logistic(6000) + 1e-6),
        "train_accuracy": series(logistic(150, 20)),
        "test_accuracy": series(logistic(6000)),
    }


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_curves(calibration, name):
    model = calibration(name)
    outputs, known = events(model.curves, final_records=100), model.known_curves["grok_times"]
    assert outputs["memorised"] == known["t_memorise_train<1e-2"]
    assert outputs["peak"] == known["t_test_peak"]
    assert outputs["peak_loss"] == pytest.approx(known["test_peak"])
    assert outputs["onset"] == known["t_onset_10pct_log_drop"]
    assert outputs["half"] == known["t_half_log_drop"]
    assert outputs["complete"] == known["t_complete_90pct_log_drop"]
    assert outputs["half_linear"] == known["t_half_linear_drop_settled"]
    assert outputs["steepest"] == known["t_steepest_log_descent"]
    for split in ("train", "test"):
        for at, threshold in enumerate(outputs["threshold"]):
            crossing = model.known_curves[split]["crossings"][f"{threshold:g}"]
            for when in ("first", "settled"):
                step = outputs[f"{split}_{when}"][at]
                assert (None if np.isnan(step) else step) == crossing[when]
    slingshots = model.known_curves.get("slingshots", {"n": 0, "first_epochs": []})
    assert outputs["slingshot_count"] == slingshots["n"]
    assert list(outputs["slingshots"][:5]) == slingshots["first_epochs"][:5]
    for event in ("memorised", "half", "complete"):
        low, high = outputs[f"{event}/ci"]
        assert low <= outputs[event] <= high


def test_a_run_that_grokked_is_dated():
    outputs = events(grokked())
    assert outputs["grokked"] == 1
    assert outputs["censored"] == 0
    assert outputs["memorised"] == pytest.approx(240, abs=10)
    assert outputs["generalised"] == pytest.approx(6920, abs=10)
    assert outputs["delay"] == outputs["generalised"] - outputs["memorised"]
    assert outputs["train_jump"] == pytest.approx(150, abs=20)
    assert outputs["test_jump"] == pytest.approx(6000, abs=30)
    assert outputs["onset"] < outputs["half"] <= outputs["complete"]
    assert outputs["steepest"] == pytest.approx(outputs["half"], abs=400)
    for event in ("train_jump", "test_jump", "generalised"):
        low, high = outputs[f"{event}/ci"]
        assert low <= outputs[event] <= high


def test_a_run_that_never_generalises_is_censored_not_dated():
    metrics = grokked()
    metrics["test_loss"] = series(5 + 20 * (1 - np.exp(-STEPS / 300)))
    metrics["test_accuracy"] = series(np.full(len(STEPS), 0.05))
    outputs = events(metrics)
    assert (outputs["fell"], outputs["grokked"], outputs["censored"]) == (0, 0, 1)
    assert np.isnan([outputs["generalised"], outputs["delay"], outputs["half"], outputs["test_jump"]]).all()
    assert outputs["delay_at_least"] == outputs["last"] - outputs["memorised"]


def test_a_late_divergence_is_not_taken_for_the_peak():
    loss = 5 * np.exp(-STEPS / 800) + 1e-3
    loss[-50:] = 60.0
    fall = descent(series(loss))
    assert fall.peak == 0
    assert fall.diverged
    assert fall.rebound
    assert 0 < fall.levels[0] < fall.levels[1] < fall.levels[2] < STEPS[-50]


def diverging(start=8000, stop=8500, depth=0.02):
    """Losses that fall to `depth`, rise to 30 and come back to somewhat less than it."""
    loss = 5 * np.exp(-STEPS / 200) + depth * np.where(np.arange(len(STEPS)) >= stop // 10, 0.9, 1.0)
    loss[start // 10 : stop // 10] = 30.0
    return {"train_loss": series(loss), "test_loss": series(1.1 * loss)}


def test_a_late_divergence_that_recovers_is_told_and_does_not_move_the_fall():
    outputs, calm = events(diverging()), events(diverging(20_000, 20_000))
    assert (outputs["diverged"], calm["diverged"]) == (1, 0)
    assert outputs["train_divergences"].tolist() == outputs["test_divergences"].tolist() == [[8000, 8500]]
    assert (outputs["slingshots"].tolist(), outputs["slingshot_count"]) == ([8000], 1)
    assert (outputs["rebound"], outputs["fell"], outputs["peak"]) == (0, 1, 0)
    for name in ("half_linear", "steepest", "peak_loss"):
        assert outputs[name] == calm[name], name
    assert outputs["half_linear"] == pytest.approx(200 * np.log(2), abs=10)
    assert outputs["complete"] < 2000


def test_a_divergence_from_below_the_line_is_a_slingshot_once():
    outputs = events(diverging(depth=1e-3))
    assert outputs["slingshots"].tolist() == [8000]
    assert outputs["diverged"] == 1


def test_a_divergence_of_the_training_set_alone_is_one():
    outputs = events({"train_loss": diverging()["train_loss"], "test_loss": series(5 * np.exp(-STEPS / 200) + 0.02)})
    assert outputs["diverged"] == 1
    assert outputs["test_divergences"].shape == (0, 2)


def test_memorising_is_dated_by_both_definitions():
    outputs = events(grokked())
    assert outputs["memorised/by"].tolist() == outputs["generalised/by"].tolist() == ["accuracy"]
    assert outputs["memorised"] == outputs["memorised/accuracy"] == pytest.approx(240, abs=10)
    assert outputs["memorised/loss"] == pytest.approx(50 * np.log(500), abs=10)
    assert outputs["memorised/loss/ci"][0] <= outputs["memorised/loss"] <= outputs["memorised/loss/ci"][1]
    losses = events({name: curve for name, curve in grokked().items() if name.endswith("loss")})
    assert losses["memorised/by"].tolist() == ["loss"]
    assert losses["memorised"] == outputs["memorised/loss"]
    assert np.isnan(losses["memorised/accuracy"])


def test_both_sets_learnt_together_is_not_to_grok():
    together = {name: series(5 * np.exp(-STEPS / 300) + 1e-7) for name in ("train_loss", "test_loss")}
    outputs = events(together)
    assert (outputs["grokked"], outputs["censored"], outputs["delay"], outputs["ratio"]) == (0, 0, 0, 1)


def test_a_record_of_a_trained_model_alone_leaves_open_when_it_learnt():
    trained = {name: Series(steps=np.array([40_000]), values=np.array([1e-7])) for name in ("train_loss", "test_loss")}
    outputs = events(trained)
    assert (outputs["memorised"], outputs["generalised"], outputs["first"]) == (40_000, 40_000, 40_000)
    assert np.isnan([outputs["grokked"], outputs["delay"], outputs["ratio"]]).all()
    assert outputs["censored"] == 0


def test_what_falls_from_a_peak_to_above_where_it_began_did_not_fall():
    fall = descent(series([1.0, 1.1, 4.0, 1.5, 1.9, 3.0, 3.5, 3.9], np.arange(8)))
    assert (fall.peak, fall.fell, fall.diverged) == (2, False, False)


def test_overfitting_has_a_peak_and_no_fall():
    fall = descent(series(5 + np.log1p(STEPS)))
    assert fall.peak == STEPS[-1]
    assert not fall.fell
    assert np.isnan(fall.levels).all()


def test_the_error_function_is_found_again_with_its_slope_and_an_interval_that_holds_it():
    random = np.random.default_rng(0)
    exact = 0.4 * erf((STEPS - 4000) / 500) + 0.5
    assert jump(series(exact)) == pytest.approx((4000, 1 / 500), rel=1e-5)
    assert jump(series(exact), (3500.0, 1 / 300)) == pytest.approx((4000, 1 / 500), rel=1e-5)
    held = 0
    for _ in range(10):
        noisy = grokked() | {"test_accuracy": series(exact + 0.02 * random.normal(size=len(STEPS)))}
        low, high = events(noisy, draws=40)["test_jump/ci"]
        held += low <= 4000 <= high
        assert 0 < high - low < 200
    assert held >= 7


def test_the_steepest_fall_is_where_one_is_made():
    """Thirty records fall, from 250 on: windows of 20 on either side differ most about their middle."""
    loss = np.exp(-0.001 * np.arange(400) - 0.5 * np.clip(np.arange(400) - 250, 0, 30))
    assert steepest(series(loss, np.arange(400)), 20) == pytest.approx(265, abs=3)
    assert np.isnan(steepest(series(np.arange(1.0, 50), np.arange(49)), 20))
    assert np.isnan(steepest(series([2.0, 1], [0, 1]), 2))


def test_crossings_tell_first_from_settled():
    bouncing = series([3, 0.5, 2, 0.4, 0.3], [0, 1, 2, 3, 4])
    assert (first_below(bouncing, 1), settled_below(bouncing, 1)) == (1, 3)
    assert np.isnan(first_below(bouncing, 0.1))
    assert np.isnan(settled_below(series([0.5, 2], [0, 1]), 1))
    assert list(upward(bouncing, 1, after=0)) == [2]
    assert list(upward(bouncing, 1, after=2)) == []


def test_recorded_metrics_are_read_and_without_them_the_measured_ones():
    metrics = grokked()
    measured = {name: values.values for name, values in metrics.items()}
    shown = dict(variant=toy_snapshot().variant, steps=STEPS, options=GrokkingOptions(draws=5), probe=None)
    outputs = grokking(Trajectory(**shown, artifacts={"behaviour.metrics": measured}))
    assert outputs["generalised"] == events(metrics)["generalised"]
    with pytest.raises(DoesNotApply, match="there is no loss on a training and on a test set"):
        grokking(Trajectory(**shown, artifacts={"behaviour.metrics": {"all_loss": measured["test_loss"]}}))


def test_values_that_are_not_numbers_are_left_out():
    metrics = grokked()
    metrics["test_loss"].values[::7] = np.nan
    assert np.isfinite(events(metrics)["half"])
    metrics["test_loss"].values[:] = np.nan
    with pytest.raises(DoesNotApply):
        grokking(
            Trajectory(
                variant=toy_snapshot().variant,
                steps=STEPS,
                options=GrokkingOptions(),
                probe=None,
                metrics=metrics,
                artifacts={"behaviour.metrics": {}},
            )
        )


def test_the_bootstrap_keeps_the_course_and_redraws_what_is_on_it():
    random = np.random.default_rng(0)
    noisy = series(np.exp(np.sin(STEPS / 2000) + 0.1 * random.normal(size=len(STEPS))))
    drawn = list(redrawn(noisy, draws=50, seed=1, logarithmic=True))
    smooth = course(noisy, logarithmic=True)
    deviation = np.std([np.log(d.values) - np.log(smooth.values) for d in drawn])
    assert deviation == pytest.approx(0.1, rel=0.15)
    again = next(redrawn(noisy, draws=1, seed=1, logarithmic=True))
    np.testing.assert_array_equal(again.values, drawn[0].values)


def test_the_course_of_a_sharp_fall_is_not_rounded_off():
    """A fall within twenty records, without any noise: what is left over must be small beside it."""
    sharp = series(np.exp(-8 / (1 + np.exp(-(STEPS - 5000) / 50))))
    left = np.log(sharp.values) - np.log(course(sharp, logarithmic=True).values)
    assert np.abs(left).max() < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("width", [50, 600])
def test_intervals_hold_where_the_event_falls_on_other_noise(width):
    """The first crossing of a noisy curve is early, on every such curve: its interval is about where they all are."""
    fall = -8 / (1 + np.exp(-(STEPS - 5000) / width))
    random = np.random.default_rng(0)

    def noisy():
        return series(np.exp(fall + 0.2 * random.normal(size=len(STEPS))))

    usual = np.median([first_below(noisy(), np.exp(-4)) for _ in range(400)])
    held = []
    for _ in range(40):
        shown = {"train_loss": noisy(), "test_loss": noisy()}
        low, high = events(shown, loss=np.exp(-4), draws=100)["memorised/ci"]
        held.append(low <= usual <= high)
    assert np.mean(held) >= 0.8


def test_intervals_lie_within_the_record():
    """Memorised at the second of its records, on noise that would move that by dozens."""
    random = np.random.default_rng(0)
    loss = series(np.append(5.0, 8e-3 * np.exp(0.3 * random.normal(size=len(STEPS) - 1))))
    low, high = events({"train_loss": loss, "test_loss": loss}, draws=50)["memorised/ci"]
    assert 0 <= low <= 10 <= high


def test_a_short_curve_is_left_as_it_is():
    short = series([3.0, 2.0, 1.0], [0, 1, 2])
    for drawn in redrawn(short, draws=3, seed=0, logarithmic=True):
        assert drawn.values == pytest.approx(short.values)


def test_thinning_keeps_the_last_record():
    fewer = thinned(series(np.arange(1000.0)), 100)
    assert len(fewer.steps) == 100
    assert fewer.steps[-1] == STEPS[-1]


def test_a_curve_that_does_not_rise_has_no_jump():
    assert np.isnan(jump(series(np.full(len(STEPS), 0.3)))).all()
