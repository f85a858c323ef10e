"""Tasks run anywhere, a dead worker is an outcome, and an early end leaves nothing running."""

import math
import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from miscope.analysis.executors import Inline, Processes, WorkerDied
from miscope.errors import BadValue, MiscopeError
from miscope.executor import ExecutorOptions
from miscope.testing import tables

DIE = "__import__('os')._exit(1)"


def lost(task, reason):
    return f"lost {task}: {reason}"


def test_inline_runs_one_after_the_other():
    assert list(Inline().run(math.sqrt, [1.0, 4.0, 9.0])) == [1.0, 2.0, 3.0]


def test_inline_takes_a_task_only_when_the_last_outcome_was_taken():
    taken = []
    outcomes = Inline().run(abs, (taken.append(n) or n for n in (-1, -2)))
    assert next(outcomes) == 1
    assert taken == [-1]


def test_processes_give_the_same_outcomes_in_any_order():
    assert sorted(Processes(2).run(math.sqrt, [float(n * n) for n in range(7)])) == [float(n) for n in range(7)]


def test_work_runs_elsewhere_and_on_one_thread():
    ((pid, threads),) = Processes(1).run(eval, ["(__import__('os').getpid(), __import__('torch').get_num_threads())"])
    assert pid != os.getpid()
    assert threads == 1


def test_a_task_whose_worker_dies_is_told_and_the_others_are_done():
    outcomes = list(Processes(2).run(eval, ["1 + 1", DIE, "2 + 3", "3 + 4"], lost=lost))
    assert set(outcomes) == {
        2,
        5,
        7,
        f"lost {DIE}: It was killed, ran out of memory, or crashed in native code, twice in a row.",
    }
    assert len(outcomes) == 4


def test_without_an_outcome_for_it_the_loss_is_raised():
    with pytest.raises(WorkerDied) as error:
        list(Processes(1).run(eval, [DIE]))
    assert str(error.value) == (
        f"A worker process died while it ran {DIE}.\n"
        "It was killed, ran out of memory, or crashed in native code, twice in a row.\n"
        "Run it again with `--executor inline`."
    )


def test_no_more_tasks_are_taken_than_there_are_workers_for():
    taken = []
    outcomes = Processes(2).run(math.sqrt, (taken.append(n) or float(n) for n in range(10)))
    next(outcomes)
    assert len(taken) <= 4
    outcomes.close()
    assert len(taken) <= 4


def test_processes_that_are_opened_serve_several_runs():
    with Processes(1).open() as opened:
        pids = {pid for _ in range(3) for pid in opened.run(eval, ["__import__('os').getpid()"])}
    assert len(pids) == 1


def test_open_processes_are_replaced_where_a_task_killed_one():
    with Processes(2).open() as opened:
        before = list(opened.run(eval, ["__import__('os').getpid()"]))
        assert len(list(opened.run(eval, [DIE, "2 + 3"], lost=lost))) == 2
        after = list(opened.run(eval, ["__import__('os').getpid()"]))
    assert before != after


def test_a_process_may_die_while_another_is_being_started(monkeypatch: pytest.MonkeyPatch):
    """The pool has closed the pipe then that the other one is to be given."""
    submit, begun = ProcessPoolExecutor.submit, []

    def late(pool, *given):
        if len(begun) == 1:
            begun.append(begun[0].exception())
            raise OSError("handle is closed")
        begun.append(submit(pool, *given))
        return begun[-1]

    monkeypatch.setattr(ProcessPoolExecutor, "submit", late)
    died, done = sorted(map(str, Processes(2).run(eval, [DIE, "2 + 3"], lost=lost)), reverse=True)
    assert (done, died.startswith(f"lost {DIE}: ")) == ("5", True)


def test_a_worker_leaves_signals_to_its_parent_from_its_start_on():
    itself = "__import__('os').getpid()"
    signalled = f"[__import__('os').kill({itself}, number) for number in (2, 15)]"
    held = "__import__('signal').pthread_sigmask(0, ()) >= {2, 15}"
    assert list(Processes(1).run(eval, [signalled, held])) == [[None, None], True]


def test_a_run_that_is_dropped_leaves_open_processes_for_the_next():
    with Processes(1).open() as opened:
        outcomes = opened.run(eval, ["1", "2", "3"])
        assert next(outcomes) == 1
        outcomes.close()
        assert list(opened.run(eval, ["4"])) == [4]


def test_processes_end_once_they_are_no_longer_open():
    import psutil

    with Processes(1).open() as opened:
        (pid,) = opened.run(eval, ["__import__('os').getpid()"])
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


def test_an_executor_that_opens_nothing_is_itself():
    inline = Inline()
    with inline.open() as opened:
        assert opened is inline


def test_an_executor_whose_package_is_not_there_is_told_with_its_package():
    with pytest.raises(MiscopeError) as refusal:
        tables().executor("dask")
    assert str(refusal.value) == (
        "The executor 'dask' comes with miscope-dask, which is not installed or could not be loaded.\n"
        "`miscope plugins` lists what is.\n"
        "To install it:  pip install miscope-dask"
    )


def test_an_executor_that_leaves_no_choice_refuses_one():
    assert Inline().configured(ExecutorOptions()).name == "inline"
    with pytest.raises(BadValue) as refusal:
        Inline().configured(ExecutorOptions(jobs=2, scheduler="tcp://127.0.0.1:1"))
    assert str(refusal.value) == (
        "The executor 'inline' takes no jobs and no scheduler.\n"
        "Where its jobs run, and how many at a time, it knows itself.\n"
        "Leave them out, or name another:  `miscope executors`"
    )
    chosen = Processes(3).configured(ExecutorOptions(jobs=2))
    assert isinstance(chosen, Processes)
    assert chosen.workers == 2
