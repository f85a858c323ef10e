"""docs/testing.md lists what miscope.testing has, with its arguments, and its example passes."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from miscope import testing
from miscope.testing import fixtures

TEXT = (Path(__file__).parents[1] / "docs" / "testing.md").read_text(encoding="utf-8")
FIRST_CELLS = re.findall(r"^\| `(\w+)(?:\((.*?)\))?` \|", TEXT, re.MULTILINE)
ARGUMENTS = {name: [word for word in given.split(", ") if word] for name, given in FIRST_CELLS}


def test_the_page_lists_every_fixture_and_every_public_name() -> None:
    assert set(ARGUMENTS) == {*fixtures.__all__, *testing.__all__}
    assert len(FIRST_CELLS) == len(ARGUMENTS), "each once"


@pytest.mark.parametrize("name", [name for name, given in ARGUMENTS.items() if given])
def test_a_function_takes_what_the_page_says(name: str) -> None:
    assert list(inspect.signature(getattr(testing, name)).parameters) == ARGUMENTS[name]


def test_the_fields_the_page_names_are_there() -> None:
    assert list(testing.ToyParams.model_fields) == ["values", "seed", "width"]
    assert {"workspace", "variants"} == set(testing.Scene.__dataclass_fields__)
    assert (testing.ToyFamily.name, testing.ToyFourierFamily.name) == ("toy.sum", "toy.fourier")


def test_the_example_of_the_page_passes(tmp_path: Path) -> None:
    ((name, code),) = re.findall(r"```python file=(\S+)\n(.*?)```", TEXT, flags=re.DOTALL)
    (tmp_path / name).write_text(code, encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis"]  # which takes a second to import
    tested = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout
    assert "4 passed" in tested.stdout
