"""What a card of the page of jobs says of a run, and in which order the runs stand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.analyze_request import AnalyzeRequest
from miscope.cli.runs_table import progress
from miscope.runs.queued_run import Place, QueuedRun, Reached
from miscope.runs.run_labels import RunLabels
from miscope.runs.run_state import RunState
from miscope.store.ledger import Ledger
from miscope.train_request import TrainRequest
from miscope_panel.shown.durations import duration
from miscope_panel.shown.jobs_told import JobsTold
from miscope_panel.shown.loss_curves import loss_curves, loss_names, run_curves
from miscope_panel.shown.queue_moves import priorities_after
from miscope_panel.shown.queue_shown import FIRST, queue_shown
from miscope_panel.shown.run_card import card_of
from miscope_panel.shown.run_sections import in_sections, queue_order, without_retry
from miscope_panel.shown.run_trouble import sentence_and_rest, traceback_in

VARIANT = "toy.sum/v5-seed0-width16"
TRAINING, ANALYSIS = TrainRequest(family="toy.sum"), AnalyzeRequest(variants=(VARIANT,))


def run(number=1, state=RunState.RUNNING, request=TRAINING, **fields):
    at_first = {"what": VARIANT, "place": Place(), "reached": Reached(), "created": 0.0}
    return QueuedRun(id=number, request=request, state=state, **{**at_first, **fields})


def asked(card):
    return [action.name for action in card.actions]


def test_a_running_training_says_how_far_it_is_how_long_it_takes_and_its_last_numbers():
    metrics = {"test_accuracy": 0.5, "test_loss": 5.2, "train_loss": 0.0314159, "ranks.weights/W_E": 3.0, "l0": 12.0}
    reached = Reached(done=4800, total=25_000, eta=943.0, rate=21.52, metrics=metrics, checkpoint=4000)
    card = card_of(run(reached=reached, turn=1))
    assert (card.progress, card.left, card.share) == ("4,800 of 25,000 steps", "15 min 43 s left · 21.5 steps/s", 0.192)
    assert card.metrics == (
        *(("train_loss", "0.03142"), ("test_loss", "5.2"), ("test_accuracy", "0.5"), ("l0", "12")),
        ("ranks.weights/W_E", "3"),
    )
    assert (card.step, card.losses) == (4800, {"train_loss": 0.0314159, "test_loss": 5.2})
    assert (card.began, card.facts) == (True, ("checkpoint at step 4,000",))


def test_no_more_percent_are_said_than_are_done_wherever_it_is_said():
    of = run(reached=Reached(done=14_773, total=20_000))
    assert (of.percent, card_of(of).percent, progress(of)) == (73, 73, "step 14,773 of 20,000 (73 %)")
    # Not so by way of the share: 100 times 0.29 is less than 29.
    assert [run(reached=Reached(done=n, total=100)).percent for n in (0, 29, 100, 101)] == [0, 29, 100, 100]
    assert (run().percent, run(reached=Reached(total=0)).percent) == (None, 100)


def test_what_has_not_said_how_long_it_is_starts():
    assert card_of(run()).progress == "starting"
    assert card_of(run(state=RunState.PENDING)).progress == ""


@pytest.mark.parametrize(
    ("state", "request_", "actions"),
    [
        (RunState.RUNNING, TRAINING, ["stop", "pause", "save"]),
        (RunState.RUNNING, ANALYSIS, ["stop", "pause"]),
        (RunState.PENDING, TRAINING, ["pause", "cancel"]),
        (RunState.STOPPING, TRAINING, []),
        (RunState.STOPPED, TRAINING, ["resume", "retry", "cancel", "delete"]),
        (RunState.FAILED, ANALYSIS, ["resume", "retry", "delete"]),
        (RunState.COMPLETED, TRAINING, ["delete"]),
    ],
)
def test_a_card_offers_what_the_runs_state_allows(state, request_, actions):
    assert asked(card_of(run(state=state, request=request_))) == actions


def test_a_failure_is_its_first_sentence_and_what_is_known_beyond_it():
    card = card_of(run(state=RunState.FAILED, error="ValueError: NaN in W_E\nat step 12300", ended=5.0))
    assert (card.section, card.error, card.more) == ("failed", "ValueError: NaN in W_E", "at step 12300")
    assert sentence_and_rest("") == ("", "")


def test_a_name_that_somebody_gave_stands_first_and_the_variant_beside_it():
    card = card_of(run(labels=RunLabels(name="baseline", tags=("paper",))))
    assert (card.title, card.of, card.variant, card.facts) == ("baseline", VARIANT, VARIANT, ("#paper",))


def test_an_analysis_of_several_variants_opens_none():
    several = AnalyzeRequest(variants=(VARIANT, VARIANT.replace("seed0", "seed1")))
    card = card_of(run(request=several, reached=Reached(done=1, total=24)))
    assert (card.variant, card.progress, card.losses) == ("", "1 of 24 jobs", {})


def test_a_waiting_run_says_its_place_what_it_waits_for_and_what_it_repeats():
    waiting = run(7, RunState.PENDING, place=Place(needs=(3, 4), retry_of=2))
    assert card_of(waiting, "2. in the queue").facts == ("2. in the queue", "after run 3, 4", "retry of run 2")


def test_the_sections_are_in_the_order_in_which_one_looks_at_them():
    runs = [
        run(1, RunState.COMPLETED, ended=10.0),
        run(2, RunState.COMPLETED, ended=20.0),
        run(3, RunState.PENDING),
        run(4, RunState.PENDING, place=Place(priority=1)),
        run(5, RunState.INTERRUPTED, ended=1.0),
        run(6, RunState.STOPPING, started=3.0),
        run(7, RunState.CANCELLED, ended=2.0),
        run(8, RunState.RUNNING, started=2.0),
    ]
    ids = {name: [one.id for one in some] for name, some in in_sections(runs).items()}
    assert ids == {"running": [8, 6], "queued": [4, 3], "failed": [5], "stopped": [7], "done": [2, 1]}


def test_failed_runs_are_retried_together_but_those_that_were_already():
    runs = [
        run(1, RunState.FAILED),
        run(2, RunState.INTERRUPTED),
        run(3, RunState.PENDING, place=Place(retry_of=1)),
    ]
    assert without_retry(runs) == [2]
    assert queue_shown(runs, {}).bulk["retry"] == [2]


def test_what_is_over_can_be_cleared_away_together_but_not_what_could_go_on():
    states = (RunState.COMPLETED, RunState.STOPPED, RunState.CANCELLED, RunState.FAILED, RunState.PENDING)
    bulk = queue_shown([run(number, state) for number, state in enumerate(states)], {}).bulk
    assert (bulk["clear"], bulk["resume"], bulk["pause"]) == ([0, 2], [1], [4])


def test_a_section_has_as_many_cards_as_somebody_wants_to_see():
    runs = [run(number, RunState.COMPLETED, ended=float(number)) for number in range(1, 102)]
    shown = queue_shown([*runs, replace(runs[0], id=500, deleted=True)], {})
    done = next(section for section in shown.sections if section["name"] == "done")
    assert (done["count"], len(done["ids"]), done["ids"][0], len(shown.cards)) == (101, FIRST, "101", FIRST)
    assert len(queue_shown(runs, {"done": 60}).cards) == 60
    only = queue_shown([*runs, run(200)], {}, "running")
    assert (list(only.cards), [section["count"] for section in only.sections]) == (["200"], [1, 0, 0, 0, 101])


@given(
    priorities=st.lists(st.integers(-3, 3), min_size=1, max_size=8),
    chosen=st.integers(0, 7),
    by=st.integers(-9, 9),
)
def test_a_run_that_is_moved_stands_so_many_places_further_and_the_others_as_they_were(priorities, chosen, by):
    runs = [run(n, RunState.PENDING, place=Place(priority=p)) for n, p in enumerate(priorities)]
    order = queue_order(runs)
    number = chosen % len(runs)
    changes = priorities_after(order, number, by)
    after = queue_order([replace(one, place=Place(priority=changes.get(one.id, one.place.priority))) for one in runs])
    before = [one.id for one in order]
    others = [one for one in before if one != number]
    at = min(max(before.index(number) + by, 0), len(others))
    assert [one.id for one in after] == [*others[:at], number, *others[at:]]
    assert all(changes[one.id] > one.place.priority for one in runs if one.id in changes)


def test_a_run_that_waits_no_more_is_not_moved():
    assert priorities_after([run(1, RunState.PENDING)], 2, -1) == {}


def test_the_badge_counts_what_works_and_how_far_it_is_together():
    runs = [
        run(1, reached=Reached(done=50, total=100)),
        run(2, RunState.STOPPING, reached=Reached(done=1, total=4)),
        run(3, RunState.PENDING),
    ]
    assert JobsTold.of(runs) == JobsTold(running=2, percent=37)
    assert JobsTold.of(runs).words == "2 jobs running, 37 % done"
    assert JobsTold.of([run(1)]).words == "1 job running"
    assert JobsTold.of(runs[2:]).words == ""


def test_of_a_log_the_last_traceback_is_shown_to_the_line_that_names_the_exception():
    first = ["Traceback (most recent call last):", '  File "a.py", line 1', "KeyError: 3"]
    last = ["Traceback (most recent call last):", '  File "b.py", line 2', "    raise ValueError", "ValueError: NaN"]
    assert traceback_in(["step 1 of 3", *first, "again", *last, "run 3: failed"]) == "\n".join(last)
    assert traceback_in(["step 1 of 3"]) == ""


def test_losses_that_are_drawn_are_those_of_the_training_and_of_what_is_held_out():
    names = ["test_loss", "test_accuracy", "toy.norms/loss", "reconstruction_loss", "train_loss"]
    assert loss_names(names) == ("train_loss", "test_loss", "reconstruction_loss")


def test_a_curve_is_drawn_as_it_was_recorded(trained, name):
    recorded = trained.store.metrics(name, ("*_loss",))
    curves = loss_curves(trained.store, name)
    assert list(curves) == ["train_loss", "test_loss"]
    for metric, curve in curves.items():
        np.testing.assert_array_equal(curve["steps"], recorded[metric].steps)
        np.testing.assert_array_equal(curve["values"], recorded[metric].values)


def test_a_card_draws_what_its_own_run_recorded_though_another_went_on_from_it(trained, name, tmp_path, monkeypatch):
    monkeypatch.setattr(trained, "ledger", Ledger(tmp_path))
    for number, start in ((1, 0), (3, 10)):
        with trained.ledger.run("train", name, queued=number, turn=1, start=start):
            pass

    def steps(number, state, done, turn=1):
        reached = Reached(done=done, total=30)
        curves = run_curves(trained, run(number, state, what=name, turn=turn, reached=reached))
        return [(curve["steps"][0], curve["steps"][-1]) for curve in curves.values()]

    assert steps(1, RunState.STOPPED, 10) == [(0, 10)] * 2
    assert steps(3, RunState.COMPLETED, 30) == [(10, 30)] * 2
    assert steps(3, RunState.RUNNING, 20) == [(10, 30)] * 2
    assert steps(5, RunState.STOPPED, 20) == [(0, 20)] * 2
    assert steps(6, RunState.PENDING, 0, turn=0) == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "less than 1 s"), (70, "1 min 10 s"), (3900, "1 h 05 min"), (180_000, "2 d 2 h")]
)
def test_durations_are_as_people_say_them(seconds, text):
    assert duration(seconds) == text
