"""Run every command of docs/least-action.md in its order, and draw its figures into a folder.

The trainings take some minutes on two cores, one thread each; what is there already is not made again.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "least-action.md"
PICTURES = "docs/pictures/least-action"
BLOCK = re.compile(r"^```\n(.*?)^```", re.DOTALL | re.MULTILINE)


def main() -> None:
    """Train, analyze, draw, as the page says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where the pictures go")
    place = ROOT / "least-action-workspace"
    parser.add_argument("--workspace", type=Path, default=place, help="where the runs are kept")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    os.environ.update(MISCOPE_WORKSPACE=str(asked.workspace.resolve()), OMP_NUM_THREADS="1")
    miscope = Path(sys.executable).with_name("miscope")
    for words in commands(PAGE.read_text(encoding="utf-8")):
        placed = [word.replace(PICTURES, str(asked.out.resolve())) for word in words]
        print("miscope", *words, flush=True)
        subprocess.run([str(miscope), *placed], cwd=ROOT, check=True)


def commands(page: str) -> Iterator[list[str]]:
    """The words behind `miscope` of each command in a block of the page, one that goes on over lines in one piece."""
    for block in BLOCK.findall(page):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("miscope "):
                yield shlex.split(line, comments=True)[1:]


if __name__ == "__main__":
    main()
