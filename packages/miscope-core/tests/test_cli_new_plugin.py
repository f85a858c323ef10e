"""A new plug-in package from the template."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


def test_a_new_plugin_carries_its_name_everywhere(command: Run, tmp_path: Path) -> None:
    target = tmp_path / "somewhere"
    code, out, _ = command("new-plugin", "weight-shape", "--dir", target)
    assert code == 0
    assert out.startswith(f"Wrote {target}:")
    project = tomllib.loads((target / "pyproject.toml").read_text())["project"]
    assert project["name"] == "miscope-weight-shape"
    assert project["entry-points"]["miscope"] == {"weight_shape": "miscope_weight_shape"}
    assert (target / "src" / "miscope_weight_shape" / "__init__.py").is_file()
    everything = [path for path in target.rglob("*") if path.is_file()]
    assert not [path for path in everything if "myplugin" in str(path) or "myplugin" in path.read_text()]
    assert {path.relative_to(target).parts[0] for path in everything} == {"pyproject.toml", "README.md", "src", "tests"}


def test_it_goes_to_a_folder_of_its_name(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("new-plugin", "miscope-rank")[0] == 0
    assert (tmp_path / "miscope-rank" / "src" / "miscope_rank").is_dir()


def test_nothing_is_written_over(command: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    code, out, err = command("new-plugin", "rank", "--dir", tmp_path)
    assert (code, out) == (1, "")
    assert err == (
        f"{tmp_path} exists already.\n"
        "A new plug-in is never written over anything.\n"
        "Give another name, or another place with --dir.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["Rank", "9lives", "a__b", "../evil", "with space", "", "x" * 41])
def test_a_name_that_cannot_be_a_module_is_refused(command: Run, name: str, tmp_path: Path) -> None:
    code, _, err = command("new-plugin", name, "--dir", tmp_path / "new")
    assert code == 1
    assert err == (
        f"{name!r} cannot be the name of a plug-in.\n"
        "It becomes part of a package, a module and the names of its instruments.\n"
        "Use lower-case letters, digits and single underscores, starting with a letter: 'rank', 'weight_norms'.\n"
    )
    assert not (tmp_path / "new").exists()


def test_a_name_that_is_taken_is_refused(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "miscope_taken.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    code, _, err = command("new-plugin", "taken", "--dir", tmp_path / "new")
    assert code == 1
    assert err.splitlines()[0] == "There is already a package miscope_taken installed."
