"""What `miscope sweep` says of a study: what cannot run here, which name is meant, what goes on, which attempt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, final

import pytest

from miscope import Executor
from miscope.bound import BoundWorkspace, open_bound
from miscope.studies.extending import read_study_file
from miscope.studies.planning import planned
from miscope.studies.resolving import resolved
from miscope.studies.sweeping import sweep_on
from miscope.testing import tables
from miscope.training import devices

Run = Callable[..., tuple[int, str, str]]

STUDY = """
family: toy.sum
base: {checkpoints: 'every:2'}
matrix: {seed: [1]}
run_name: s{seed}
train: {steps: 4, threads: 1}
analyze: {analyzers: [parameters.norms]}
"""


@final
class Unstartable(Executor):
    """Workers that somebody starts in vain."""

    name = "unstartable"

    def run(self, work: Any, jobs: Iterable[Any], *, lost: Any = None) -> Iterator[Any]:
        raise AssertionError(f"it was started for {list(jobs)}")


@pytest.fixture
def ws(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoundWorkspace:
    """A workspace in force for the commands; the study lies beside it."""
    (tmp_path / "sweep.yaml").write_text(STUDY)
    offer("toy", "miscope.testing.toy")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    return open_bound(tmp_path / "ws", tables())


def test_a_device_that_is_not_here_is_refused_before_anything_runs_and_by_the_dry_run_too(
    ws: BoundWorkspace, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert str(devices.pick_device("auto")) == "cpu"
    Path("sweep.yaml").write_text(STUDY.replace("steps: 4", "steps: 4, device: cuda"))
    refused = "sweep.yaml, line 6: There is no device 'cuda' here.\nThere is: cpu.\nName one of these, or auto.\n"
    for words in ((), ("--dry-run",), ("--jobs", 2), ("--queue",)):
        code, out, err = command("sweep", "sweep.yaml", *words)
        assert (code, err, "1 new" in out) == (1, refused, words == ("--dry-run",)), words
    assert not ws.root.exists()


def test_a_name_that_is_none_is_told_with_the_template_that_it_is_like(ws: BoundWorkspace, command: Run) -> None:
    assert command("templates", "save", "Small sums", "sweep.yaml")[0] == 0
    code, out, err = command("sweep", "Smal sums")
    assert (code, out) == (1, "")
    assert err == (
        "There is no file, template or study run before named 'Smal sums'.\n"
        "Did you mean 'Small sums'?\n"
        "The templates:  miscope templates\n"
    )
    assert command("sweep", "swep.yaml")[2].startswith("swep.yaml: It cannot be read: No such file or directory.")


def test_a_finished_training_whose_analysis_lacks_something_goes_on_and_then_nothing_is_started(
    ws: BoundWorkspace, command: Run
) -> None:
    list(ws.variant("toy.sum", seed=1, checkpoints="every:2").train(steps=4, threads=1))
    said = [command("sweep", "sweep.yaml")[2].splitlines() for _ in range(2)]
    assert [lines[1] for lines in said] == ["[1/1] s1: finished, its analysis goes on", "[1/1] s1: finished, skipped"]
    assert said[0][2].startswith("[1/1] ✓ s1: done, at step 4, 3 artifacts saved, ")
    plan = planned(ws.value, resolved(ws.value, read_study_file(Path("sweep.yaml"))).runs)
    (ended,) = sweep_on(Unstartable(), ws.value, plan)
    assert (ended.ending, ended.result.step) == ("skipped", 4)


@pytest.mark.parametrize("where", [(), ("--jobs", 1)])
def test_an_attempt_beyond_the_first_is_told(ws: BoundWorkspace, command: Run, where: tuple[Any, ...]) -> None:
    Path("sweep.yaml").write_text(STUDY.replace("every:2'", "every:1', optimizer: sgd, learning_rate: 1e30"))
    code, out, err = command("sweep", "sweep.yaml", "--retries", 1, "--json", *where)
    (made,) = json.loads(out)
    assert (code, made["ending"], made["attempts"]) == (1, "failed", 2)
    told = [line.partition("]")[2] for line in err.splitlines() if "(attempt 2 of 2)" in line]
    assert (told[0].startswith(" s1: new, to step 4"), told[-1].startswith(" ✗ s1: failed, ")) == (not where, True)


@pytest.mark.parametrize("base", ["[1]", "5", "text"])
def test_fields_for_a_base_that_is_no_mapping_are_refused_at_its_line(
    ws: BoundWorkspace, command: Run, base: str
) -> None:
    Path("sweep.yaml").write_text(STUDY.replace("{checkpoints: 'every:2'}", base))
    code, _, told = command("sweep", "sweep.yaml", "--set", "width=8")
    assert code == 1
    assert told.startswith("sweep.yaml, line 3: ")
