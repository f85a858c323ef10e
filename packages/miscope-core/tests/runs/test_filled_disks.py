"""A disk that is full, at twenty moments of a run and while a supervisor works: nothing finished is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "filled_disks.py"
NAMESPACES = ["unshare", "-rm", "true"]
SMALL_DISK = 'mount -t tmpfs -o size=24m tmpfs "$1" || exit 77; exec "$2" "$3" "$1"'


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(NAMESPACES, capture_output=True).returncode != 0,
    reason="no small disk can be had here without being root",
)
def test_what_finds_no_room_says_so_and_goes_on_from_what_was_finished_once_there_is_some(
    place: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["unshare", "-rm", "bash", "-c", SMALL_DISK, "bash", str(disk), sys.executable, str(SCRIPT)]
    done = subprocess.run(words, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("this kernel mounts no small disk")
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told["states"]) <= {"completed", "failed", "interrupted", "pending"}
    assert {"failed", "interrupted"} & set(told["states"])
    assert told["same"]
    # Those that had no room to begin failed for it; none is left undecided, and what begins later is done.
    assert set(told["supervised"]) <= {"completed", "failed"}
    assert told["supervised"][-1] == "completed"
    assert any("cannot be written" in line for line in told["lines"])
