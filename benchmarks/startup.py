"""How long it takes before anything happens: `import miscope` and `miscope --help`, each in fresh interpreters."""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

REPEATS = 15


def measure(words: list[str]) -> dict[str, float]:
    """Median wall and CPU seconds of a command, after one run that fills the caches."""
    wall, cpu = [], []
    for _ in range(REPEATS + 1):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        wall.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"wall": statistics.median(wall[1:]), "cpu": statistics.median(cpu[1:])}


def main() -> None:
    """Print the measurements as JSON."""
    beside = Path(sys.executable).parent
    miscope = shutil.which("miscope", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}") or "miscope"
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import miscope": [sys.executable, "-c", "import miscope"],
        "miscope --help": [miscope, "--help"],
    }
    rows = []
    for name, words in commands.items():
        seconds = measure(words)
        rows.append({"what": name, "wall s": round(seconds["wall"], 3), "CPU s": round(seconds["cpu"], 3)})
    note = f"Median of {REPEATS} fresh interpreters. Aim: `miscope --help` within 0.4 s, without torch."
    print(json.dumps({"title": "Start", "rows": rows, "notes": [note]}))


if __name__ == "__main__":
    main()
