"""What the event detector must not take for an event: curves of models that learnt nothing, or had learnt it before."""

import numpy as np
import pytest

from miscope.analyzers.events import GrokkingOptions, grokking
from miscope.snapshot import Series, Trajectory
from miscope.testing import toy_snapshot

STEPS = np.arange(0, 1000, 20)
FALL = ("peak", "onset", "half", "complete", "half_linear", "steepest")
DATES = ("memorised", "generalised", *FALL)


def seen(train, test, *, accuracy=None, guessing=None, first=0):
    """What is found in curves; guessing: loss and accuracy, and what the loss on the probe is, over that recorded."""
    steps = STEPS[: len(test)] + first
    curves = {"train_loss": train, "test_loss": test}
    curves |= {} if accuracy is None else dict(zip(("train_accuracy", "test_accuracy"), accuracy, strict=True))
    metrics = {name: Series(steps=steps, values=np.asarray(curve, dtype=float)) for name, curve in curves.items()}
    told = {}
    if guessing is not None:
        told = dict.fromkeys(("train_guessing", "test_guessing"), np.tile(guessing[:2], (len(steps), 1)))
        told["test_loss"] = np.asarray(test) * (guessing[2] if guessing[2:] else 1)
    return grokking(
        Trajectory(
            variant=toy_snapshot().variant,
            steps=steps,
            options=GrokkingOptions(draws=2),
            probe=None,
            metrics=metrics,
            artifacts={"behaviour.metrics": told},
        )
    )


def dated(found, names=DATES):
    return {name: float(found[name]) for name in names if np.isfinite(found[name])}


def test_a_spike_from_chance_and_back_is_no_fall_of_the_test_loss():
    """Sparse parity, seed 1: what it recorded in its first 200 steps."""
    test = [0.865, 3.402, 1.055, 1.25, 1.1, 1.58, 1.3, 1.2, 1.15, 1.1, 1.05]
    found = seen([0.845, 3.1, 0.9, 1.0, 0.9, 1.28, 1.0, 0.9, 0.8, 0.7, 0.607], test)
    assert dated(found) == {}
    assert (found["fell"], found["grokked"], found["censored"]) == (0, 0, 0)
    assert np.isnan([found[f"{name}/ci"] for name in ("peak", "onset", "half", "complete")]).all()


def test_a_fall_from_a_large_initialisation_to_guessing_is_none_where_guessing_is_known():
    loss = np.log(5) + 30 * np.exp(-STEPS / 100)
    found = seen(loss, loss, guessing=(np.log(5), 0.2))
    assert (dated(found), found["fell"]) == ({}, 0)
    assert found["guessing"] == pytest.approx(np.log(5))
    assert (seen(loss, loss)["fell"], np.isnan(seen(loss, loss)["guessing"])) == (1, True)


def test_a_loss_in_other_units_than_the_probes_is_not_compared_with_guessing():
    loss = 60 * np.exp(-STEPS / 900)
    assert seen(loss, loss, guessing=(np.log(5), 0.2))["fell"] == 0
    found = seen(loss, loss, guessing=(np.log(5), 0.2, 0.03))
    assert (found["fell"], np.isnan(found["guessing"])) == (1, True)


@pytest.mark.parametrize("first", [0, 400])
def test_of_a_test_set_learnt_where_the_record_begins_no_later_fall_is_dated(first):
    loss = 1e-3 * np.exp(-STEPS / 200)
    loss[10:12] = 2.0
    found = seen(loss, loss, first=first)
    assert (found["memorised"], found["generalised"], found["fell"]) == (first, first, 0)
    assert dated(found, FALL) == {}
    assert found["grokked"] != 1


def test_weights_that_had_memorised_before_step_0_leave_open_when():
    falls = 4 * np.exp(-((STEPS / 500) ** 8)) + 1e-6
    found = seen(np.full(len(STEPS), 1e-3), falls)
    assert (found["memorised"], found["fell"]) == (0, 1)
    assert np.isnan([found["grokked"], found["delay"], found["ratio"]]).all()
    assert found["delay_at_least"] == found["generalised"] > 0


def test_a_few_inputs_that_untrained_weights_get_right_are_not_a_test_set_learnt():
    right = np.append(1.0, np.full(len(STEPS) - 1, 0.5))
    chance = np.full(len(STEPS), np.log(2))
    assert dated(seen(chance, chance, accuracy=(0.5 * right, right))) == {}


def test_an_accuracy_that_guessing_reaches_is_no_sign_of_learning():
    always = np.full(len(STEPS), 0.995)
    loss = np.full(len(STEPS), 0.0315)
    told = seen(loss, loss, accuracy=(always, always), guessing=(0.0315, 0.995))
    assert dated(told) == {}
    assert told["memorised/by"].tolist() == ["loss"]


@pytest.mark.parametrize("ends", [np.nan, np.inf])
def test_a_test_loss_that_ends_as_no_number_has_diverged(ends):
    loss = 4 * np.exp(-STEPS / 50) + 1e-3
    assert (seen(loss, loss)["diverged"], seen(loss, loss)["rebound"]) == (0, 0)
    found = seen(loss, np.append(loss[:-5], np.full(5, ends)))
    assert (found["diverged"], found["rebound"], found["last"]) == (1, 1, STEPS[-6])


@pytest.mark.parametrize(("hole", "diverged"), [(np.nan, 0), (np.inf, 1)])
def test_a_record_without_a_number_does_not_move_the_events(hole, diverged):
    loss = 4 * np.exp(-STEPS / 50) + 1e-3
    holed = np.where(STEPS == 400, hole, loss)
    assert dated(seen(loss, holed), ("generalised", "peak", "half")) == dated(
        seen(loss, loss), ("generalised", "peak", "half")
    )
    assert seen(loss, holed)["diverged"] == diverged


def walking(random, inputs, answers):
    """Loss and accuracy on as many inputs of logits that walk at random and know nothing; and those of guessing."""
    right = random.integers(answers, size=inputs)
    logits = np.cumsum(random.normal(size=(len(STEPS), inputs, answers)) * random.uniform(0.02, 0.5), axis=0)
    mine = logits[:, np.arange(inputs), right]
    share = np.bincount(right, minlength=answers) / inputs
    loss = (np.log(np.exp(logits).sum(axis=2)) - mine).mean(axis=1)
    guess = (-np.sum(share * np.log(np.where(share > 0, share, 1))), share.max())
    return loss, (mine >= logits.max(axis=2)).mean(axis=1), guess


@pytest.mark.parametrize("answers", [2, 13])
def test_of_random_logits_at_most_one_in_twenty_has_an_event(answers):
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(25):
        (train, right, guess), (test, found_right, _) = (walking(random, 60, answers) for _ in range(2))
        alarms += bool(dated(seen(train, test, accuracy=(right, found_right), guessing=guess)))
    assert alarms <= 2


def test_of_losses_that_walk_at_random_above_guessing_none_has_an_event():
    random = np.random.default_rng(1)
    for _ in range(100):
        train, test = np.log(3) * np.exp(np.abs(np.cumsum(0.2 * random.normal(size=(2, len(STEPS))), axis=1)))
        assert dated(seen(train, test, guessing=(np.log(3), 1 / 3))) == {}
