"""BENCHMARKS.md: what is measured alone takes its place among the rest, and says where it was measured elsewhere."""

from __future__ import annotations

import runpy
from pathlib import Path

RUN = runpy.run_path(str(Path(__file__).resolve().parents[1] / "benchmarks" / "run.py"))
ONE = {"title": "Start", "rows": [{"what": "import", "s": 0.25}], "notes": ["Median of 3."]}
OTHER = {"title": "Runs", "rows": [{"what": "begin", "s": 1.5}]}


def test_a_section_measured_alone_replaces_its_own_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "BENCHMARKS.md"
    path.write_text(RUN["page"]([ONE, OTHER], None))
    again = RUN["page"]([{**ONE, "rows": [{"what": "import", "s": 0.5}]}], RUN["written"](path))
    assert again == path.read_text().replace("0.25", "0.5")
    third = {"title": "Index", "rows": [{"what": "ask", "s": 2.0}]}
    assert RUN["page"]([third], RUN["written"](path)).endswith(
        "## Runs\n\n| what | s |\n| --- | --- |\n| begin | 1.5 |\n\n"
        "## Index\n\n| what | s |\n| --- | --- |\n| ask | 2 |\n"
    )


def test_what_is_measured_on_another_machine_says_so_and_the_page_stays_that_of_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "BENCHMARKS.md"
    here = RUN["processor"]()
    path.write_text(RUN["page"]([ONE, OTHER], None).replace(f"| processor | {here} |", "| processor | another |"))
    again = RUN["page"]([{**ONE, "rows": [{"what": "import", "s": 0.5}]}], RUN["written"](path))
    assert again == path.read_text().replace("0.25", "0.5").replace(
        "- Median of 3.", f"- Median of 3.\n- Measured apart from the rest: processor {here}."
    )
