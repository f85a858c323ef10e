"""What a run says of the tests it had to leave out: for want of a file beside the checkout, or of a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TESTS = """
import pytest

@pytest.mark.parametrize("name", ["one.pth", "one.pth", "two.pth"])
def test_a_calibration(calibration_file, name):
    assert calibration_file(name).read_text() == "numbers"

@pytest.fixture(scope="module")
def later(calibration_file):
    return calibration_file("three.json")

@pytest.mark.parametrize("number", [1, 2])
def test_a_calibration_of_a_shared_fixture(later, number):
    assert later.exists()

def test_a_picture(chromium_path):
    assert chromium_path

@pytest.mark.usefixtures("chromium_path")
def test_another_picture():
    pass

def test_what_needs_nothing():
    pass
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, list[str]]]:
    """run("one.pth", browser=True, CI="true"): exit status and last lines of pytest beside a folder of these files."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.copy(ROOT / "conftest.py", checkout)
    (checkout / "test_small.py").write_text(TESTS)

    def pytest_with(
        *files: str, browser: bool = True, words: tuple[str, ...] = (), CI: str = ""
    ) -> tuple[int, list[str]]:
        for name in files:
            folder = tmp_path / "shared" / "calibration"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("numbers")
        outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        # Of no plug-in of pytest but xdist, which some words ask for: others take longer to import than the tests.
        alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        environment = outside | alone | {"BROWSER_PATH": sys.executable if browser else "/nowhere", "CI": CI}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    return pytest_with


ALL = ("one.pth", "two.pth", "three.json")


def test_where_nothing_is_wanting_the_calibrations_are_counted(run) -> None:
    code, lines = run(*ALL)
    assert (code, lines[-2:]) == (0, ["calibrations: 5 ran", lines[-1]])
    assert lines[-1].startswith("8 passed")


@pytest.mark.parametrize("words", [(), ("-p", "xdist.plugin", "-n", "2")], ids=["alone", "in two processes"])
def test_what_was_left_out_is_counted_and_what_would_bring_it_named(run, words: tuple[str, ...]) -> None:
    code, lines = run("one.pth", browser=False, words=words)
    assert code == 0
    assert lines[-3:-1] == [
        "calibrations: 2 ran, 3 skipped for want of three.json, two.pth in ../shared/calibration",
        "browser: 2 tests were left out for want of a Chromium, on PATH or at BROWSER_PATH;"
        " to bring one:  sudo .ci/browser",
    ]


def test_without_the_folder_every_calibration_is_skipped_in_ci_too(run) -> None:
    code, lines = run(CI="true")
    assert code == 0
    assert lines[-2] == (
        "calibrations: 0 ran, 5 skipped for want of one.pth, three.json, two.pth in ../shared/calibration"
    )


def test_in_ci_a_file_that_the_folder_lacks_is_a_failure(run, tmp_path: Path) -> None:
    code, lines = run("one.pth", "two.pth", CI="true")
    assert code == 1
    said = f"{tmp_path}/shared/calibration is here, and three.json is not in it: a failure with CI=true"
    assert lines.count(said) == 2


def test_a_run_that_is_about_neither_says_nothing_of_them(run) -> None:
    code, lines = run(words=("-k", "nothing"))
    assert code == 0
    assert not any(line.startswith(("calibrations", "browser")) for line in lines)


def test_a_file_that_is_skipped_whole_is_counted_as_none_of_them(run, tmp_path) -> None:
    skipping = "import pytest\n\npytest.importorskip('a_package_that_nobody_has')\n"
    (tmp_path / "checkout" / "test_whole.py").write_text(skipping)
    code, lines = run(*ALL)
    assert (code, lines[-2]) == (0, "calibrations: 5 ran")
    assert lines[-1].startswith("8 passed, 1 skipped")
