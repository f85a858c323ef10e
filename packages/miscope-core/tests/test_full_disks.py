"""Where the system refuses to write, every verb says so in three parts, loses nothing, and still answers."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from miscope.analysis.job import Job
from miscope.analysis.perform import Portable, perform
from miscope.analyzer import Analyzer, Grain
from miscope.bound import BoundWorkspace
from miscope.errors import CannotWrite, DoesNotApply
from miscope.needs import Needs
from miscope.outcome import State
from miscope.runs.database import Database

Run = Callable[..., tuple[int, str, str]]
NAME = "toy.sum/v5-seed0-width16"
TOO_LARGE = "It would be larger than a file may be here (`ulimit -f`)."
PLACE = "Choose a place that you may write to."
ROOM = "Make room, then give the same command again: what was finished is kept, and it goes on from there."


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Files can grow to so many bytes: a write beyond fails as on a full disk, with a number of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python does not notice that a module's bytecode was cut off, and fails to import it ever after.
    wrote, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sys.dont_write_bytecode = wrote


@pytest.fixture
def ws(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace in force, with the toy families installed."""
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    return tmp_path / "ws"


def test_a_training_on_a_full_disk_says_so_and_goes_on_once_there_is_room(command: Run, ws: Path) -> None:
    with files_of_at_most(2500):
        code, _, err = command("train", "toy.sum", "--threads", 1)
    assert code == 1
    assert err.splitlines()[-2:] == [TOO_LARGE, ROOM]
    assert err.splitlines()[-3].endswith(" cannot be written.")
    assert "Traceback" not in err
    assert command("train", "toy.sum", "--threads", 1)[0] == 0


def test_questions_are_answered_where_nothing_can_be_written(command: Run, ws: Path) -> None:
    assert command("train", "toy.sum", "--threads", 1)[0] == 0
    question = ["ask", "SELECT count(*) AS n FROM checkpoints", "--format", "csv"]
    with files_of_at_most(1000):
        assert command(*question) == (0, '"n"\n4\n', "")
        code, out, err = command("index", "rebuild")
    snapshot = ws / "index.duckdb"
    assert (code, out) == (1, "")
    assert err == f"{snapshot} cannot be written.\n{TOO_LARGE}\n{ROOM}\n"
    assert [path.name for path in ws.iterdir() if path.name.startswith(".index")] == []


def test_an_analysis_on_a_full_disk_says_so(command: Run, ws: Path) -> None:
    assert command("train", "toy.sum", "--threads", 1)[0] == 0
    with files_of_at_most(600):
        code, _, err = command("analyze", NAME, "--only", "parameters.norms")
    assert code == 1
    assert TOO_LARGE in err
    assert "Traceback" not in err
    assert command("analyze", NAME, "--only", "parameters.norms")[:2] == (0, "4 saved\n")


def test_a_workspace_behind_a_broken_link_or_a_circle_of_links_is_refused(command: Run, ws: Path, tmp_path: Path):
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for name in ("broken", "circle"):
        assert command("train", "toy.sum", "-w", tmp_path / name) == (
            1,
            "",
            f"{tmp_path / name} is no place for a workspace.\n"
            f"{tmp_path / name} is a link that leads nowhere.\n"
            "Name another path.\n",
        )


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder in which nobody can make one")
def test_a_workspace_where_no_folder_can_be_made_is_a_reason(command: Run, ws: Path) -> None:
    code, _, err = command("train", "toy.sum", "--threads", 1, "-w", "/proc/x")
    assert code == 1
    assert "cannot be written.\nA folder on the way to it does not exist and cannot be made.\n" in err
    assert "Traceback" not in err


def in_a_shell(line: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The line under `sh`, in which "$@" is the command."""
    script = f"from miscope.cli import main; main({list(words)!r})"
    return subprocess.run(["sh", "-c", line, "sh", sys.executable, "-c", script], capture_output=True, text=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a file that is always full")
def test_a_full_standard_output_is_a_reason() -> None:
    ended = in_a_shell('"$@" > /dev/full', "executors")
    assert ended.returncode == 1
    assert ended.stderr == f"Standard output cannot be written.\nNo space is left on its disk.\n{ROOM}\n"


def test_a_current_folder_that_is_gone_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    ended = in_a_shell(f'cd {tmp_path}/gone && rmdir ../gone && "$@"', "variants")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "The current folder does not exist any more.\n"
        "Names that do not begin with / are looked for there.\n"
        "Go to a folder that exists, and give the command again.\n"
    )


def _small_disks() -> bool:
    """Whether a user may mount a disk in a namespace of their own."""
    unshare = shutil.which("unshare")
    mount = "mount -t tmpfs -o size=32k none /mnt"
    return (
        unshare is not None and subprocess.run([unshare, "-rm", "sh", "-c", mount], capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not _small_disks(), reason="no disk can be mounted here")
def test_a_disk_that_is_really_full_is_told_in_the_same_way(ws: Path, tmp_path: Path) -> None:
    line = 'exec unshare -rm sh -c \'mount -t tmpfs -o size=32k none /mnt && exec "$@"\' sh "$@"'
    site = f"PYTHONPATH={tmp_path / 'site-packages'}"
    ended = in_a_shell(f"export {site}; {line}", "train", "toy.sum", "--threads", "1", "-w", "/mnt/ws")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-2:] == ["No space is left on its disk.", ROOM]
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("size", [0, 4096, 8192])
def test_a_queue_that_there_was_no_room_to_make_is_empty_and_not_damaged(tmp_path: Path, size: int):
    database = Database(tmp_path / "runs.sqlite", tmp_path / "runs")
    with files_of_at_most(size):
        for _ in range(2):
            with pytest.raises(CannotWrite) as refused, database.transaction():
                pass
            assert str(refused.value).splitlines()[1:] == ["No space is left on its disk.", ROOM]
            assert database.rows("SELECT * FROM runs") == []
    with database.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone()[0] == 0
    database.close()


def test_an_import_on_a_full_disk_says_so_and_is_made_whole_once_there_is_room(command: Run, ws: Path, tmp_path: Path):
    shapes = {"W_E": (5, 8), "blocks.0.mlp.W_in": (8, 16), "blocks.0.mlp.W_out": (16, 8), "W_U": (8, 5)}
    torch.save({name: torch.ones(shape) for name, shape in shapes.items()}, tmp_path / "step_3.pt")
    words = ["import", tmp_path / "step_3.pt", "--family", "toy.sum"]
    with files_of_at_most(1500):
        code, out, err = command(*words)
    assert (code, out) == (1, "")
    assert err.splitlines()[-3].endswith(" cannot be written.")
    assert err.splitlines()[-2:] == [TOO_LARGE, ROOM]
    assert command(*words)[:2] == (0, f"{NAME}: 1 checkpoint\n")


def test_a_plug_in_is_not_written_where_a_file_is_in_the_way(command: Run, ws: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "deep"
    assert command("new-plugin", "tried", "--dir", target) == (
        1,
        "",
        f"{target} cannot be written.\nSomething on the way to it is no folder.\n{PLACE}\n",
    )


def test_no_temporary_folder_is_a_reason_where_one_is_needed(
    command: Run, ws: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    assert command("train", "toy.sum", "--threads", 1)[0] == 0
    odd = tmp_path / "odd[1]"
    shutil.copytree(ws, odd)
    question = ["ask", "SELECT count(*) AS n FROM checkpoints", "--format", "csv"]
    reason = (
        "A temporary file cannot be written.\n"
        "A folder on the way to it does not exist and cannot be made.\n"
        "Choose a place that you may write to.\n"
    )
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
        answers = command(*question, "-w", ws), command(*question, "-w", odd)
    assert answers[0] in ((0, '"n"\n4\n', ""), (1, "", reason))
    assert answers[1] == (1, "", reason)


def refuses(snapshot: object) -> dict[str, object]:
    """Never applies."""
    raise DoesNotApply("of a reason")


def test_a_refusal_that_cannot_be_kept_is_a_failure_and_ends_nothing(workspace: Callable[..., BoundWorkspace]):
    from types import ModuleType

    from miscope.hookspecs import hookimpl

    module = ModuleType("never")
    record = Analyzer(name="t.never", version=1, grain=Grain.CHECKPOINT, compute=refuses, needs=Needs(weights=("W_E",)))  # pyright: ignore
    module.miscope_analyzers = hookimpl(lambda: (record,))  # pyright: ignore[reportAttributeAccessIssue]
    place = workspace(never=module)
    variant = place.variant("toy.sum", steps=1)
    list(variant.train(threads=1))
    task = Job(variant=variant.name, step=0, analyzers=("t.never",), steps=(0, 1))
    with files_of_at_most(5):
        (outcome,) = perform(Portable(place.value), task)
    assert outcome.state is State.FAILED
    assert outcome.error.splitlines()[1:] == [TOO_LARGE, ROOM]
    assert perform(Portable(place.value), Job(variant=variant.name, step=0, analyzers=("t.never",), steps=(0, 1)))[
        0
    ].state is (State.SKIPPED)


@pytest.mark.parametrize(
    ("number", "known", "todo"),
    [
        (errno.ENOSPC, "No space is left on its disk.", ROOM),
        (errno.EDQUOT, "Your share of its disk is used up.", ROOM),
        (errno.EFBIG, TOO_LARGE, ROOM),
        (errno.EROFS, "Its disk can be read only.", PLACE),
        (errno.EACCES, "The system does not permit it to you.", PLACE),
        (errno.EPERM, "The system does not permit it to you.", PLACE),
        (errno.EIO, "Input/output error.", PLACE),
    ],
)
def test_what_the_system_says_is_told_in_words(number: int, known: str, todo: str):
    told = CannotWrite("/a/b", OSError(number, os.strerror(number)))
    assert str(told) == f"/a/b cannot be written.\n{known}\n{todo}"
    assert told.errno == number
