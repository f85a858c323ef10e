"""How things end: children with their parent, a signal with its exit code, leftovers with the next run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
NAME = "toy.sum/v5-seed0-width16"
STOPPED = "Stopped; what was computed is kept, and the same command goes on from here.\n"
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]

PLUGIN = """
import os, signal
from pathlib import Path
from miscope import Analyzer, Grain, View, hookimpl

def signalled(moment):
    "Has its own process signalled at step 10, the first time."
    told = Path(os.environ["TOLD"])
    if moment.step == 10 and not told.exists():
        told.touch()
        os.kill(os.getpid(), int(os.environ["SIGNAL"]))
    return {"x": 0.0}

def draw(shown):
    "Is signalled while it draws."
    os.kill(os.getpid(), int(os.environ["SIGNAL"]))

@hookimpl
def miscope_analyzers():
    yield Analyzer(name="ends.signalled", version=1, grain=Grain.CHECKPOINT, compute=signalled)

@hookimpl
def miscope_views():
    yield View(name="ends.signalled", title="Signalled", grain=Grain.CHECKPOINT, draw=draw)
"""


@pytest.fixture
def trained(offer: Callable[[str, str], None], command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace in force with a trained toy, whose plug-in signals its own process."""
    (tmp_path / "signalling.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    offer("toy", "miscope.testing.toy")
    offer("ends", "signalling")
    assert command("train", "toy.sum", "--threads", 1)[0] == 0
    return tmp_path / "ws"


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    pipe = tmp_path / "workers"
    os.mkfifo(pipe)
    # Each worker holds the pipe open for as long as it lives, whoever else ends.
    task = f"(held := open({str(pipe)!r}, 'w'), held.write('!'), held.flush(), __import__('time').sleep(10**6))"
    script = f"from miscope.analysis.executors import Processes\nlist(Processes(2).run(eval, [{task!r}] * 2))"
    if_main = "if __name__ == '__main__':\n    " + script.replace("\n", "\n    ")
    (tmp_path / "parent.py").write_text(if_main)
    with subprocess.Popen([sys.executable, str(tmp_path / "parent.py")]) as parent, pipe.open("rb") as workers:
        assert workers.read(2) == b"!!"
        parent.kill()
        assert workers.read() == b""


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_stops_an_analysis_with_its_exit_code_and_the_next_one_goes_on(
    trained: Path, command: Run, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    monkeypatch.setenv("SIGNAL", str(int(number)))
    words = ["analyze", NAME, "--only", "ends.signalled"]
    ended, out, err = command(*words)
    assert (ended, out) == (code, "2 saved\n")
    assert err.endswith(STOPPED)
    assert command(*words)[:2] == (0, "2 saved\n")
    assert command(*words) == (0, "1 present\n", "")


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_ends_a_verb_that_has_nothing_to_go_on_from(
    trained: Path, command: Run, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    monkeypatch.setenv("SIGNAL", str(int(number)))
    word = {130: "Interrupted.\n", 143: "Terminated.\n"}[code]
    figure = trained / "figure.html"
    assert command("show", "ends.signalled", NAME, "--out", figure) == (code, "", word)
    assert not figure.exists()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


IMPORTING = """
import os, sys
from types import SimpleNamespace as Finder

def find_spec(name, *rest):
    "Is signalled while it imports, and answers as native code does that is interrupted."
    if name == sys.argv[1]:
        try:
            os.kill(os.getpid(), int(sys.argv[2]))
        except BaseException:
            os.abort()

sys.meta_path.insert(0, Finder(find_spec=find_spec))
from miscope.cli import main
main(["families"])
"""


@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize("module", ["typer", "rich.console"])
def test_a_signal_while_a_command_is_still_imported_ends_it_with_a_word(module: str, number: int, code: int) -> None:
    words = [sys.executable, "-c", IMPORTING, module, str(int(number))]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert ended.stderr == {130: "Interrupted.\n", 143: "Terminated.\n"}[code]


def left_by_a_killed_process(path: Path) -> Path:
    """An unfinished file beside the path, whose writer is gone."""
    script = "import sys; from pathlib import Path; from miscope.store.atomic import unfinished; "
    script += "aside = unfinished(Path(sys.argv[1])); aside.touch(); print(aside)"
    out = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True).stdout
    return Path(out.strip())


def test_what_a_kill_left_is_swept_by_a_run_that_has_nothing_to_do(trained: Path, command: Run) -> None:
    folder = trained / "variants" / NAME
    words = ["analyze", NAME, "--only", "parameters.norms"]
    assert command(*words)[0] == 0
    for again, place in [
        (["train", "toy.sum", "--threads", 1], folder / "metrics" / "000000-000009.parquet"),
        (words, folder / "checkpoints" / "step_00000001.safetensors"),
    ]:
        left = left_by_a_killed_process(place)
        assert left.exists()
        assert command(*again)[0] == 0
        assert not left.exists()


def test_a_snapshot_that_a_kill_left_half_published_is_swept_by_the_next_question(trained: Path, command: Run) -> None:
    assert command("ask", "SELECT 1")[0] == 0
    (snapshot,) = trained.rglob("*.duckdb")
    left = left_by_a_killed_process(snapshot)
    assert command("ask", "SELECT 1")[0] == 0
    assert not left.exists()


def in_a_shell(redirect: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command under `sh` with the redirection."""
    script = f"from miscope.cli import main; main({list(words)!r})"
    line = f'exec "$@" {redirect}'
    return subprocess.run(["sh", "-c", line, "sh", sys.executable, "-c", script], capture_output=True, text=True)


def test_who_reads_the_output_may_leave() -> None:
    script = "from miscope.cli import main; main(['analyzers', '--json'])"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.read(1)  # the rest does not fit into the pipe
        listing.stdout.close()
        assert listing.stderr.read() == b""
    assert listing.returncode == 141


def test_a_closed_output_is_a_reason() -> None:
    ended = in_a_shell(">&-", "executors")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "Standard output is closed.\n"
        "A command prints its answer there, and the next file it opened would get it instead.\n"
        "Leave out `>&-`; to throw the answer away, write `> /dev/null`.\n"
    )


def test_a_closed_standard_error_takes_nothing_away_from_the_answer() -> None:
    ended = in_a_shell("2>&- <&-", "executors", "--json")
    assert (ended.returncode, ended.stdout) == (0, in_a_shell("", "executors", "--json").stdout)
    assert in_a_shell("2>&-", "analyzers", "no.such").returncode == 1
    assert in_a_shell("2>&- >&-", "executors").returncode == 1
