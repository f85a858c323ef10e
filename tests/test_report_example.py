"""The example of a report in the documentation: in every format, small, and complete in itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "examples" / "report"
KINDS = ("html", "md", "pdf", "ipynb")
SECTIONS = ("Summary", "What differs", "Events", "Agreement over seeds", "Observations", "Figures", "Settings")


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_is_there_in_every_format_and_small(kind: str) -> None:
    path = FOLDER / f"three-seeds.{kind}"
    assert 50_000 < path.stat().st_size < 1_000_000
    assert ("/ro" + "ot").encode() not in path.read_bytes()


def test_the_page_refers_to_nothing_outside_itself_and_forbids_it() -> None:
    page = (FOLDER / "three-seeds.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    references = re.findall(r"<[a-z]+\b[^>]*?\s(?:src|href|action|data)\s*=\s*\"(.{0,11})", page)
    assert len(references) == page.count("<figure") > 10
    assert set(references) == {"data:image/"}
    assert "<script" not in page
    assert [name for name in SECTIONS if f"<h2>{name}</h2>" not in page] == []


def test_the_notebook_has_a_line_and_a_stored_picture_for_every_figure() -> None:
    notebook = json.loads((FOLDER / "three-seeds.ipynb").read_text(encoding="utf-8"))
    opened, *drawn = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert opened["source"] == "import miscope\n\nworkspace = miscope.open('../../../examples-workspace')"
    assert len(drawn) > 10
    for cell in drawn:
        compile(cell["source"], cell["id"], "exec")
        assert "image/png" in cell["outputs"][0]["data"]
