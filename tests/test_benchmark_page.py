"""BENCHMARKS.md: what is measured alone takes its place among what was measured on the same machine."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

RUN = runpy.run_path(str(Path(__file__).resolve().parents[1] / "benchmarks" / "run.py"))
ONE = {"title": "Start", "rows": [{"what": "import", "s": 0.25}], "notes": ["Median of 3."]}
OTHER = {"title": "Runs", "rows": [{"what": "begin", "s": 1.5}]}


def test_a_section_measured_alone_replaces_its_own_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "BENCHMARKS.md"
    path.write_text(RUN["page"]([ONE, OTHER], {}))
    again = RUN["page"]([{**ONE, "rows": [{"what": "import", "s": 0.5}]}], RUN["sections_measured_here"](path))
    assert again == path.read_text().replace("0.25", "0.5")
    third = {"title": "Index", "rows": [{"what": "ask", "s": 2.0}]}
    assert RUN["page"]([third], RUN["sections_measured_here"](path)).endswith(
        "## Runs\n\n| what | s |\n| --- | --- |\n| begin | 1.5 |\n\n"
        "## Index\n\n| what | s |\n| --- | --- |\n| ask | 2 |\n"
    )


def test_what_was_measured_elsewhere_is_not_mixed_with_what_is_measured_here(tmp_path: Path) -> None:
    path = tmp_path / "BENCHMARKS.md"
    path.write_text(RUN["page"]([ONE], {}).replace("| processor | ", "| processor | another "))
    with pytest.raises(SystemExit, match=r"was measured elsewhere, or with other versions: leave --only out\."):
        RUN["sections_measured_here"](path)
