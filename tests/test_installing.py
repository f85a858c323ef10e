"""What the pages and commands say of installing works as it is written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = re.compile(r"```(?:python|toml) file=(\S+)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(("page", "module"), [("tutorial", "miscope_rank"), ("write-a-family", "recurrent_sum")])
def test_the_project_of_a_page_installs_beside_its_other_files(page: str, module: str, tmp_path: Path) -> None:
    if not all(map(find_spec, ("pip", "setuptools"))) and "CI" not in os.environ:
        pytest.skip("needs pip and setuptools, which `make` puts into .venv")
    project, place = tmp_path / "project", tmp_path / "place"
    project.mkdir()
    for name, code in FILES.findall((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")):
        with (project / name).open("a", encoding="utf-8") as file:
            file.write(code)
    assert len(list(project.glob("*.py"))) > 1
    offline = ["--no-build-isolation", "--no-deps", "--no-index", "--target", str(place)]
    words = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "."]
    done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in place.glob("*.py")] == [f"{module}.py"]
    (installed,) = distributions(path=[str(place)])
    assert [(point.group, point.value) for point in installed.entry_points] == [("miscope", module)]


def test_the_readme_installs_every_package_in_one_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^pip install .*$", text, re.MULTILINE)
    folders = [ROOT / word.partition("[")[0] for word in shlex.split(line)[2:]]
    assert sorted(folders) == sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))


def test_what_is_installed_beside_stays_unless_continuous_integration_installs() -> None:
    def told(*words: str) -> str:
        dry = ["make", "--dry-run", "--always-make", "CI=", "UV=/bin/sh", *words, "sync"]
        return subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "/bin/sh sync --quiet --all-packages --inexact\n" in told()
    assert "--inexact" not in told("CI=true")


def test_what_a_readme_leaves_behind_is_not_taken_for_part_of_the_code() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("is no checkout")
    left = ["miscope-workspace/", "demo-workspace/", "losses.html", "losses.pdf"]
    done = subprocess.run(["git", "check-ignore", *left], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == left
