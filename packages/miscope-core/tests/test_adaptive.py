"""When an adaptive schedule keeps a checkpoint."""

import math

from hypothesis import given
from hypothesis import strategies as st

from miscope.schedule import Adaptive
from miscope.training.adaptive import Decision, Pace, decide


def kept(schedule: Adaptive, losses: list[float]) -> list[Decision]:
    """The decisions over one evaluation a step."""
    pace, decisions = Pace(), []
    for step, loss in enumerate(losses):
        pace, decision = decide(schedule, pace, step, loss)
        decisions += [decision] if decision else []
    return decisions


def test_a_resting_loss_is_kept_at_the_longest_gap() -> None:
    steps = [d.step for d in kept(Adaptive(least=10, most=100, change=0.1), [2.0] * 401)]
    assert steps == [100, 200, 300, 400]


def test_a_steep_loss_is_kept_at_the_shortest_gap() -> None:
    steps = [d.step for d in kept(Adaptive(least=10, most=100, change=0.1), [math.exp(-step) for step in range(41)])]
    assert steps == [10, 20, 30, 40]


def test_in_between_the_log_loss_changes_by_the_wanted_amount_from_checkpoint_to_checkpoint() -> None:
    schedule = Adaptive(least=2, most=1000, change=0.5, window=4)
    decisions = kept(schedule, [math.exp(-0.01 * step) for step in range(301)])
    assert [d.gap for d in decisions[1:]] == [50] * (len(decisions) - 1)
    assert all(math.isclose(d.slope, -0.01, rel_tol=1e-9) for d in decisions)


@given(st.lists(st.floats(1e-8, 1e3), min_size=30, max_size=120), st.integers(1, 29))
def test_decisions_do_not_depend_on_where_training_was_cut(losses: list[float], cut: int) -> None:
    schedule = Adaptive(least=3, most=20)
    pace, decisions = Pace(), []
    for step, loss in enumerate(losses):
        pace, decision = decide(schedule, pace, step, loss)
        if step == cut:  # a resumed training looks at its first step a second time
            pace, again = decide(schedule, Pace.from_facts(pace.as_facts()), step, loss)
            assert again is None
        decisions += [decision] if decision else []
    assert decisions == kept(schedule, losses)


@given(st.lists(st.floats(1e-8, 1e3), min_size=30, max_size=120))
def test_gaps_stay_between_the_bounds(losses: list[float]) -> None:
    assert all(3 <= d.gap <= 20 for d in kept(Adaptive(least=3, most=20), losses))
