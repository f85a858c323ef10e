"""The benchmark of the index runs, on a hundredth of its size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "index.py"


def test_the_benchmark_measures_an_index_that_holds_what_was_written():
    done = subprocess.run([sys.executable, SCRIPT, "--small"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["rows_artifacts"] == 20 * 20 * 5
    assert found["rows_scalars"] == 3 * found["rows_artifacts"]
    assert {"index_build", "ask_grokked_before", "ask_curve", "ask_coverage", "ask_join"} <= found.keys()
