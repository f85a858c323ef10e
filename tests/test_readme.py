"""The Python example of the README, run as it stands; its command lines go on in the same workspace."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from miscope.bound import open_bound

ROOT = Path(__file__).parents[1]


def test_the_example_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 1
    example = blocks[0]
    assert len([line for line in example.splitlines() if line.strip()]) == 12
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MISCOPE_WORKSPACE", raising=False)
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert list(tmp_path.iterdir())
    assert (tmp_path / "losses.html").stat().st_size > 100_000
    steps, losses = names["steps"], names["test_loss"]
    assert isinstance(steps, np.ndarray)
    assert isinstance(losses, np.ndarray)
    assert steps[-1] == 200
    assert np.isfinite(losses).all()
    assert len(names["figure"].data) > 0  # type: ignore[attr-defined]
    assert names["spectrum"]
    workspace: Any = names["workspace"]
    assert workspace.root == open_bound().root == tmp_path / "miscope-workspace"


def test_the_command_lines_go_on_with_the_variant_of_the_example() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (call,) = re.findall(r"workspace\.variant\((.*)\)", text)
    family, fields = ast.literal_eval(call.partition(", ")[0]), call.partition(", ")[2].replace(", ", " ")
    assert re.search(rf"^miscope train {re.escape(f'{family} {fields}')} --steps \d+ ", text, re.MULTILINE)
    assert not re.search(r"^miscope -w", text, re.MULTILINE)
