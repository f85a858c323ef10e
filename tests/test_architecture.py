"""The rules of the house, as far as a tool can keep them: what loads what, how long things are, what is documented."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(p for p in (ROOT / "packages").glob("*/src/**/*.py") if "template" not in p.parts)
HEAVY = ("torch", "transformer_lens", "duckdb", "pyarrow", "plotly", "panel", "bokeh", "pandas", "scipy", "numpy")

LINES_IN_A_FILE = 300
LINES_IN_A_FUNCTION = 40
ARGUMENTS = 5


@cache
def tree(path: Path) -> ast.Module:
    """Of a thousand files, each parsed once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"))


def loaded_by(code: str) -> set[str]:
    """Which of the heavy packages a fresh interpreter holds after running the code."""
    report = f"import json, sys; print('LOADED', json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    script = f"{code}\n{report}"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return set(json.loads(out.rpartition("LOADED ")[2]))


def test_importing_miscope_loads_nothing_heavy() -> None:
    assert loaded_by("import miscope") == set()


def test_the_help_loads_nothing_heavy_with_every_plugin_installed() -> None:
    code = "from miscope.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded_by(code) == set()


def test_pytest_starts_without_loading_torch() -> None:
    assert "torch" not in loaded_by("import miscope.testing.fixtures")


def test_listing_the_views_needs_no_torch_and_no_plotly() -> None:
    code = "from miscope.cli import main\ntry:\n    main(['views'])\nexcept SystemExit:\n    pass"
    assert not loaded_by(code) & {"transformer_lens", "plotly", "duckdb", "panel"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: "/".join(path.parts[-3:]))
def test_a_file_fits_a_sitting_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_IN_A_FILE
    assert ast.get_docstring(tree(path)) or not text.strip(), "a module opens with what it is for"


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def test_a_function_fits_a_screen() -> None:
    """Its docstring is not counted, nor is a signature that a formatter spreads over lines."""
    lengths = {name: node.body[-1].end_lineno - _first(node) + 1 for name, node in functions()}  # type: ignore[operator]
    assert {name: n for name, n in lengths.items() if n > LINES_IN_A_FUNCTION} == {}


def _first(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    documented = ast.get_docstring(node) is not None and len(node.body) > 1
    return node.body[1 if documented else 0].lineno


def test_a_function_takes_few_arguments_by_position() -> None:
    """Past the subject they are keyword-only; a command's parameters are its options."""
    many = {}
    for name, node in functions():
        given = [a.arg for a in (*node.args.posonlyargs, *node.args.args) if a.arg not in ("self", "cls")]
        if len(given) > ARGUMENTS and "typer" not in ast.unparse(node.args) and "Option" not in ast.unparse(node.args):
            many[name] = given
    assert many == {}


def test_no_module_is_named_for_nothing() -> None:
    vague = {"utils", "helpers", "manager", "common", "misc", "base"}
    assert [path for path in SOURCES if vague & set(path.stem.split("_"))] == []


def test_broad_exceptions_are_caught_at_six_doors_only() -> None:
    doors = {
        path.name
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or {"Exception", "BaseException"} & set(ast.unparse(node.type).strip("()").split(", ")))
    }
    # A plug-in that fails to load or to give its records, an instrument at a step, a view in its card, a page that a
    # plug-in adds, what it adds to a report, what is made one by one (runs of a study, estimates), the process of a
    # run.
    plug_ins = {"offers.py", "plugins.py", "perform.py", "picture.py", "pages.py", "contributed.py"}
    assert doors <= plug_ins | {"failure.py", "child.py"}


def test_nothing_committed_names_this_machine_or_a_host() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    needles = ("/ro" + "ot/", "/op" + "t/wheels", "download.pyto" + "rch.org")
    found = []
    for name in listed:
        path = ROOT / name
        if path.is_file() and path.suffix in (".py", ".toml", ".md", ".sh", "", ".js", ".yaml"):
            text = path.read_text(encoding="utf-8", errors="ignore")
            found += [f"{name}: {needle}" for needle in needles if needle in text]
    assert found == []


def hooks() -> dict[str, inspect.Signature]:
    from miscope import hookspecs

    return {
        name: inspect.signature(function)
        for name, function in inspect.getmembers(hookspecs, inspect.isfunction)
        if name.startswith("miscope_")
    }


def test_every_hook_is_documented_with_its_exact_arguments() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    for name, signature in hooks().items():
        given = ", ".join(f"{parameter.name}: {parameter.annotation}" for parameter in signature.parameters.values())
        assert f"def {name}({given}) -> {signature.return_annotation}\n" in page, name


def test_every_hook_is_implemented_by_something_here_and_tested_by_name() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if path.name != "hookspecs.py")
    tests = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "packages").glob("*/tests/**/*.py"))
    for name in hooks():
        assert f"def {name}(" in written, name
        assert name in tests, name
