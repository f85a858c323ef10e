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


def test_help_loads_nothing_that_takes_long() -> None:
    code = """
import sys
from miscope.cli import main
sys.argv = ["miscope", "--help"]
try:
    main()
except SystemExit as ended:
    assert not ended.code
heavy = {"torch", "duckdb", "plotly", "panel", "transformer_lens", "pandas", "pyarrow"} & set(sys.modules)
sys.exit(f"loaded {heavy}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: miscope" in done.stdout
