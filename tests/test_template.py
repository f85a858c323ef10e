"""The plug-in templates: generated, installed in a fresh environment and tested there, untouched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miscope.cli.new_plugin import Kind, write_plugin

ROOT = Path(__file__).parents[1]
PACKAGES = ("miscope-core", "miscope-panel")
NAMES = {
    "analyzer": "weight-shape",
    "view": "length",
    "family": "pairs",
    "command": "losses",
    "executor": "timed",
}
"""A plug-in of each kind."""


def _uv() -> str:
    beside = ROOT / ".uv-env" / "bin"
    found = os.environ.get("MISCOPE_UV") or shutil.which("uv", path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    if found is None and "CI" not in os.environ:
        pytest.skip("needs uv, to make a fresh environment")
    assert found, "uv is not on PATH; `make test` puts it there"
    return found


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An environment with core and the dashboard as wheels, a generated plug-in and pytest; its folder."""
    folder = tmp_path_factory.mktemp("fresh")
    uv, python = _uv(), folder / "venv" / "bin" / "python"
    # With PyTorch it is too large for temporary files, which may be kept in memory.
    (ROOT / ".matrix").mkdir(exist_ok=True)
    kept = Path(tempfile.mkdtemp(prefix="template-", dir=ROOT / ".matrix"))
    (folder / "venv").symlink_to(kept)
    # From the checkout, so that the workspace's pins hold.
    run([uv, "venv", "-q", "--python", sys.executable, folder / "venv"], ROOT)
    install = [uv, "pip", "install", "-q", "--python", python]
    run([*install, *(f"./packages/{name}" for name in PACKAGES), "pytest", "httpx"], ROOT)
    for kind, name in NAMES.items():
        words = ["new-plugin", name, "--kind", kind, "--dir", folder / kind]
        run([folder / "venv" / "bin" / "miscope", *words], folder)
    run([*install, *(folder / kind for kind in NAMES)], ROOT)
    yield folder
    shutil.rmtree(kept)
    shutil.rmtree(folder)


def clean() -> dict[str, str]:
    """The environment variables without those of the tests' own python."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV", "VIRTUAL_ENV", "PYTHON"))}


def run(words: list[object], cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=clean(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_plugins_of_every_kind_pass_their_tests_untouched_side_by_side(fresh: Path) -> None:
    # In one run, which needs PyTorch once; what their projects say of pytest is the same.
    out = run([fresh / "venv" / "bin" / "pytest", "-c", fresh / "view" / "pyproject.toml", *NAMES], fresh)
    written = [path.read_text(encoding="utf-8") for kind in NAMES for path in (fresh / kind / "tests").glob("*.py")]
    assert len(written) == len(NAMES)
    assert f" {sum(text.count('def test_') for text in written)} passed" in out


@pytest.mark.parametrize("name", ["q", "with-thirty-two-characters-in-it"])
def test_a_plugin_of_every_kind_is_linted_and_formatted_whatever_its_name(name: str, tmp_path: Path) -> None:
    for kind in NAMES:
        write_plugin(name.replace("-", "_"), tmp_path / kind, Kind(kind))
        for words in (["check"], ["format", "--check"]):
            run([sys.executable, "-m", "ruff", *words, "--no-cache", "."], tmp_path / kind)


def test_every_kind_has_its_template() -> None:
    assert {path.name for path in (ROOT / "templates" / "miscope-plugin").iterdir()} == set(Kind) == set(NAMES)


def test_what_the_projects_of_all_kinds_share_is_the_same() -> None:
    own = ("description", "dependencies")
    lines = [
        [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(own)]
        for path in (ROOT / "templates" / "miscope-plugin").glob("*/pyproject.toml")
    ]
    assert all(each == lines[0] for each in lines)


def test_miscope_and_the_dashboard_show_it(fresh: Path) -> None:
    plugins = json.loads(run([fresh / "venv" / "bin" / "miscope", "plugins", "--json"], fresh))
    found = {row["plugin"]: row for row in plugins["plugins"]}
    assert found["weight_shape"]["package"] == "miscope-weight-shape"
    assert found["weight_shape"]["provides"]["analyzer"] == ["weight_shape.stable_rank"]
    assert found["weight_shape"]["provides"]["view"] == ["weight_shape.stable_rank"]
    assert found["pairs"]["provides"]["family"] == ["pairs.larger"]
    assert found["timed"]["provides"]["executor"] == ["timed"]
    assert not plugins["broken"]
    served, views = ask_the_dashboard(fresh, "/api/v1/plugins", "/api/v1/views")
    assert (
        "analyzer weight_shape.stable_rank" in {p["plugin"]: p for p in served["plugins"]}["weight_shape"]["provides"]
    )
    assert "weight_shape.stable_rank" in [view["name"] for view in views]


def ask_the_dashboard(fresh: Path, *paths: str) -> list[Any]:
    """What `miscope serve` of the fresh environment answers there."""
    words = [fresh / "venv" / "bin" / "miscope", "-w", fresh / "workspace", "serve", "--port", "0", "--no-open"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=fresh, env=clean()) as serving:
        assert serving.stdout is not None
        try:
            line = next(line for line in serving.stdout if line.startswith("at "))
            url = line.removeprefix("at ").strip().rstrip("/")
            return [answered(url + path) for path in paths]
        finally:
            serving.terminate()


def answered(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)
