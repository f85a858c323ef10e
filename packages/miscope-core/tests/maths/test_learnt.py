"""When a set was learnt: one definition for all that are compared, and what a record that begins late leaves open."""

import numpy as np
import pytest

from miscope.maths.learnt import definitions, delay, marks, step_by, words

NAN = np.nan


def detected(by, accuracy, loss):
    steps = {"memorised/by": np.array([by]), "memorised/accuracy": np.array(accuracy), "memorised/loss": np.array(loss)}
    lines = {"line/accuracy": np.array(0.99), "line/loss": np.array(0.01)}
    return steps | lines | {"memorised": np.array(accuracy if by == "accuracy" else loss), "peak": np.array(7.0)}


TRAINED, IMPORTED = detected("accuracy", 140.0, 280.0), detected("loss", NAN, 300.0)


def test_all_are_dated_by_accuracy_where_all_have_one_and_otherwise_by_loss():
    assert definitions([TRAINED, TRAINED]) == {"memorised": "accuracy"}
    assert definitions([TRAINED, IMPORTED]) == {"memorised": "loss"}
    assert definitions([]) == {}


def test_the_definition_is_told_in_words_with_its_line():
    assert words([TRAINED], {"memorised": "accuracy"}) == {"memorised": "train accuracy ≥ 0.99"}
    assert words([TRAINED, IMPORTED], {"memorised": "loss"}) == {"memorised": "train loss < 0.01"}


def test_events_of_one_definition_are_what_they_are():
    assert step_by(TRAINED, "peak", {"memorised": "loss"}) == 7
    assert np.isnan(step_by(TRAINED, "half", {})).all()
    assert np.isnan(step_by(TRAINED, "memorised", {"memorised": "loss"}, "/ci")).tolist() == [True, True]


def test_marks_of_variants_that_are_compared_are_of_one_definition():
    alone, (first, second, none) = marks([TRAINED])[0], marks([TRAINED, IMPORTED, None])
    assert alone == {"events": {"memorised": 140, "peak": 7}, "definitions": {"memorised": "train accuracy ≥ 0.99"}}
    assert first == {"events": {"memorised": 280, "peak": 7}, "definitions": {"memorised": "train loss < 0.01"}}
    assert second["events"]["memorised"] == 300
    assert none == {"events": {}, "definitions": {}}


@pytest.mark.parametrize(
    ("memorised", "generalised", "first", "grokked", "known"),
    [
        (100, 1000, 0, 1, 900),
        (100, 200, 0, 1, 100),
        (100, 199, 0, 0, 99),
        (100, 90, 0, 0, -10),
        (0, 0, 0, 0, 0),
        (0, 5, 0, NAN, NAN),
        (300, 1000, 300, 1, NAN),
        (300, 400, 300, NAN, NAN),
        (300, 300, 300, NAN, NAN),
        (NAN, NAN, 300, 0, NAN),
    ],
)
def test_to_grok_is_to_generalise_at_twice_the_step_of_memorising(memorised, generalised, first, grokked, known):
    outputs = delay(memorised, generalised, (first, 5000), 2.0)
    assert float(outputs["grokked"]) == pytest.approx(grokked, nan_ok=True)
    assert outputs["delay"] == pytest.approx(known, nan_ok=True)


def test_where_memorising_came_before_the_record_the_delay_is_at_least_what_is_in_it():
    assert delay(300.0, 1000.0, (300, 5000), 2.0)["delay_at_least"] == 700
    outputs = delay(300.0, NAN, (300, 5000), 2.0)
    assert (outputs["censored"], outputs["delay_at_least"]) == (True, 4700)
