"""Where no scheduler is named, workers of this machine do it, and Ctrl-C stops them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from miscope import ExecutorOptions, Plugins
from miscope.bound import open_bound
from miscope.testing import tables
from miscope_dask.connecting import NoScheduler
from miscope_dask.executor import Dask

STUDY = """
family: toy.sum
base: {checkpoints: 'every:1000'}
include: [{name: short, seed: 1, steps: 2}, {name: long, seed: 2, steps: 100000000}]
train: {threads: 1}
"""


def test_the_executor_is_found_once_installed_and_imports_no_dask() -> None:
    assert Plugins.installed().executors["dask"].name == "dask"
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


def test_an_address_where_nobody_answers_is_told(tmp_path: Path, command: Callable[..., tuple[int, str, str]]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(NoScheduler) as refusal, Dask(ExecutorOptions(scheduler=address)).open():
            pass
    first, known, do = str(refusal.value).splitlines()
    assert first == f"No dask scheduler answers at {address}."
    assert known.startswith(f"OSError: Timed out trying to connect to {address}")
    assert do == (
        "Start one (`dask scheduler`, which prints its address), or leave --scheduler out:"
        " the workers are then processes of this machine."
    )
    with pytest.raises(NoScheduler, match="No dask scheduler answers at nonsense://x"):
        Dask(ExecutorOptions(scheduler="nonsense://x")).open().__enter__()
