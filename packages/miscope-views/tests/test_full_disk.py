"""A figure that the disk does not take is told in three parts, and nothing of it stays."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


def test_a_figure_on_a_full_disk_says_so_and_leaves_nothing(
    command: Run, offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    name = "toy.sum/v5-seed0-width16"
    assert command("train", "toy.sum", "--threads", 1)[0] == 0
    target = tmp_path / "figure.html"
    # Python does not notice that a module's bytecode was cut off, and fails to import it ever after.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        code, out, err = command("show", "behaviour.losses", name, "--out", target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (code, out) == (1, "")
    assert err.splitlines()[:2] == [
        f"{target} cannot be written.",
        "It would be larger than a file may be here (`ulimit -f`).",
    ]
    assert [path.name for path in tmp_path.iterdir() if "figure" in path.name] == []
