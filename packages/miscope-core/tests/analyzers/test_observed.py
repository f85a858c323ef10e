"""What instruments say: whole sentences, with intervals and nulls, and nothing of noise."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np

from miscope.analyzers.observed.answers import calibration_observed, effects_observed, smoothness_observed
from miscope.analyzers.observed.components import spectra_observed, votes_observed
from miscope.analyzers.observed.training import grokking_observed, stages_observed, windows_observed
from miscope.analyzers.observed.weights import norms_observed, path_observed
from miscope.analyzers.observed.words import listed, number, share
from miscope.observation import ObservedArtifact


def seen(arrays: Mapping[str, object], first: Mapping[str, object] | None = None, **options: object):
    kept = {name: np.asarray(value) for name, value in arrays.items()}
    return ObservedArtifact(
        arrays=kept,
        first=kept if first is None else {name: np.asarray(value) for name, value in first.items()},
        step=1600,
        first_step=0,
        step_label="epoch",
        options=SimpleNamespace(**options),
    )


GROKKED = {
    "memorised": 125.0,
    "memorised/by": ["accuracy"],
    "memorised/ci": [115.0, 130.0],
    "memorised/accuracy": 125.0,
    "generalised": 1100.0,
    "generalised/by": ["accuracy"],
    "generalised/ci": [np.nan, np.nan],
    "first": 0.0,
    "last": 1600.0,
    "fell": 1.0,
    "grokked": 1.0,
    "censored": 0.0,
    "delay": 975.0,
    "delay_at_least": np.nan,
    "ratio": 8.8,
    "line/accuracy": 0.99,
    "line/loss": 0.01,
    "line/delay": 2.0,
    "slingshot_count": 0,
    "slingshots": np.zeros(0, np.int64),
}


def test_an_event_is_said_with_its_definition_and_its_interval_or_why_there_is_none():
    memorised, generalised, delay = grokking_observed(seen(GROKKED))
    assert memorised.text == (
        "It memorised at epoch 125 (train accuracy ≥ 0.99; 95 % interval by block bootstrap of its curve: 115 to 130)."
    )
    assert (memorised.value, memorised.interval) == (125.0, (115.0, 130.0))
    assert generalised.text == ("It generalised at epoch 1,100 (test accuracy ≥ 0.99; no interval: too few records).")
    assert delay.text == (
        "It generalised 975 epochs after it memorised, at 8.8 times the epoch: it grokked (line: 2 times)."
    )


def test_what_did_not_happen_is_said_as_that_and_the_delay_as_a_bound():
    never = {"generalised": np.nan, "grokked": 0, "censored": 1, "delay": np.nan, "ratio": np.nan, "fell": 0}
    _, generalised, delay = grokking_observed(seen({**GROKKED, **never, "delay_at_least": 1475.0}))
    assert generalised.text == (
        "By epoch 1,600 it has not generalised (test accuracy ≥ 0.99), and the test loss "
        "never fell to half of its first value and of guessing."
    )
    assert delay.text == "Whether it would have generalised later is not known: the delay is 1,475 epochs at least."


def test_the_verdict_counts_as_its_family_does():
    reason = "it memorised by step 672 and had not generalised by step 1,600"
    (said,) = windows_observed(seen({"verdict": ["memorised only"], "reason": [reason]}))
    assert said.text == "Verdict: memorised only (it memorised by epoch 672 and had not generalised by epoch 1,600)."


def effects(change: list[float], sem: list[float]):
    arrays = {"unit": ["L0H0", "L0H1", "L0 MLP"], "mode": ["mean"], "inputs": 512}
    return seen({**arrays, "test/loss": [change], "test/loss_sem": [sem]})


def test_parts_are_called_needed_only_where_their_effect_is_not_chance():
    (said,) = effects_observed(effects([0.01, 3.0, 1.0], [0.01, 0.1, 0.1]))
    assert said.text.startswith(
        "Mean ablation of L0H1 and L0 MLP raises the loss on test inputs, most for L0H1, by 3 nats "
        "(95 %: 2.8 to 3.2, p < 1e-15); two-sided normal test of paired differences over those among 512 drawn, "
    )
    assert said.interval is not None
    (nothing,) = effects_observed(effects([0.01, 0.02, -0.5], [0.01, 0.01, 0.1]))
    assert nothing.text == (
        "Of no part does mean ablation raise the loss on test inputs beyond chance (two-sided normal test of paired "
        "differences over those among 512 drawn, Benjamini-Hochberg at 0.05 over 3 parts)."
    )


def test_effects_drawn_from_nothing_are_hardly_ever_called_needed():
    random = np.random.default_rng(0)
    called = sum(
        effects_observed(effects(random.normal(0, 0.1, 3).tolist(), [0.1] * 3))[0].value != 0 for _ in range(400)
    )
    # One-sided at a level of 0.05 over all parts: 10 of 400 expected, and 25 are exceeded once in ten thousand.
    assert called <= 25


def test_accuracy_has_an_interval_and_calibration_its_null():
    arrays = {"test/count": [0, 200], "test/mean_accuracy": 0.97, "test/error": 0.02, "test/error_null": [0.01, 0.05]}
    right, calibrated = calibration_observed(seen(arrays))
    assert right.text == (
        "At epoch 1,600 194 of 200 test inputs are answered right: 97 % (95 % Wilson interval 93.6 % to 98.6 %)."
    )
    assert calibrated.text == (
        "On test inputs it is not told from a perfectly calibrated model: its expected calibration error is 0.02; "
        "that would show 0.01 to 0.05 in 95 % of cases."
    )


def test_keys_are_said_with_their_votes_and_with_what_noise_would_get():
    arrays = {"label": ["1", "2", "3"], "votes": [4, 0, 2], "key": [True, False, True], "voter": list("abcd")}
    (said,) = votes_observed(seen(arrays, majority=2, null=0.001))
    assert said.text == (
        "2 of 3 components of the answers' basis are key at epoch 1,600, with their votes: 1 (4) and 3 (2) (2 or more "
        "of 4 instruments' votes; white noise in place of the logits gets any vote of theirs with probability 0.001)."
    )


def test_concentration_stands_beside_the_initialisation_and_equal_shares():
    label = [str(k) for k in range(1, 11)]
    now = {"W_E/basis": ["fourier"], "W_E/label": label, "W_E/fraction": [0.3, 0.3, 0.2] + [0.2 / 7] * 7}
    (said,) = spectra_observed(seen(now, {**now, "W_E/fraction": [0.1] * 10}))
    assert said.text == (
        "The 5 strongest of 10 blocks of W_E (1, 2, 3, 4 and 5) hold 85.7 % of its power outside the constant "
        "(50 % in as many at the initialisation; equal shares would hold 50 %)."
    )
    assert spectra_observed(seen({**now, "W_E/basis": ["singular"]})) == []


def test_a_path_is_said_only_beside_random_walks():
    alone = {"all/explained": [0.7, 0.2]}
    assert path_observed(seen(alone)) == []
    (said,) = path_observed(seen({**alone, "all/drift_explained": [[0.5, 0.1], [0.55, 0.1], [0.6, 0.1]]}))
    assert said.text == (
        "The first principal component holds 70 % of the variance of the weights' path, more than random walks that "
        "end as far from their start have (50 % to 60 % in 95 % of them)."
    )


def test_stages_and_norms_say_what_they_are_measured_by():
    arrays = {"consensus": [160], "ci": [[140, 180]], "method": ["a", "b", "c"]}
    (said,) = stages_observed(seen(arrays, level=0.05, methods=2))
    assert said.text == (
        "2 stages, which part at epoch 160 (95 %: 140 to 180), by at least 2 of 3 methods (each method cuts a random "
        "walk with probability 0.05)."
    )
    (norms,) = norms_observed(seen({"total/squares": 500.0}, {"total/squares": 1000.0}))
    assert norms.text == (
        "The sum of squares of all weights went from 1,000 at epoch 0 to 500 at epoch 1,600, 0.5 times as much."
    )


def test_numbers_are_not_rounded_to_what_they_are_not():
    assert [share(value) for value in (1.0, 0.9999, 0.0, 1e-5, 0.5)] == [
        "100 %",
        "over 99.9 %",
        "0 %",
        "under 0.1 %",
        "50 %",
    ]
    assert [number(value) for value in (1234.5, 0.01234, np.nan, np.inf)] == [
        "1,234",
        "0.0123",
        "not a number",
        "infinite",
    ]
    assert [listed(names) for names in ([], ["a"], ["a", "b"], list("abcdefghij"))] == [
        "",
        "a",
        "a and b",
        "a, b, c, d, e, f, g, h and 2 more",
    ]


def test_smoothness_is_said_beside_other_numberings_and_the_right_answers_and_not_of_a_constant():
    bands = {"without_constant": 0.7767, "null_without_constant": [0.0512, 0.2, 0.613], "answer_without_constant": 0.9}
    (told,) = smoothness_observed(seen(bands))
    assert told.text == (
        "At epoch 1,600 77.7 % of the power of its table of answers, without the constant, is at low frequencies; with "
        "the classes numbered at random 5.12 % to 61.3 % would be in 95 % of cases, and of the right answers 90 % are."
    )
    assert told.value == 0.7767
    assert smoothness_observed(seen({"without_constant": np.nan, "null_without_constant": [np.nan] * 3})) == []
