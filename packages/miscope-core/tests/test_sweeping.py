"""A study is run: what is there is skipped or gone on with, what fails fails alone, and a stop is gone on from."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from miscope.bound import BoundWorkspace, open_bound
from miscope.progress import Progress
from miscope.request import Request
from miscope.studies.document import parsed
from miscope.studies.planning import PlannedRun, planned
from miscope.studies.resolving import resolved
from miscope.studies.sweeping import Begun, Ended, Seen, sweep
from miscope.testing import tables
from miscope.train_request import TrainRequest
from miscope.workspace import Workspace

Run = Callable[..., tuple[int, str, str]]

STUDY = """
family: toy.sum
base: {checkpoints: 'every:2'}
matrix: {seed: [1, 2, 3]}
run_name: s{seed}
train: {steps: 4, threads: 1}
analyze: {analyzers: [parameters.norms]}
"""

TO_HAVE_IT_OTHERWISE = (
    "A finished run stays as it is, trained with checkpoints=every:2; for another, give it a label or delete it first."
)

PLUGIN = """
import os, signal
from pathlib import Path
from miscope import Analyzer, Grain, hookimpl
from miscope.testing.toy import ToyVariation

def signalled(shown):
    "Has its own process signalled at step 2, the first time."
    told = Path(os.environ["TOLD"])
    if shown.step == 2 and not told.exists():
        told.touch()
        os.kill(os.getpid(), int(os.environ["SIGNAL"]))
    return {"x": 0.0}

class Odd(ToyVariation):
    name = "toy.odd"
    title = "Toy that cannot learn with one seed until it is healed"

    def task(self, variant):
        if variant.params.seed == 2 and not Path(os.environ["HEALED"]).exists():
            raise RuntimeError("this seed is ill")
        return super().task(variant)

    def bases(self, params):
        return {}

@hookimpl
def miscope_analyzers():
    yield Analyzer(name="sweeps.signalled", version=1, grain=Grain.CHECKPOINT, compute=signalled)

@hookimpl
def miscope_families():
    yield Odd()
"""


@pytest.fixture
def ws(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoundWorkspace:
    """A workspace in force for the commands, with the toys and a plug-in installed; the study lies beside it."""
    (tmp_path / "sweep_plugin.py").write_text(PLUGIN)
    (tmp_path / "sweep.yaml").write_text(STUDY)
    monkeypatch.syspath_prepend(tmp_path)
    offer("toy", "miscope.testing.toy")
    offer("sweeps", "sweep_plugin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    monkeypatch.setenv("HEALED", str(tmp_path / "healed"))
    return open_bound(tmp_path / "ws", tables())


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def presences(command: Run, *words: object) -> list[tuple[str, str, int]]:
    code, out, _ = command("sweep", "sweep.yaml", "--dry-run", "--json", *words)
    assert code == 0
    return [(run["name"], run["presence"], run["step"]) for run in json.loads(out)["runs"]]


def endings(command: Run, *words: object, code: int = 0) -> list[tuple[str, str, int, int]]:
    ended, out, err = command("sweep", "sweep.yaml", "--json", *words)
    assert ended == code, err
    return [(run["name"], run["ending"], run["step"], run["saved"]) for run in json.loads(out)]


# --- what there is --------------------------------------------------------------------------------------------------


def test_new_runs_are_made_finished_ones_skipped_and_shorter_ones_extended(
    ws: BoundWorkspace, command: Run, tmp_path: Path
) -> None:
    list(ws.variant("toy.sum", seed=1, checkpoints="every:2").train(steps=4, threads=1))
    list(ws.variant("toy.sum", seed=2, checkpoints="every:2").train(steps=2, threads=1))
    assert presences(command) == [("s1", "finished", 4), ("s2", "shorter", 2), ("s3", "new", 0)]
    assert endings(command) == [("s1", "done", 4, 3), ("s2", "done", 4, 3), ("s3", "done", 4, 3)]
    assert endings(command) == [("s1", "skipped", 4, 0), ("s2", "skipped", 4, 0), ("s3", "skipped", 4, 0)]
    changed(tmp_path / "sweep.yaml", "every:2", "every:1")
    code, _, err = command("sweep", "sweep.yaml")
    assert (code, err.splitlines()[0]) == (0, TO_HAVE_IT_OTHERWISE)
    assert "[1/3] s1: finished, skipped; trained with checkpoints=every:2" in err.splitlines()
    changed(tmp_path / "sweep.yaml", "every:1", "every:2")
    changed(tmp_path / "sweep.yaml", "steps: 4", "steps: 6")
    assert endings(command, "--only", "s2") == [("s2", "done", 6, 1)]
    assert presences(command) == [("s1", "shorter", 4), ("s2", "finished", 6), ("s3", "shorter", 4)]
    runs = ws.ask("SELECT variant, count(*) AS n FROM runs WHERE kind = 'train' GROUP BY ALL ORDER BY ALL").to_pylist()
    assert [row["n"] for row in runs] == [1, 3, 1]


def test_a_stopped_training_is_resumed_and_one_that_diverged_is_retried(ws: BoundWorkspace, command: Run) -> None:
    seen: list[Progress] = []
    slow = ws.variant("toy.sum", seed=1, checkpoints="every:2")
    for progress in slow.train(steps=4, threads=1, should_stop=lambda: len(seen) == 2):
        seen.append(progress)
    assert presences(command)[0] == ("s1", "stopped", slow.steps[-1])
    assert endings(command, "--only", "s1")[0][:3] == ("s1", "done", 4)
    Path("sweep.yaml").write_text(STUDY.replace("every:2'", "every:1', optimizer: sgd, learning_rate: 1e30"))
    (diverged,) = endings(command, "--only", "s3", code=1)
    assert diverged[1] == "failed"
    assert presences(command, "--only", "s3") == [("s3", "failed", diverged[2])]
    # Twice the same end: what fails is tried again, and what it says is of this time.
    ended, out, err = command("sweep", "sweep.yaml", "--only", "s3", "--json")
    assert ended == 1
    assert json.loads(out)[0]["error"].startswith("The loss of toy.sum/")
    assert f"[1/1] s3: failed, retried from step {diverged[2]} to 4" in err.splitlines()


def test_a_training_whose_process_is_gone_counts_as_stopped_and_one_that_lives_as_running(
    ws: BoundWorkspace, command: Run
) -> None:
    for seed in (1, 2):
        list(ws.variant("toy.sum", seed=seed, checkpoints="every:2").train(steps=2, threads=1))
    for path, facts in zip(sorted(ws.ledger.folder.glob("*.jsonl")), ({"born": 0.0}, {}), strict=True):
        begun, *lines, _ = path.read_text().splitlines(keepends=True)  # without the line that ends it
        path.write_text("".join([json.dumps({**json.loads(begun), **facts}) + "\n", *lines]))
    assert presences(command) == [("s1", "stopped", 2), ("s2", "running", 2), ("s3", "new", 0)]


# --- what becomes of them ---------------------------------------------------------------------------------------------


def test_a_failure_ends_no_study_and_its_code_says_so_until_it_is_healed(
    ws: BoundWorkspace, command: Run, tmp_path: Path
) -> None:
    changed(tmp_path / "sweep.yaml", "toy.sum", "toy.odd")
    code, out, err = command("sweep", "sweep.yaml")
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert lines[0] == f"sweep: 3 of 3 runs, in {ws.root}"
    assert lines[1] == "[1/3] s1: new, to step 4"
    assert "[2/3] ✗ s2: failed, at step 0, 0.0 s; 1 left" in [line.split(", about")[0] for line in lines]
    assert "RuntimeError: this seed is ill" in lines
    assert lines[-1].startswith("2 done, 1 failed, in ")
    assert [(name, presence) for name, presence, _ in presences(command)] == [
        ("s1", "finished"), ("s2", "new"), ("s3", "finished"),
    ]  # fmt: skip
    (tmp_path / "healed").touch()
    assert [ending for _, ending, *_ in endings(command)] == ["skipped", "done", "skipped"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("where", ["train", "analyze"])
def test_a_signal_stops_a_study_with_its_code_and_a_second_call_goes_on(  # noqa: PLR0913 - fixtures
    ws: BoundWorkspace,
    command: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    number: int,
    code: int,
    where: str,
) -> None:
    monkeypatch.setenv("SIGNAL", str(int(number)))
    if where == "train":
        changed(tmp_path / "sweep.yaml", "threads: 1", "threads: 1, watch: [sweeps.signalled]")
    else:
        changed(tmp_path / "sweep.yaml", "[parameters.norms]", "[sweeps.signalled]")
    ended, out, err = command("sweep", "sweep.yaml")
    assert (ended, out) == (code, "")
    assert err.endswith("Stopped; the same command goes on from here.\n")
    assert "1 stopped, 2 not begun, in " in err
    assert [ending for _, ending, *_ in endings(command)] == ["done", "done", "done"]


def test_a_run_that_somebody_else_stops_is_left_and_the_next_one_begins(ws: BoundWorkspace) -> None:
    def stopping(workspace: Workspace, request: Request, should_stop: Callable[[], bool]) -> Iterator[Progress]:
        short = isinstance(request, TrainRequest) and request.params["seed"] == 2
        yield Progress(step=1 if short else 4, total=4, run="r")

    ended = [each for each in sweep(ws.value, plan_of(ws), perform=stopping) if isinstance(each, Ended)]
    assert [(each.planned.run.name, each.ending) for each in ended] == [
        ("s1", "done"), ("s2", "stopped"), ("s3", "done"),
    ]  # fmt: skip


def plan_of(workspace: BoundWorkspace) -> tuple[PlannedRun, ...]:
    text = STUDY.replace("analyze: {analyzers: [parameters.norms]}", "")
    return planned(workspace.value, resolved(workspace.value, parsed(text, "sweep.yaml")).runs)


def test_a_study_works_only_as_far_as_one_iterates(ws: BoundWorkspace) -> None:
    events = sweep(ws.value, plan_of(ws))
    first = next(events)
    assert isinstance(first, Begun)
    assert (first.planned.run.name, str(first.planned), ws.names()) == ("s1", "new, to step 4", [])
    kinds = [type(event) for event in events]
    assert kinds.count(Begun) == 2
    assert kinds.count(Ended) == 3
    assert set(kinds) == {Begun, Seen, Ended}
    assert len(ws.names()) == 3


def test_what_is_left_is_reckoned_by_the_steps_that_are_left(ws: BoundWorkspace) -> None:
    list(ws.variant("toy.sum", seed=2, checkpoints="every:2").train(steps=4, threads=1))
    ended = [each for each in sweep(ws.value, plan_of(ws)) if isinstance(each, Ended)]
    assert [each.ending for each in ended] == ["done", "skipped", "done"]
    first, second, third = (each.left for each in ended)
    assert first is not None
    assert second is not None
    # Of three runs of four steps one is there: as much is left as was taken for the first.
    assert first >= ended[0].result.seconds
    assert second >= first
    assert third == 0.0


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_runs_of_a_study_are_found_by_its_name_and_it_is_kept(ws: BoundWorkspace, command: Run) -> None:
    assert command("sweep", "sweep.yaml")[0] == 0
    rows = ws.ask('SELECT kind, "group", count(*) AS n FROM runs GROUP BY ALL ORDER BY ALL').to_pylist()
    assert rows == [{"kind": "analyze", "group": "sweep", "n": 3}, {"kind": "train", "group": "sweep", "n": 3}]
    assert (ws.root / "studies" / "sweep.yaml").exists()
    Path("sweep.yaml").unlink()
    code, out, _ = command("sweep", "sweep", "--dry-run")
    assert code == 0
    assert out.splitlines()[0] == "sweep: 3 of 3 runs of toy.sum: 3 finished"


def test_a_dry_run_shows_what_is_shared_and_what_is_each_runs_own(ws: BoundWorkspace, command: Run) -> None:
    code, out, _ = command("sweep", "sweep.yaml", "--dry-run", "--start-from", 1)
    assert code == 0
    head, _, rows = out.partition("\n\n#")
    assert head.splitlines()[0] == "sweep: 2 of 3 runs of toy.sum: 2 new"
    assert "fields   values=5 width=16 optimizer=adamw learning_rate=0.01 " in head
    assert "train    device=auto threads=1 compile=false watch=none log_every=null label=null" in head
    assert "analyze  analyzers=parameters.norms steps=null executor=inline options={}" in head
    assert rows.split("\n")[:4] == [
        "  run  seed  what there is",
        "1  s2   2     new, to step 4",
        "2  s3   3     new, to step 4",
        "",
    ]
    assert rows.split("\n")[4].startswith("2 to train, 8 steps, 6 checkpoints, ")
    assert not ws.root.exists()


def test_a_dry_run_says_what_is_left_will_take_and_of_which_runs_nobody_knows(
    ws: BoundWorkspace, command: Run, tmp_path: Path
) -> None:
    changed(tmp_path / "sweep.yaml", "toy.sum", "toy.odd")
    assert command("sweep", "sweep.yaml", "--only", "s1")[0] == 0
    code, out, err = command("sweep", "sweep.yaml", "--dry-run")
    assert code == 0
    assert "\n1 to train, 4 steps, 3 checkpoints, " in out
    told = "guessed from its size; no training of toy.odd was measured here yet; analyses not counted.\n"
    assert out.endswith(told), "the one that was made has too few steps to be a measure"
    assert err == "\ns2 cannot be estimated: RuntimeError: this seed is ill\n"
    runs = json.loads(command("sweep", "sweep.yaml", "--dry-run", "--json")[1])["runs"]
    assert [run["estimate"] is None for run in runs] == [True, True, False]
    assert [run["problem"] for run in runs] == [None, "RuntimeError: this seed is ill", None]


def test_a_study_with_a_mistake_runs_nothing_and_ends_with_1(ws: BoundWorkspace, command: Run, tmp_path: Path) -> None:
    changed(tmp_path / "sweep.yaml", "seed: [", "sed: [")
    code, out, err = command("sweep", "sweep.yaml")
    assert (code, out) == (1, "")
    assert err.startswith("sweep.yaml, line 4: There is no field named 'sed'.\nDid you mean 'seed'?\n")
    assert command("sweep", "sweep.yaml", "--executor", "inlin")[0] == 1
    assert not ws.root.exists()
