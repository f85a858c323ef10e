"""docs/studies.md: its files are studies, its commands run them, and its Python says what there is of them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import miscope

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```(?:yaml|python) file=(\S+)\n(.*?)```", TEXT, flags=re.DOTALL))
LINES = [shlex.split(line, comments=True)[1:] for line in re.findall(r"^miscope .*$", TEXT, flags=re.MULTILINE)]


def test_the_page_runs_from_an_empty_folder(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MISCOPE_WORKSPACE", raising=False)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    done = [command(*words) for words in LINES]
    assert [code for code, *_ in done] == [0] * len(LINES)
    rows = done[0][1].partition("\n#")[2].splitlines()[1:5]
    assert [line.split()[1] for line in rows] == ["w8_lr3e-2", "w8_lr1e-1", "w16_lr1e-1", "decayed"]
    assert "4 done, in " in done[1][2]
    beside = next(err for words, (_, _, err) in zip(LINES, done, strict=True) if "--jobs" in words)
    assert "1 done, 3 skipped, in " in beside
    asked = done[2][1]
    assert asked.count("completed") == 8
    used = subprocess.run([sys.executable, "use_it.py"], capture_output=True, text=True, check=True).stdout
    assert used.splitlines() == [
        *(f"{name} - finished, skipped" for name in ("w8_lr3e-2", "w8_lr1e-1", "w16_lr1e-1", "decayed")),
        "decayed - skipped at step 60",
    ]
    assert {path.name for path in (tmp_path / "miscope-workspace" / "studies").iterdir()} == {
        "widths.yaml", "longer.yaml", "again.yaml",
    }  # fmt: skip
    assert len(miscope.open().variants()) == 4


def test_the_page_lists_the_keys_there_are() -> None:
    from miscope.studies.study_fields import StudyAnalysis, StudyFields, StudyTraining

    table = dict(re.findall(r"^\| (`[^|]+) \| ([^|]+) \|$", TEXT, flags=re.MULTILINE))
    keys = {word for cell in table for word in re.findall(r"`(\w+)`", cell)}
    assert keys == {*StudyFields.model_fields, "extends"}
    assert set(re.findall(r"`(\w+)`", table["`train`"])) == set(StudyTraining.model_fields)
    assert set(re.findall(r"`(\w+)`", table["`analyze`"])) == set(StudyAnalysis.model_fields)
