"""Where no scheduler is named, workers of this machine do it, and Ctrl-C stops them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from psutil import Process

from miscope import ExecutorOptions, Plugins
from miscope.bound import open_bound
from miscope.testing import tables
from miscope_dask.answering import NoScheduler, check_scheduler

Until = Callable[[Callable[[], object]], None]

STUDY = """
family: toy.sum
base: {checkpoints: 'every:1000'}
include: [{name: short, seed: 1, steps: 2}, {name: long, seed: 2, steps: 100000000}]
train: {threads: 1}
"""

STARTING = """
from miscope import ExecutorOptions
from miscope.interruption import stop_on_signals
from miscope_dask.executor import Dask

with stop_on_signals() as asked, Dask(ExecutorOptions(jobs=1)).open() as workers:
    itself = "__import__('os').kill(__import__('os').getpid(), 15) or 5"
    print(asked.exit_code, asked(), *workers.run(eval, [itself]))
"""


def test_the_executor_is_found_once_installed_and_imports_no_dask() -> None:
    found = Plugins.installed().executors["dask"]
    assert (found.name, found.runs_here) == ("dask", True)
    assert not found.configured(ExecutorOptions(scheduler="tcp://10.0.0.1:8786")).runs_here
    code = "from miscope import Plugins; import sys; Plugins.installed().executors; print('dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_ctrl_c_stops_a_study_on_workers_of_this_machine_at_a_step_to_go_on_from(
    offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    """Also where the terminal sends it to each process of its group, the workers' too."""
    offer("toy", "miscope.testing.toy")
    (tmp_path / "sweep.yaml").write_text(STUDY)
    workspace = open_bound(tmp_path / "ws", tables())
    long = workspace.variant("toy.sum", seed=2, steps=100_000_000, checkpoints="every:1000").name
    words = ("sweep", "sweep.yaml", "--executor", "dask", "--jobs", "1", "-w", str(tmp_path / "ws"))
    surroundings = {
        "PYTHONPATH": str(tmp_path / "site-packages"),
        "MISCOPE_PLUGINS": "toy,dask",
        "OMP_NUM_THREADS": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "miscope", *words],
        cwd=tmp_path,
        env={**os.environ, **surroundings},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as command:
        try:
            while len(workspace.store.steps(long)) < 2:
                assert command.poll() is None
                time.sleep(0.02)
            os.killpg(command.pid, signal.SIGINT)
            _, said = command.communicate()
        finally:
            command.kill()
    assert command.returncode == 130, said
    lines = said.splitlines()
    assert lines[0] == f"sweep: 2 of 2 runs, in {tmp_path / 'ws'}"
    assert lines[1].startswith("[1/2] ✓ short: done, at step 2, ")
    assert lines[2].startswith(f"[2/2] ■ long: stopped, at step {workspace.store.steps(long)[-1]}, ")
    assert lines[-1] == "Stopped; the same command goes on from here."
    assert len(lines) == 5
    assert workspace.store.load_training_state(long) is not None


def test_a_signal_while_workers_start_ends_none_of_them_and_is_left_to_whoever_waits(until: Until) -> None:
    """The terminal sends it to each process of its group; `timeout` sends SIGTERM so."""
    words, pipe = [sys.executable, "-c", STARTING], subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as command:
        try:
            until(lambda: any("spawn_main" in " ".join(each.cmdline()) for each in Process(command.pid).children()))
            os.killpg(command.pid, signal.SIGINT)
            said = command.communicate()
        finally:
            command.kill()
    assert (command.returncode, *said) == (0, "130 True 5\n", "")


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("garbage", "ValueError: missing port number in address 'garbage'"),
        ("tcp://127.0.0.1:{silent}", "Something takes connections there, and says nothing."),
        ("tcp://127.0.0.1:{strange}", "Something else does: it does not speak dask's protocol."),
        ("tls://127.0.0.1:{silent}", "It asks for certificates, and dask's settings name none (distributed.comm.tls)."),
        ("tcp://127.0.0.1:{free}", "OSError: Timed out trying to connect to tcp://127.0.0.1:{free} after 0.3 s"),
        ("nonsense://x", "ValueError: unknown address scheme 'nonsense' (known schemes: "),
    ],
)
def test_an_address_where_no_scheduler_answers_is_told_and_nothing_keeps_trying(
    ports: dict[str, int], address: str, known: str
) -> None:
    before = threading.enumerate()
    with pytest.raises(NoScheduler) as refusal:
        check_scheduler(address.format(**ports), 0.3)
    assert threading.enumerate() == before
    first, reason, do = str(refusal.value).splitlines()
    assert first == f"No dask scheduler answers at {address.format(**ports)}."
    assert reason.startswith(known.format(**ports))
    assert do == (
        "Start one (`dask scheduler`, which prints its address), or leave --scheduler out:"
        " the workers are then processes of this machine."
    )


@pytest.fixture
def ports() -> Iterator[dict[str, int]]:
    """Of a server that says nothing, one that says something else, and nobody."""
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as strange:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            free = gone.getsockname()[1]
        greeting = threading.Thread(target=_greet, args=(strange,))
        greeting.start()
        yield {"silent": silent.getsockname()[1], "strange": strange.getsockname()[1], "free": free}
        strange.shutdown(socket.SHUT_RDWR)
        greeting.join()


def _greet(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            with server.accept()[0] as caller:
                caller.sendall(b"SSH-2.0-OpenSSH_9.9\r\n" + bytes(64))
                caller.recv(1 << 16)
