"""Commands that miscope prints work where they are typed: they name the workspace that is not the default one."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

import miscope
from miscope.bound import open_bound
from miscope.commands import in_workspace
from miscope.errors import NoArtifact
from miscope.testing import tables

Run = Callable[..., tuple[int, str, str]]
SOURCE = Path(miscope.__file__).parent
UNPLACED = {
    "errors.py": "their constructors put it there",
    "importing/bundle.py": "says how a line that was just typed goes on, and names another workspace",
    "importing/foreign/layout.py": "says how a line that was just typed goes on",
    "remote/remote_workspace.py": "says what to type on another machine, and knows not in which folder",
    "store/checkpoint_file.py": "knows a file, not its workspace",
}


def test_the_default_workspace_needs_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MISCOPE_WORKSPACE", raising=False)
    assert in_workspace(tmp_path / "miscope-workspace", "miscope serve") == "miscope serve"
    assert in_workspace(tmp_path / "a b", "miscope serve") == f"miscope serve --workspace '{tmp_path}/a b'"
    assert in_workspace(tmp_path, "miscope serve  (in a browser)") == (
        f"miscope serve --workspace {tmp_path}  (in a browser)"
    )
    assert in_workspace(tmp_path, "miscope serve --workspace b") == "miscope serve --workspace b"
    monkeypatch.setenv("MISCOPE_WORKSPACE", "elsewhere")
    assert in_workspace(tmp_path / "elsewhere", "miscope serve") == "miscope serve"
    assert open_bound().root == tmp_path / "elsewhere"


def test_the_line_of_an_error_in_python_computes_what_was_missing(
    command: Run, offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MISCOPE_WORKSPACE", raising=False)
    offer("toy", "miscope.testing.toy")
    variant = open_bound("my workspace", tables()).variant("toy.sum", values=5)
    for _ in variant.train(steps=2):
        pass
    with pytest.raises(NoArtifact) as missing:
        variant.arrays("parameters.norms")
    assert command(*shlex.split(missing.value.command)[1:])[0] == 0
    assert len(variant.arrays("parameters.norms")["step"])


def test_no_line_is_printed_without_its_workspace() -> None:
    bare = re.compile(r"\w:  miscope (train|analyze|import|show|serve|runs|sweep|delete|restore|prune)\b")
    bare_in = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if "template" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and bare.search(node.value)
    }
    assert bare_in <= set(UNPLACED)
