"""About how long an analysis takes, by what the ledger has of earlier ones."""

from __future__ import annotations

import pytest

from miscope.analysis.analyze import outstanding_of
from miscope.analysis.earlier_times import seconds_each, seconds_left
from miscope.analyze_request import AnalyzeRequest
from miscope.bound import open_bound
from miscope.testing import tables

NORMS, RANKS = "parameters.norms", "ranks.weights"


@pytest.fixture
def workspace(tmp_path):
    made = open_bound(tmp_path / "ws", tables())
    list(made.variant("toy.sum", seed=0).train(steps=20, threads=1))
    return made


def write(workspace, lines):
    """A run of the ledger with these lines at these seconds."""
    variant = workspace.variants()[0].name
    with workspace.value.ledger.run("analyze", variant) as log:
        name = log.name
    path = workspace.value.ledger.folder / f"{name}.jsonl"
    import json

    head, *_ = path.read_text().splitlines()
    start = {**json.loads(head), "time": "2026-01-01T00:00:00"}
    rows = [
        {"run": name, "variant": variant, "time": f"2026-01-01T00:00:{second:02d}", "event": event, **facts}
        for second, event, facts in lines
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in [start, *rows]))


def artifact(second, name, step):
    return second, "artifact", {"analyzer": name, "step": step}


def test_what_one_job_leaves_shares_its_time_and_the_median_counts(workspace):
    write(
        workspace,
        [
            artifact(9, NORMS, 0),
            artifact(12, NORMS, 10),
            artifact(16, NORMS, 20),
            artifact(16, RANKS, 20),
            (40, "failure", {"analyzers": [RANKS], "step": 0}),
            artifact(41, RANKS, 10),
        ],
    )
    assert seconds_each(workspace.value, "toy.sum", [NORMS, RANKS, "other"]) == {NORMS: 3.0, RANKS: 1.5}
    assert seconds_each(workspace.value, "toy", [NORMS]) == {}


def test_jobs_over_the_whole_of_training_each_have_their_own_time(workspace):
    write(workspace, [artifact(2, NORMS, None), artifact(2, "other", None), artifact(32, RANKS, None)])
    each = seconds_each(workspace.value, "toy.sum", [NORMS, "other", RANKS])
    assert each == {NORMS: 1.0, "other": 1.0, RANKS: 30.0}


def test_what_is_left_takes_as_long_as_its_jobs_and_nobody_knows_of_one_never_timed(workspace):
    work = outstanding_of(workspace.value, AnalyzeRequest(variants=(workspace.variants()[0].name,), analyzers=(NORMS,)))
    assert seconds_left(workspace.value, work) is None
    write(workspace, [artifact(2, NORMS, 0), artifact(4, NORMS, 10)])
    assert seconds_left(workspace.value, work) == 6.0
