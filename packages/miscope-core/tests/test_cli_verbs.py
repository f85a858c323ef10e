"""The whole way on the command line: train, analyze, show, ask, on the toy family."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from miscope.cli.analyze import report
from miscope.cli.options import assignments
from miscope.errors import BadValue
from miscope.outcome import Outcome, State

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ws(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace in force, with the toy families installed."""
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    return tmp_path / "ws"


def test_from_a_family_to_rows(command: Run, ws: Path, tmp_path: Path) -> None:
    code, out, err = command("train", "toy.sum", "values=7", "--set", "weight_decay=0.5", "--threads", 1)
    assert code == 0
    assert out.startswith("toy.sum/v7-seed0-width16-wd0.5: step 30 of 30 | train ")
    assert "step 0 of 30" in err

    code, out, _ = command("variants", "--json")
    assert code == 0
    assert [(row["name"], row["last_step"]) for row in json.loads(out)] == [("toy.sum/v7-seed0-width16-wd0.5", 30)]

    code, out, _ = command("analyze", "v7-seed0-width16-wd0.5", "--only", "parameters.norms", "--steps", "every:20")
    assert (code, out) == (0, "3 saved\n")
    code, out, _ = command("analyze", "toy.sum", "values=7", "--only", "parameters.norms")
    assert (code, out) == (0, "1 saved\n")
    code, out, _ = command("analyze", "toy.sum", "--only", "parameters.norms")
    assert (code, out) == (0, "1 present\n")

    sql = "select step, value from scalars where name = 'total/squares' order by step"
    rows = json.loads(command("ask", sql, "--format", "json")[1])
    assert [row["step"] for row in rows] == [0, 10, 20, 30]
    table = list(csv.reader(io.StringIO(command("ask", sql, "--format", "csv")[1])))
    assert table[0] == ["step", "value"]
    assert [float(value) for _, value in table[1:]] == [row["value"] for row in rows]
    assert command("ask", sql)[1].splitlines()[0].split() == ["step", "value"]

    parquet = tmp_path / "rows.parquet"
    assert command("ask", sql, "--out", parquet)[:2] == (0, f"{parquet}: 4 rows\n")
    from pyarrow import parquet as pq

    assert pq.read_table(parquet).column("step").to_pylist() == [0, 10, 20, 30]


def test_a_training_may_have_a_name_of_its_own(command: Run, ws: Path) -> None:
    command("train", "toy.sum", "--steps", 1)
    assert command("train", "toy.sum", "--steps", 2, "--as", "again")[1].startswith("toy.sum/v5-seed0-width16@again: ")
    assert [row["last_step"] for row in json.loads(command("variants", "--json")[1])] == [1, 2]


def test_an_empty_name_of_its_own_is_refused(command: Run, ws: Path) -> None:
    """As an unset shell variable gives one."""
    code, _, err = command("train", "toy.sum", "--as", "", "--steps", 1)
    assert (code, err.split("\n")[0]) == (1, "A variant cannot be told apart by the name ''.")


def test_a_finished_training_says_so_and_more_steps_extend_it(command: Run, ws: Path) -> None:
    assert command("train", "toy.sum", "--steps", 10)[0] == 0
    code, out, _ = command("train", "toy.sum", "--steps", 10)
    assert code == 0
    assert out == "toy.sum/v5-seed0-width16 is already trained to step 10; nothing to do.\n"
    words = ("train", "toy.sum", "--steps", 10, "--set", "checkpoints=every:5", "--set", "evaluate_every=2")
    otherwise = (
        "It was trained with checkpoints=every:10 evaluate_every=1: "
        "to have it otherwise, train it under a label (--as NAME) or delete it first.\n"
    )
    assert command(*words)[:2] == (0, f"{out[:-1]} {otherwise}")
    assert command(*words, "--dry-run")[2] == otherwise
    trained = {"checkpoints": "every:10", "evaluate_every": 1}
    assert json.loads(command(*words, "--dry-run", "--json")[1])["trained_with"] == trained
    assert "step 20 of 20" in command("train", "toy.sum/v5-seed0-width16", "--steps", 20)[1]


def test_the_index_is_rebuilt_to_the_same_rows(command: Run, ws: Path) -> None:
    command("train", "toy.sum", "--steps", 10)
    before = json.loads(command("index", "status", "--json")[1])
    assert before["variants"] == 1
    assert before["checkpoints"] == 2
    for path in ws.glob("index.duckdb*"):
        path.unlink()
    assert command("index", "rebuild")[0] == 0
    assert json.loads(command("index", "status", "--json")[1]) == before


def test_the_global_workspace_holds_for_every_command(command: Run, ws: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert command("-w", other, "train", "toy.sum", "--steps", 2)[0] == 0
    assert json.loads(command("-w", other, "variants", "--json")[1])[0]["checkpoints"] == 2
    assert json.loads(command("-w", other, "index", "status", "--json")[1])["variants"] == 1
    assert command("variants", "-w", other, "--json")[1] == command("-w", other, "variants", "--json")[1]
    assert command("variants")[1] == f"There are no variants in {ws} yet.  To train one:  miscope train FAMILY\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["train", "toy.som"],
            "There is no family named 'toy.som'.\nDid you mean 'toy.sum'?\n"
            "`miscope families` lists the {families} that are installed.\n",
        ),
        (
            ["train", "toy.sum", "prime"],
            "'prime' is not of the form key=value.\n"
            "Parameters and options are given as key=value, without spaces.\nWrite, for instance, prime=113.\n",
        ),
        (
            ["analyze", "toy.sum", "values=7"],
            "There is no variant of toy.sum with values=7 in {ws}.\nIt holds 0 of that family.\n"
            "To train one:  miscope train toy.sum values=7\n",
        ),
        (
            ["train", "toy.sum", "values=7", "--set", "values=9"],
            "'values' is given twice, as 7 and as 9.\nA parameter has one value.\nLeave one of them out.\n",
        ),
    ],
)
def test_bad_input_is_a_three_part_error_and_nothing_is_written(
    command: Run, ws: Path, words: list[str], message: str
) -> None:
    families = len(json.loads(command("families", "--json")[1]))
    code, out, err = command(*words)
    assert (code, out) == (1, "")
    assert err == message.format(ws=ws, families=families)
    assert not ws.exists()


def test_bad_choices_for_what_is_there_are_three_part_errors(command: Run, ws: Path) -> None:
    command("train", "toy.sum", "--steps", 10)
    name = "toy.sum/v5-seed0-width16"
    refused = [
        (["analyze", name, "values=5"], f"{name!r} is the name of a variant, so values cannot be given with it."),
        (["analyze", name, "--steps", "3"], f"{name} has no checkpoint at step 3."),
        (["analyze", "values=5"], "values alone do not say which variants."),
        (["analyze", name, "--steps", "sometimes"], "'sometimes' does not say which checkpoints."),
        (["analyze", name, "-o", "parameters.norms.depth=3"], "'parameters.norms' has no option 'depth'."),
        (["analyze", name, "--executor", "inlin"], "There is no executor named 'inlin'."),
        (["ask", "drop table variants"], None),
        (["show", "no.view", name, "--out", "x.html"], None),
    ]
    for words, first in refused:
        code, out, err = command(*words)
        assert (code, out) == (1, ""), words
        assert len(err.splitlines()) >= 3, err
        assert first is None or err.splitlines()[0] == first


def test_variants_given_together_are_compared_at_the_steps_they_share(command: Run, ws: Path) -> None:
    names = [f"toy.sum/v5-seed{seed}-width16" for seed in (1, 2)]
    for name, steps, every in zip(names, (20, 40), (10, 20), strict=True):
        seed = name.partition("-seed")[2][0]
        command("train", "toy.sum", f"seed={seed}", "--steps", steps, "--set", f"checkpoints=every:{every}")
    code, _, err = command("analyze", *names, "--only", "cohort.losses, parameters.norms", "--steps", "every:10")
    assert code == 0, err
    looked = json.loads(
        command("ask", "select distinct step from artifacts where step is not null order by 1", "--format", "json")[1]
    )
    assert [row["step"] for row in looked] == [0, 20]
    spanning = command("ask", "select variant from artifacts where analyzer = 'cohort.losses'", "--format", "json")
    assert [row["variant"].partition("/")[0] for row in json.loads(spanning[1])] == ["cohort"]


def test_an_instrument_that_fails_is_told_once_and_ends_with_1(
    command: Run, ws: Path, offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    module = tmp_path / "site-packages" / "failing_plugin.py"
    module.write_text(
        "from miscope import Analyzer, Grain, Needs, hookimpl\n\n"
        "def fails(moment):\n    'Fails.'\n    return moment.weights['W_E']\n\n"
        "@hookimpl\ndef miscope_analyzers():\n"
        "    facts = {'name': 'failing.always', 'version': 1, 'needs': Needs(weights=('W_U',))}\n"
        "    yield Analyzer(grain=Grain.CHECKPOINT, compute=fails, **facts)\n"
    )
    offer("failing", "failing_plugin")
    command("train", "toy.sum", "--steps", 10)
    code, out, err = command("analyze", "toy.sum", "--only", "failing.always")
    sys.modules.pop("failing_plugin")
    assert (code, out) == (1, "2 failed\n")
    assert err.count("'failing.always' read the weight 'W_E' without declaring it.") == 1
    assert "Traceback" not in err


def test_what_is_left_out_is_told_once_for_each_reason(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = {"a.first": "takes long", "a.second": "takes long", "b.third": "does not apply: it has no heads"}
    outcomes = [
        Outcome(variant=variant, analyzers=(name,), step=None, state=State.SKIPPED, error=f"{reason}\nMore of it.")
        for variant in ("f/one", "f/two")
        for name, reason in reasons.items()
    ]
    assert report(outcomes)
    out, err = capsys.readouterr()
    assert out == "6 skipped\n"
    assert err == "skipped  a.first, a.second: takes long\nskipped  b.third: does not apply: it has no heads\n"


def test_of_many_that_are_skipped_for_one_reason_the_first_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    names = tuple(f"a.n{i}" for i in range(60))
    outcome = Outcome(
        variant="f/one", analyzers=names, step=None, state=State.SKIPPED, error="no weights", done=1, total=1
    )
    assert report([outcome])
    assert capsys.readouterr().err.splitlines()[1] == f"skipped  {', '.join(names[:8])} and 52 more: no weights"


def test_a_log_counts_checkpoints_and_what_spans_training_in_a_line_for_every_tenth_of_the_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = {"variant": "f/one", "analyzers": ("a.b",), "state": State.SAVED, "total": 40, "checkpoints": 36}
    saved = [Outcome(step=i, done=i, **whole) for i in range(1, 37)]
    assert report(saved + [Outcome(step=None, done=i, **whole) for i in range(37, 41)])
    out, err = capsys.readouterr()
    lines = [f"{n} of 36 checkpoints, 0 of 4 over training" for n in range(4, 37, 4)]
    assert (out, err.splitlines()) == ("40 saved\n", [*lines, "36 of 36 checkpoints, 4 of 4 over training"])


def test_assignments_read_json_and_leave_other_words_as_they_are() -> None:
    words = ["prime=113", "betas=[0.9, 0.98]", "clip=null", "loss_dtype=float64", "schedule=0-10:2,10-20:5", "a=b=c"]
    assert assignments(words) == {
        "prime": 113,
        "betas": [0.9, 0.98],
        "clip": None,
        "loss_dtype": "float64",
        "schedule": "0-10:2,10-20:5",
        "a": "b=c",
    }
    with pytest.raises(BadValue):
        assignments(["=3"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_a_training_at_a_step_that_can_be_gone_on_from(
    ws: Path, tmp_path: Path, number: int, code: int
) -> None:
    # A process of its own: it is to be signalled.
    words = ["train", "toy.sum", "--steps", "20000", "--set", "checkpoints=every:10000", "--threads", "1"]
    script = f"from miscope.cli import main; main({words!r})"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site-packages")}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as training:
        assert training.stderr is not None
        while "step" not in training.stderr.readline():
            assert training.poll() is None
        training.send_signal(number)
        out, err = training.communicate()
    assert training.returncode == code, err
    assert "Stopped; the same command goes on from here." in err
    assert "Traceback" not in err
    step = int(out.split("step ")[1].split(" of")[0])
    from miscope.bound import open_bound
    from miscope.testing import tables

    assert open_bound(ws, tables()).find("toy.sum/v5-seed0-width16").steps[-1] == step
