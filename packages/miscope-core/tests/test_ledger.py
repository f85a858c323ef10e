"""The ledger says what happened, line by line, and survives whoever writes it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from miscope.errors import UnknownName
from miscope.store.ledger import Ledger
from miscope.store.process_identity import is_alive


def events(ledger: Ledger) -> list[str]:
    return [str(line["event"]) for line in ledger.lines()]


def test_a_run_says_when_it_started_what_it_saved_and_that_it_finished(tmp_path: Path):
    ledger = Ledger(tmp_path)
    with ledger.run("train", "toy.sum/a", steps=3) as log:
        log.write("checkpoint", step=0)
    started, checkpoint, finished = ledger.lines()
    assert (started["event"], started["kind"], started["variant"], started["steps"]) == (
        "started",
        "train",
        "toy.sum/a",
        3,
    )
    assert checkpoint["run"] == log.name
    assert checkpoint["step"] == 0
    assert finished["event"] == "finished"
    assert started["time"] < checkpoint["time"] < finished["time"]


def test_a_run_that_fails_says_why_and_the_error_goes_on(tmp_path: Path):
    ledger = Ledger(tmp_path)
    with pytest.raises(ZeroDivisionError), ledger.run("train", "toy.sum/a"):
        _ = 1 / 0
    assert [line.get("error") for line in ledger.lines()] == [None, "division by zero"]


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, GeneratorExit])
def test_a_run_that_is_broken_off_is_stopped_not_failed(tmp_path: Path, leaving: type[BaseException]):
    ledger = Ledger(tmp_path)
    with pytest.raises(leaving), ledger.run("train", "toy.sum/a"):
        raise leaving
    assert events(ledger) == ["started", "stopped"]


def test_a_run_that_says_it_stopped_does_not_finish_too(tmp_path: Path):
    ledger = Ledger(tmp_path)
    with ledger.run("train", "toy.sum/a") as log:
        log.write("stopped", step=4)
    assert events(ledger) == ["started", "stopped"]


def test_a_torn_last_line_is_passed_over(tmp_path: Path):
    ledger = Ledger(tmp_path)
    with ledger.run("train", "toy.sum/a") as log:
        log.write("checkpoint", step=0)
    path = tmp_path / f"{log.name}.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert events(ledger) == ["started", "checkpoint"]


def test_lines_are_json_whatever_the_numbers(tmp_path: Path):
    ledger = Ledger(tmp_path)
    with ledger.run("analyze", "toy.sum/a") as log:
        log.write("artifact", scalars={"nan": float("nan"), "inf": np.float32("inf"), "n": np.int64(3)})
    line = json.loads((tmp_path / f"{log.name}.jsonl").read_text().splitlines()[1])
    assert line["scalars"] == {"nan": None, "inf": None, "n": 3}


def test_names_sort_by_time_and_no_two_runs_share_a_file(tmp_path: Path):
    ledger = Ledger(tmp_path)
    names = []
    for _ in range(5):
        with ledger.run("train", "toy.sum/a") as log:
            names.append(log.name)
    assert names == sorted(set(names)) == ledger.runs()


def test_a_stop_request_reaches_the_run_it_names_and_no_other(tmp_path: Path):
    ledger = Ledger(tmp_path)
    with ledger.run("train", "toy.sum/a") as one, ledger.run("train", "toy.sum/b") as other:
        ledger.request_stop(one.name)
        assert (one.stop_requested(), other.stop_requested()) == (True, False)
    assert list(tmp_path.glob("*.stop")) == []
    with pytest.raises(UnknownName) as refusal:
        ledger.request_stop("nobody")
    assert str(refusal.value) == (
        "There is no run named 'nobody'.\n"
        "None that is known here is spelt like it.\n"
        '`miscope ask "FROM runs"` lists them.'
    )
    with pytest.raises(UnknownName, match="There is no run named 'nobody'"):
        list(ledger.lines("nobody"))


def test_a_killed_process_loses_no_line_and_counts_as_dead(tmp_path: Path):
    code = f"""
import os
from miscope.store.ledger import Ledger
log = Ledger({str(tmp_path)!r}).run("train", "toy.sum/a").__enter__()
for step in range(50):
    log.write("checkpoint", step=step)
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    lines = list(Ledger(tmp_path).lines())
    assert [line["step"] for line in lines[1:]] == list(range(50))
    host, pid, born = (lines[0][name] for name in ("host", "pid", "born"))
    assert not is_alive(host, pid, born)  # pyright: ignore[reportArgumentType]
    assert is_alive("another-host", pid, born)  # pyright: ignore[reportArgumentType]
