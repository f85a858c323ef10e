"""docs/runs.md: its Python is run as it stands, and its table of states is the one of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from miscope.runs.run_state import ALLOWED, RunState

TEXT = (Path(__file__).parents[1] / "docs" / "runs.md").read_text(encoding="utf-8")


def test_the_python_of_the_page_asks_for_two_runs_and_waits_for_them(tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    name = "modadd.transformer/p5-seed999-dseed598"
    assert done.stdout == f"<run 1 completed 100 %: train {name}>\n<run 2 completed 100 %: analyze {name}>\n"


def test_the_table_of_states_says_what_may_be_asked_in_each() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", TEXT, flags=re.MULTILINE))
    assert set(rows) == {state.value for state in RunState}
    for state in RunState:
        allowed = {action.value for action, states in ALLOWED.items() if state in states}
        assert set(re.findall(r"\b[a-z]+\b", rows[state])) - {"it", "stops"} == allowed, state
