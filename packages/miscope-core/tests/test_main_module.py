"""`python -m miscope` is the `miscope` command."""

from __future__ import annotations

import subprocess
import sys


def test_the_module_says_what_the_command_says() -> None:
    finished = subprocess.run([sys.executable, "-m", "miscope", "--help"], capture_output=True, text=True, check=True)
    assert "Usage: miscope [OPTIONS] COMMAND" in finished.stdout


def test_wrong_usage_ends_it_with_2() -> None:
    ended = subprocess.run([sys.executable, "-m", "miscope", "no-such-verb"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert "no-such-verb" in ended.stderr
